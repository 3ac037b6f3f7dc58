"""The CRM: contacts, companies and permissions; exported as German CSV in Windows-1252.

Add here what the CRM knows and how it words it. Spoiled values are noise, not part of this module.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipelines.sample.chance import Array, Calendar, Chance, Random, draw, numbers_as_texts, texts
from pipelines.sample.noise import Rates
from pipelines.sample.records import add_lifetimes, blank_records, keep_records, later
from pipelines.sample.shop import Shop
from pipelines.sample.writing import german_amounts, german_moments

DELETED_SHARE = 0.01
MERGED_SHARE = 0.10  # of the second records of a person
# What became of the question whether we may write e-mails, as shares of the contacts with a mailbox.
EMAIL_ANSWERS = {
    "confirmed": 0.44,
    "unconfirmed": 0.04,  # given without the confirming click
    "requested": 0.06,
    "withdrawn": 0.08,
    "existing_customer": 0.12,  # only for people with an order
    "objection": 0.03,
    "none": 0.23,
}
PHONE_CONSENT_SHARE = 0.15
POST_OBJECTION_SHARE = 0.04
NOTICE_SHARE = 0.92  # of existing customers who were told that they may object


@dataclass(frozen=True)
class Crm:
    contacts: pd.DataFrame
    companies: pd.DataFrame
    permissions: pd.DataFrame


def keep_crm(
    persons: pd.DataFrame, companies: pd.DataFrame, shop: Shop, calendar: Calendar, chance: Chance, rates: Rates
) -> Crm:
    """Everything the CRM knows on the day before as_of."""
    contacts = keep_records(persons[persons["in_crm"]], "crm", "K-", 10_001, calendar, chance, rates)
    random = chance.stream("contacts")
    mend_some(contacts, random)
    contacts = add_role_mailboxes(contacts, companies, calendar, random)
    permissions = ask_permissions(contacts, shop, calendar, chance.stream("permissions"))
    buyers = set(shop.orders["person"])
    stage = np.where(contacts["person"].isin(buyers), "Kunde", draw(random, ["Interessent", "Lead"], len(contacts)))
    contacts["stage"] = texts(stage)
    contacts["lead_source"] = texts(draw(random, ["Messe", "Webformular", "Empfehlung", "Katalog"], len(contacts)))
    contacts["remark"] = texts(draw(random, ["", "Rückruf gewünscht", "Katalog gewünscht"], len(contacts), [90, 5, 5]))
    return Crm(contacts, companies, permissions)


def mend_some(contacts: pd.DataFrame, random: Random) -> None:
    """Some contacts were deleted; some second records were merged into the first by the CRM's own staff."""
    deleted = random.random(len(contacts)) < DELETED_SHARE
    contacts["deleted_at"] = contacts["updated_at"].where(deleted)
    copy_of = contacts["copy_of"].to_numpy()
    merged = (copy_of >= 0) & (random.random(len(contacts)) < MERGED_SHARE)
    target = contacts["record_id"].to_numpy(dtype=object)[np.where(merged, copy_of, 0)]
    contacts["merged_into"] = texts(target).where(merged)


def add_role_mailboxes(
    contacts: pd.DataFrame, companies: pd.DataFrame, calendar: Calendar, random: Random
) -> pd.DataFrame:
    """Companies whose info@ mailbox is a contact of its own, without a person's name."""
    held = companies[companies["has_role_mailbox"]]
    mailboxes = blank_records(held[["street_name", "house_number", "postal_code", "city", "since_days"]])
    mailboxes["person"] = "m" + numbers_as_texts(held.index.to_numpy(), 7)
    mailboxes["email"] = "info@" + texts(held["domain"])
    mailboxes["company"] = held.index
    mailboxes["record_id"] = "K-" + numbers_as_texts(np.arange(len(held)) + 10_001 + len(contacts))
    add_lifetimes(mailboxes, calendar, random)
    both = pd.concat([contacts, mailboxes], ignore_index=True) if len(held) else contacts
    return both.assign(company=both["company"].astype(int))


