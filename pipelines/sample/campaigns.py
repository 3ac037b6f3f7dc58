"""The campaigns of the sample company and their true effect.

A campaign invites a drawn part of the people who can be written to and leaves out a control group. Of those invited,
the share `uplift` places one more order within `WINDOW_DAYS` than it would have; nobody of the control group does. Add
a campaign as a row of `CAMPAIGNS`. How the newsletter tool reports on it belongs to `newsletter`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipelines.sample.chance import Calendar, Chance, texts

WINDOW_DAYS = 14
CONTROL_SHARE = 0.10
REACH = 0.9  # of the people with a mailbox who are known when the campaign starts


@dataclass(frozen=True)
class Campaign:
    """`days_ago` is when it starts; `uplift` are additional orders per invited customer of the shop."""

    record_id: str
    name: str
    klass: str
    days_ago: int
    uplift: float
    advertises: str | None = None
    steps: tuple[str, ...] = ("Versand",)
    variant_of: str | None = None


CAMPAIGNS = (
    Campaign("N-101", "Frühling im Garten", "advertising", 940, 0.02, "Gartengeräte"),
    Campaign("N-102", "Weihnachten Vorjahr", "advertising", 715, 0.05),
    Campaign("N-103", "Sommerlektüre", "advertising", 505, 0.00, "Bücher"),
    Campaign("N-104", "Neue Bedingungen", "service", 420, 0.00),
    Campaign("N-105", "Weihnachten", "advertising", 350, 0.06),
    Campaign("N-106", "Küche neu gedacht", "advertising", 190, 0.03, "Küche", ("Versand", "Erinnerung")),
    Campaign("N-107", "Wir vermissen Sie", "advertising", 75, 0.04),
    Campaign("N-108", "Wir vermissen Sie, mit Gutschein", "advertising", 75, 0.08, variant_of="N-107"),
)


def invite(persons: pd.DataFrame, chance: Chance) -> pd.DataFrame:
    """One row per person and campaign that concerns them: `row` of the person, `campaign` (index), `is_control`.

    A person is in one variant of a campaign only. `orders_more` marks those whom the campaign makes order once more.
    """
    random = chance.stream("invitations")
    known = persons["in_crm"].to_numpy() & persons["email"].notna().to_numpy()
    since, in_shop = persons["since_days"].to_numpy(), persons["in_shop"].to_numpy()
    drawn = {c.record_id: random.random(len(persons)) for c in CAMPAIGNS}
    found = []
    for number, campaign in enumerate(CAMPAIGNS):
        # The variants share one draw, so that they share nobody.
        place = drawn[campaign.variant_of or campaign.record_id]
        low = REACH / 2 if campaign.variant_of else 0.0
        has_variant = any(c.variant_of == campaign.record_id for c in CAMPAIGNS)
        high = REACH / 2 if has_variant else REACH
        rows = np.flatnonzero(known & (since > campaign.days_ago) & (place >= low) & (place < high))
        control = random.random(len(rows)) < CONTROL_SHARE
        more = ~control & in_shop[rows] & (random.random(len(rows)) < campaign.uplift)
        found.append(pd.DataFrame({"row": rows, "campaign": number, "is_control": control, "orders_more": more}))
    return pd.concat(found, ignore_index=True)


def describe_effects(calendar: Calendar) -> pd.DataFrame:
    """The truth about the campaigns: one row per campaign with its effect on the customers of the shop."""
    return pd.DataFrame(
        {
            "campaign_record_id": texts([c.record_id for c in CAMPAIGNS]),
            "starts_on": calendar.days(np.array([c.days_ago for c in CAMPAIGNS])).astype("datetime64[s]"),
            "window_days": WINDOW_DAYS,
            "uplift": [c.uplift for c in CAMPAIGNS],
        }
    )
