"""The newsletter tool: campaigns, their steps, what became of every message, and its own list of permissions.

Campaigns, steps and permissions are exported as UTF-8 CSV, messages as Parquet. The tool knows people by mailbox; some
messages also carry the CRM's number. Add here what the tool knows; the campaigns and their effect are in `campaigns`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipelines.sample.campaigns import CAMPAIGNS
from pipelines.sample.chance import Array, Calendar, Chance, Random, numbers_as_texts, pick, texts
from pipelines.sample.mail_order import MailOrder
from pipelines.sample.noise import Rates, apply_noises
from pipelines.sample.writing import Csv, Parquet, formatted, iso_moments

OPENED_SHARE, CLICKED_SHARE = 0.34, 0.22  # of the delivered, of the opened
NUMBER_SHARE = 0.6  # of the messages carry the CRM's number
CONTROLLER, MAIL_ORDER_CONTROLLER = "Beispiel Handels GmbH", "Nordhaus Versand GmbH"
MAIL_ORDER_OPT_IN_SHARE = 0.35
FORMAT = Csv(delimiter=",", encoding="utf-8", line_end="\n")
TOUCHES_FORMAT = Parquet()


@dataclass(frozen=True)
class Newsletter:
    """`sendings`: one row per message with its fate; `touches`: one row per thing that happened to a message."""

    sendings: pd.DataFrame
    touches: pd.DataFrame
    permissions: pd.DataFrame


def send_newsletters(
    contacts: pd.DataFrame,
    invitations: pd.DataFrame,
    persons: pd.DataFrame,
    mail_order: MailOrder,
    calendar: Calendar,
    chance: Chance,
    rates: Rates,
) -> Newsletter:
    """Everything the tool knows on the day before as_of."""
    random = chance.stream("sendings")
    sendings = address(contacts, invitations, persons)
    start = np.array([c.days_ago for c in CAMPAIGNS])[sendings["campaign"].to_numpy()]
    sendings["sent_at"] = calendar.moments(np.maximum(start, 1), random)
    sendings["sending_no"] = numbers_as_texts(np.arange(len(sendings)) + chance.number(1), 8)
    sendings["contact_no"] = sendings["contact_no"].where(random.random(len(sendings)) < NUMBER_SHARE)
    sendings = sendings.assign(
        bounce=texts([None] * len(sendings)), is_machine=False, unsubscribes=False, complains=False
    )
    sendings = apply_noises(sendings, "sendings", rates, chance)
    return Newsletter(
        sendings,
        follow_messages(sendings, random),
        list_permissions(sendings, mail_order, calendar, chance),
    )


def address(contacts: pd.DataFrame, invitations: pd.DataFrame, persons: pd.DataFrame) -> pd.DataFrame:
    """One row per message: campaign, mailbox and number of the person's first record in the CRM, controls left out."""
    first = contacts[(contacts["copy_of"] < 0) & contacts["email"].notna()].drop_duplicates("person")
    place = pd.Series(np.arange(len(first)), index=first["person"])
    row = pick(persons["person"], invitations["row"].to_numpy()).map(place).to_numpy(dtype=float)
    sent = ~np.isnan(row) & ~invitations["is_control"].to_numpy()
    at = row[sent].astype(int)
    return pd.DataFrame(
        {
            "campaign": invitations["campaign"].to_numpy()[sent],
            "contact_no": pick(first["record_id"], at),
            "email": pick(first["email"], at),
        }
    )


def follow_messages(sendings: pd.DataFrame, random: Random) -> pd.DataFrame:
    """One row per event of a message by time: sent, bounced or opened, clicked, complained, unsubscribed."""
    count = len(sendings)
    sent = sendings["sent_at"].to_numpy()
    arrived = sendings["bounce"].isna().to_numpy()
    opened = arrived & (random.random(count) < OPENED_SHARE)
    by_machine = arrived & sendings["is_machine"].to_numpy()
    clicked = opened & (random.random(count) < CLICKED_SHARE)
    unsubscribed = arrived & sendings["unsubscribes"].to_numpy()
    complained = arrived & sendings["complains"].to_numpy()
    read = sent + random.integers(300, 5 * 3600, count).astype("timedelta64[s]")
    parts = [
        _events(sendings, np.ones(count, dtype=bool), "sent", sent),
        _events(sendings, ~arrived, "bounced", sent + np.timedelta64(40, "s")),
        _events(sendings, by_machine, "opened", sent + np.timedelta64(3, "s")).assign(is_machine=True),
        _events(sendings, opened, "opened", read),
        _events(sendings, clicked, "clicked", read + np.timedelta64(20, "s")),
        _events(sendings, unsubscribed, "unsubscribed", read + np.timedelta64(60, "s")),
        _events(sendings, complained, "complained", read + np.timedelta64(90, "s")),
    ]
    touches = pd.concat(parts, ignore_index=True)
    return touches.assign(touch_no=touches["sending_no"] + "-" + touches["event"].str.slice(0, 3) + touches["suffix"])