def ask_permissions(contacts: pd.DataFrame, shop: Shop, calendar: Calendar, random: Random) -> pd.DataFrame:
    """One row per permission or objection: contact, channel, kind, status in the CRM's words, and when.

    `asked_at` and what follows is on one day; withdrawals come later. People who were among the best customers
    and lapsed have answered: most agreed, some of them withdrew, so that winning them back is a real question.
    """
    answers = list(EMAIL_ANSWERS)
    answer = draw(random, answers, len(contacts), list(EMAIL_ANSWERS.values()))
    rank = (
        contacts["person"]
        .map(pd.Series(np.arange(len(shop.lapsed_best)), index=shop.lapsed_best))
        .to_numpy(dtype=float)
    )
    answer[rank % 2 == 0] = "confirmed"
    answer[rank % 12 == 0] = "withdrawn"
    known_orders = shop.orders[shop.orders["customer_no"].notna() & shop.orders["cancelled_at"].isna()]
    latest = known_orders.drop_duplicates("person", keep="last").set_index("person")
    order = contacts["person"].map(latest["order_no"])
    answer[(answer == "existing_customer") & order.isna().to_numpy()] = "none"
    email = _permissions(contacts, "E-Mail", answer, contacts["email"].notna().to_numpy() & (answer != "none"))
    email["order_no"] = order.iloc[email["contact"]].to_numpy(dtype=object)
    email["order_no"] = email["order_no"].where(email["answer"] == "existing_customer")
    email["order_days"] = contacts["person"].map(latest["days_ago"]).iloc[email["contact"]].to_numpy()
    has_number = contacts["mobile"].fillna(contacts["phone"]).notna().to_numpy()
    asked = has_number & (random.random(len(contacts)) < PHONE_CONSENT_SHARE)
    phone = _permissions(contacts, "Telefon", draw(random, ["unconfirmed", "withdrawn"], len(contacts), [4, 1]), asked)
    objected = random.random(len(contacts)) < POST_OBJECTION_SHARE
    post = _permissions(contacts, "Post", np.full(len(contacts), "objection", dtype=object), objected)
    permissions = pd.concat([email, phone, post], ignore_index=True)
    _word(permissions, random)
    _date(permissions, calendar, random)
    _name_contact_point(permissions, contacts, random)
    permissions["permission_no"] = "E-" + numbers_as_texts(np.arange(len(permissions)) + 1, 6)
    return permissions


def _permissions(contacts: pd.DataFrame, channel: str, answer: Array, chosen: Array) -> pd.DataFrame:
    rows = np.flatnonzero(chosen)
    found = pd.DataFrame({"contact": rows, "channel": channel, "answer": texts(answer[rows])})
    found["contact_no"] = contacts["record_id"].to_numpy(dtype=object)[rows]
    found["since_days"] = contacts["since_days"].to_numpy()[rows]
    return found


def _word(permissions: pd.DataFrame, random: Random) -> None:
    """Kind and status in the CRM's own words."""
    answer = permissions["answer"]
    permissions["kind"] = answer.map({"existing_customer": "Bestandskunde", "objection": "Widerspruch"}).fillna(
        "Einwilligung"
    )
    permissions["status"] = answer.map({"requested": "angefragt", "withdrawn": "widerrufen"}).fillna("erteilt")
    told = random.random(len(permissions)) < NOTICE_SHARE
    permissions["notice"] = texts(np.where(told, "ja", "nein")).where(answer == "existing_customer")
    method = texts(draw(random, ["Webformular", "Bestellung", "Telefonat"], len(permissions), [7, 2, 1]))
    permissions["method"] = method.mask(answer == "existing_customer", "Bestellung")
    permissions["wording"] = texts(draw(random, ["2023-05", "2024-11"], len(permissions))).where(
        permissions["kind"] == "Einwilligung"
    )


def _date(permissions: pd.DataFrame, calendar: Calendar, random: Random) -> None:
    answer = permissions["answer"]
    days = later(permissions["since_days"].to_numpy(), random)
    sold = (answer == "existing_customer").to_numpy()
    days = np.where(sold, permissions["order_days"].fillna(1).to_numpy(), days).astype(int)
    count = len(permissions)
    asked = calendar.moments(days, random)
    given = asked + random.integers(10, 600, count).astype("timedelta64[s]")
    confirmed = given + random.integers(60, 3 * 3600, count).astype("timedelta64[s]")
    withdrawn = np.maximum(calendar.moments(later(days, random), random), confirmed + np.timedelta64(30, "m"))
    is_consent = permissions["kind"] == "Einwilligung"
    permissions["asked_at"] = pd.Series(asked).where(is_consent)
    permissions["given_at"] = pd.Series(given).where(answer != "requested")
    double = answer.isin(["confirmed", "withdrawn"]) & (permissions["channel"] == "E-Mail")
    permissions["confirmed_at"] = pd.Series(confirmed).where(double)
    permissions["withdrawn_at"] = pd.Series(withdrawn).where(answer == "withdrawn")


