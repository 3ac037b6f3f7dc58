"""Bought-in attributes of people: what a data provider believes to know. Exported as JSON lines.

Add here what a provider sells. It is known by e-mail address or by the CRM's number, and it is often wrong.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipelines.sample.chance import Calendar, Chance, draw_texts, numbers_as_texts, texts
from pipelines.sample.records import later
from pipelines.sample.writing import JsonLines, iso_moments

KNOWN_SHARE = 0.12  # of the contacts
ATTRIBUTES = {
    "household_size": ("sociodemographic", ("1", "2", "3", "4+")),
    "purchasing_power": ("sociodemographic", ("low", "medium", "high")),
    "price_attitude": ("attitudinal", ("bargain hunter", "quality first")),
}
FORMAT = JsonLines()


def buy_attributes(contacts: pd.DataFrame, calendar: Calendar, chance: Chance) -> pd.DataFrame:
    """One row per contact and attribute; a third of the rows name the contact, the others only the mailbox."""
    random = chance.stream("attributes")
    known = contacts[(random.random(len(contacts)) < KNOWN_SHARE) & contacts["email"].notna()]
    found = []
    for name, (group, values) in ATTRIBUTES.items():
        rows = known[["record_id", "email", "since_days"]].assign(group=group, name=name)
        found.append(rows.assign(value=draw_texts(random, values, len(known)).to_numpy()))
    attributes = pd.concat(found, ignore_index=True)
    by_number = random.random(len(attributes)) < 1 / 3
    days = later(attributes["since_days"].to_numpy(), random)
    return attributes.assign(
        contact_no=attributes["record_id"].where(by_number),
        email=attributes["email"].mask(by_number),
        observed_at=calendar.moments(days, random),
        attribute_no=numbers_as_texts(np.arange(len(attributes)) + chance.number(1)),
    )


def export_attributes(attributes: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The provider's own field names."""
    return {
        "attributes": pd.DataFrame(
            {
                "id": attributes["attribute_no"].astype(int),
                "crmId": attributes["contact_no"],
                "mail": attributes["email"],
                "topic": attributes["group"],
                "attribute": attributes["name"],
                "value": attributes["value"],
                "source": texts(["Datenhaus West"] * len(attributes)),
                "licence": texts(["single campaign use"] * len(attributes)),
                "seen": iso_moments(attributes["observed_at"]),
            }
        )
    }