def _events(sendings: pd.DataFrame, chosen: Array, event: str, at: Array) -> pd.DataFrame:
    columns = ["sending_no", "contact_no", "email", "campaign", "bounce"]
    found = sendings.loc[chosen, columns].assign(event=event, is_machine=False, happened_at=at[chosen])
    found["bounce"] = found["bounce"].where(found["event"] == "bounced")
    # A scanner's opening is told from the person's by its second.
    seconds = found["happened_at"].to_numpy() - sendings.loc[chosen, "sent_at"].to_numpy()
    return found.assign(suffix=np.where(seconds == np.timedelta64(3, "s"), "m", ""))


def list_permissions(sendings: pd.DataFrame, mail_order: MailOrder, calendar: Calendar, chance: Chance) -> pd.DataFrame:
    """One row per permission that the tool keeps: opt-ins of the mail-order house, and who left by the link."""
    random = chance.stream("tool permissions")
    customers = mail_order.customers
    asked = customers[(random.random(len(customers)) < MAIL_ORDER_OPT_IN_SHARE) & customers["email"].notna()]
    count = len(asked)
    since = asked["since_days"].to_numpy()
    requested = calendar.moments(np.maximum(since - 1, 1), random)
    confirmed = requested + random.integers(60, 6 * 3600, count).astype("timedelta64[s]")
    is_confirmed = random.random(count) < 0.85
    opt_ins = pd.DataFrame(
        {
            "email": asked["email"].to_numpy(),
            "controller": MAIL_ORDER_CONTROLLER,
            "state": np.where(is_confirmed, "confirmed", "pending"),
            "requested_at": requested,
            "confirmed_at": pd.Series(confirmed).where(is_confirmed).to_numpy(),
            "ip": "203.0.113." + numbers_as_texts(random.integers(1, 255, count)),
        }
    )
    gone = sendings[(sendings["unsubscribes"] | sendings["complains"]) & sendings["bounce"].isna()]
    left = pd.DataFrame(
        {
            "email": gone["email"].to_numpy(),
            "contact_no": gone["contact_no"].to_numpy(),
            "controller": CONTROLLER,
            "state": "unsubscribed",
            "withdrawn_at": gone["sent_at"].to_numpy() + np.timedelta64(6, "h"),
        }
    )
    found = pd.concat([opt_ins, left], ignore_index=True)
    return found.assign(permission_no="O" + numbers_as_texts(np.arange(len(found)) + chance.number(1), 6))


def export_newsletter(newsletter: Newsletter) -> dict[str, pd.DataFrame]:
    """What the tool exports about people: messages with codes for campaigns, and permissions as text."""
    touches, permissions = newsletter.touches, newsletter.permissions
    number = texts([c.record_id for c in CAMPAIGNS])
    variant = texts(["B" if c.variant_of else "A" for c in CAMPAIGNS])
    campaign = touches["campaign"].to_numpy()
    return {
        "messages": pd.DataFrame(
            {
                "event_id": touches["touch_no"],
                "message_id": touches["sending_no"],
                "mailing": pick(number, campaign),
                "variant": pick(variant, campaign),
                "recipient": touches["email"],
                "crm_no": touches["contact_no"],
                "event": touches["event"],
                "bounce": touches["bounce"],
                "by_machine": touches["is_machine"],
                "at": touches["happened_at"],
            }
        ),
        "optins": pd.DataFrame(
            {
                "id": permissions["permission_no"],
                "mail": permissions["email"],
                "crm_no": permissions["contact_no"],
                "list_owner": permissions["controller"],
                "state": permissions["state"],
                "requested": iso_moments(permissions["requested_at"]),
                "confirmed": iso_moments(permissions["confirmed_at"]),
                "unsubscribed": iso_moments(permissions["withdrawn_at"]),
                "proof": permissions["ip"],
            }
        ),
    }


def export_campaigns(calendar: Calendar) -> dict[str, pd.DataFrame]:
    """The campaigns and their steps, which are the same for all people."""
    start = pd.Series(calendar.days(np.array([c.days_ago for c in CAMPAIGNS])).astype("datetime64[s]"))
    steps = [(c.record_id, number, step) for c in CAMPAIGNS for number, step in enumerate(c.steps, start=1)]
    return {
        "mailings": pd.DataFrame(
            {
                "id": texts([c.record_id for c in CAMPAIGNS]),
                "title": texts([c.name for c in CAMPAIGNS]),
                "class": texts([c.klass for c in CAMPAIGNS]),
                "starts": formatted(start, "%Y-%m-%d"),
                "ends": formatted(start + pd.Timedelta(days=1), "%Y-%m-%d"),
                "budget": texts([f"{2000 + 250 * n}.00" for n in range(len(CAMPAIGNS))]),
                "costs": texts([f"{1800 + 260 * n}.50" for n in range(len(CAMPAIGNS))]),
                "advertises": texts([c.advertises for c in CAMPAIGNS]),
                "variant_of": texts([c.variant_of for c in CAMPAIGNS]),
            }
        ),
        "mailing_steps": pd.DataFrame(
            {
                "id": texts([f"{record_id}-{number}" for record_id, number, _ in steps]),
                "mailing": texts([record_id for record_id, _, _ in steps]),
                "no": texts([str(number) for _, number, _ in steps]),
                "title": texts([step for _, _, step in steps]),
                "goal": texts(["order"] * len(steps)),
            }
        ),
    }