def _name_contact_point(permissions: pd.DataFrame, contacts: pd.DataFrame, random: Random) -> None:
    """Most permissions name the mailbox or number they were given for; the others mean the contact's own."""
    named = random.random(len(permissions)) < 0.8
    rows = permissions["contact"].to_numpy()
    for column, values, channel in (
        ("email", contacts["email"], "E-Mail"),
        ("phone", contacts["mobile"].fillna(contacts["phone"]), "Telefon"),
    ):
        own = texts(values.to_numpy(dtype=object)[rows])
        permissions[column] = own.where(named & (permissions["channel"] == channel))


def export_crm(crm: Crm) -> dict[str, pd.DataFrame]:
    """The CRM's own tables with the CRM's own column names, everything as text."""
    contacts, companies, permissions = crm.contacts, crm.companies, crm.permissions
    company = contacts["company"].to_numpy()
    works = company >= 0
    return {
        "contacts": pd.DataFrame(
            {
                "Kontakt-Nr": contacts["record_id"],
                "Anrede": contacts["salutation"],
                "Titel": contacts["title"],
                "Vorname": contacts["first_name"],
                "Nachname": contacts["last_name"],
                "Name": contacts["full_name"],
                "E-Mail": contacts["email"],
                "Telefon": contacts["phone"],
                "Mobil": contacts["mobile"],
                "Straße": contacts["street_name"] + " " + contacts["house_number"],
                "PLZ": contacts["postal_code"],
                "Ort": contacts["city"],
                "Land": "Deutschland",
                "Geburtsdatum": contacts["birth_date"],
                "Geschlecht": contacts["gender"].map({"female": "w", "male": "m"}),
                "Firmen-Nr": texts(companies["record_id"].to_numpy(dtype=object)[company]).where(works),
                "Firma": texts(companies["name"].to_numpy(dtype=object)[company]).where(works),
                "Position": contacts["job_title"],
                "Status": contacts["stage"],
                "Herkunft": contacts["lead_source"],
                "Kundenkarte": contacts["loyalty_number"],
                "Interesse": contacts["interest"],
                "Bemerkung": contacts["remark"],
                "Angelegt am": german_moments(contacts["created_at"]),
                "Geändert am": german_moments(contacts["updated_at"]),
                "Gelöscht am": german_moments(contacts["deleted_at"]),
                "Aufgegangen in": contacts["merged_into"],
            }
        ),
        "companies": pd.DataFrame(
            {
                "Firmen-Nr": companies["record_id"],
                "Name": companies["name"],
                "Rechtsform": companies["legal_form"],
                "Domain": companies["domain"],
                "Straße": companies["street_name"] + " " + companies["house_number"],
                "PLZ": companies["postal_code"],
                "Ort": companies["city"],
                "Branche": companies["industry"],
                "Mitarbeiter": companies["employee_count"].astype("str"),
                "Jahresumsatz": german_amounts(companies["revenue"]),
                "Schlüsselkunde": texts(np.where(companies["is_key_account"], "ja", "nein")),
                "Angelegt am": german_moments(companies["created_at"]),
                "Geändert am": german_moments(companies["updated_at"]),
            }
        ),
        "permissions": pd.DataFrame(
            {
                "Nr": permissions["permission_no"],
                "Kontakt-Nr": permissions["contact_no"],
                "E-Mail": permissions["email"],
                "Telefon": permissions["phone"],
                "Kanal": permissions["channel"],
                "Art": permissions["kind"],
                "Stand": permissions["status"],
                "Verfahren": permissions["method"],
                "Textfassung": permissions["wording"],
                "Bestell-Nr": permissions["order_no"],
                "Widerspruchshinweis": permissions["notice"],
                "Angefragt am": german_moments(permissions["asked_at"]),
                "Erteilt am": german_moments(permissions["given_at"]),
                "Bestätigt am": german_moments(permissions["confirmed_at"]),
                "Widerrufen am": german_moments(permissions["withdrawn_at"]),
            }
        ),
    }
