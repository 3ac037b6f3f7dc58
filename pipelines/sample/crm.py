"""The CRM: contacts, companies, contact methods, permissions and what `sales` knows; exported as German CSV in cp1252.

Add here what the CRM knows and how it words it. Spoiled values are noise, not part of this module.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipelines.sample.chance import Array, Calendar, Chance, Random, draw, draw_texts, numbers_as_texts, pick, texts
from pipelines.sample.fates import name_first_records
from pipelines.sample.noise import Rates, apply_noises
from pipelines.sample.persons import add_addresses
from pipelines.sample.records import add_lifetimes, blank_records, keep_records, later
from pipelines.sample.sales import Sales, export_sales, keep_sales
from pipelines.sample.shop import Shop
from pipelines.sample.writing import german_amounts, german_moments, yes_or_no

# What became of the question whether we may write e-mails, as shares of the contacts with a mailbox.
EMAIL_ANSWERS = {
    "confirmed": 0.58,
    "unconfirmed": 0.04,  # given without the confirming click
    "withdrawn": 0.08,
    "existing_customer": 0.12,  # only for people with an order
    "objection": 0.03,
    "none": 0.15,
}
PHONE_CONSENT_SHARE = 0.15
POST_OBJECTION_SHARE = 0.04
NOTICE_SHARE = 0.92  # of existing customers who were told that they may object
COMPANY_NUMBER_SHARES = {"vat_id": 0.6, "register_number": 0.4}  # of the first records of companies


@dataclass(frozen=True)
class Crm:
    contacts: pd.DataFrame
    companies: pd.DataFrame
    permissions: pd.DataFrame
    methods: pd.DataFrame
    sales: Sales


def keep_crm(
    persons: pd.DataFrame, companies: pd.DataFrame, shop: Shop, calendar: Calendar, chance: Chance, rates: Rates
) -> Crm:
    """Everything the CRM knows on the day before as_of."""
    contacts = keep_records(persons[persons["in_crm"]], "crm", "K-", 10_001, calendar, chance, rates)
    random = chance.stream("contacts")
    contacts["first_record"] = name_first_records(contacts)
    contacts = add_role_mailboxes(contacts, companies, calendar, chance, random)
    companies = keep_companies(companies, calendar, chance, rates)
    contacts["company"] = choose_company_records(contacts["company"].to_numpy(), companies, chance)
    remarks = draw_texts(random, ["Rückruf gewünscht", "Katalog gewünscht"], len(contacts))
    contacts["remark"] = remarks.where(random.random(len(contacts)) < 0.1)
    contacts["deleted_at"] = np.datetime64("NaT", "s")
    contacts["merged_into"] = texts([None] * len(contacts))
    contacts = apply_noises(contacts, "merging", rates, chance)
    answers = draw_answers(contacts, shop, chance.stream("answers"))
    answers = apply_noises(answers, "permissions", rates, chance)
    contacts["noises"] = contacts["noises"].to_numpy() | answers["noises"].to_numpy()
    permissions = ask_permissions(contacts, answers, shop, calendar, chance)
    is_buyer = contacts["person"].isin(shop.orders["person"].unique())
    contacts["stage"] = draw_texts(random, ["Interessent", "Lead"], len(contacts)).mask(is_buyer, "Kunde")
    contacts["lead_source"] = draw_texts(random, ["Messe", "Webformular", "Empfehlung", "Katalog"], len(contacts))
    methods = list_contact_methods(contacts, chance)
    return Crm(contacts, companies, permissions, methods, keep_sales(contacts, companies, calendar, chance))


def keep_companies(companies: pd.DataFrame, calendar: Calendar, chance: Chance, rates: Rates) -> pd.DataFrame:
    """The CRM's records of companies: the first of each in the order of the companies, then second ones.

    `firm` is the row of the company itself.
    """
    records = companies.assign(firm=np.arange(len(companies)))
    random = chance.stream("company records")
    for name, share in COMPANY_NUMBER_SHARES.items():
        records[name] = records[name].where(random.random(len(records)) < share)
    records = apply_noises(records, "companies", rates, chance)
    more = records.iloc[len(companies) :].reset_index(drop=True)
    more["record_id"] = "F-" + numbers_as_texts(np.arange(len(companies), len(records)) + chance.number(1), 5)
    add_lifetimes(more, calendar, random)
    return pd.concat([records.iloc[: len(companies)], more], ignore_index=True) if len(more) else records


def choose_company_records(company: Array, records: pd.DataFrame, chance: Chance) -> Array:
    """The row of a record of each contact's company, -1 where there is none: half name its second record."""
    first = company[company >= 0]
    rows = np.arange(len(records))
    second = pd.Series(rows, index=records["firm"])[records["firm"].duplicated().to_numpy()].groupby(level=0).first()
    named = second.reindex(first).to_numpy()
    is_second = ~np.isnan(named) & (chance.stream("named companies").random(len(first)) < 0.5)
    found = company.copy()
    found[company >= 0] = np.where(is_second, np.nan_to_num(named), first).astype(int)
    return found


def add_role_mailboxes(
    contacts: pd.DataFrame, companies: pd.DataFrame, calendar: Calendar, chance: Chance, random: Random
) -> pd.DataFrame:
    """Companies whose info@ mailbox is a contact of its own, without a person's name."""
    held = companies[companies["has_role_mailbox"]]
    mailboxes = blank_records(held[["street_name", "house_number", "postal_code", "city", "since_days"]])
    # A mailbox is nobody: below zero, by the number of its company.
    mailboxes["person"] = -held["record_id"].str.slice(2).astype(int).to_numpy()
    mailboxes["email"] = "info@" + texts(held["domain"])
    mailboxes["company"] = held.index
    mailboxes["former_company"] = -1
    mailboxes["noises"] = np.zeros(len(held), dtype=np.uint64)
    mailboxes["is_deceased"] = mailboxes["is_employee"] = False
    mailboxes["record_id"] = "K-" + numbers_as_texts(np.arange(len(held)) + chance.number(10_001) + len(contacts))
    add_lifetimes(mailboxes, calendar, random)
    both = pd.concat([contacts, mailboxes], ignore_index=True) if len(held) else contacts
    return both.assign(
        company=both["company"].astype(int),
        person=both["person"].astype(int),
        **{n: both[n].astype(bool) for n in ("is_deceased", "is_employee")},
    )


def ask_permissions(
    contacts: pd.DataFrame, answers: pd.DataFrame, shop: Shop, calendar: Calendar, chance: Chance
) -> pd.DataFrame:
    """One row per permission or objection: contact, channel, kind, status in the CRM's words, and when.

    `asked_at` and what follows is on one day; withdrawals come later.
    """
    random = chance.stream("permissions")
    latest = find_latest_sales(shop)
    answer = answers["answer"].to_numpy(dtype=object)
    email = _permissions(contacts, "E-Mail", answer, contacts["email"].notna().to_numpy() & (answer != "none"))
    order = contacts["person"].map(latest["order_no"])
    email["order_no"] = pick(order, email["contact"].to_numpy()).where(email["answer"] == "existing_customer")
    email["order_days"] = pick(contacts["person"].map(latest["days_ago"]), email["contact"].to_numpy())
    email["noises"] = answers["noises"].to_numpy()[email["contact"].to_numpy()]
    before: pd.DataFrame = email[answers["has_objected_before"].to_numpy()[email["contact"].to_numpy()]]
    before = before.assign(answer="objection", named="own", consent=before.index)
    withdraws = answers["withdraws_second"].to_numpy()
    second = _permissions(contacts, "E-Mail", np.full(len(contacts), "withdrawn", dtype=object), withdraws)
    second = second.assign(named="second", noises=answers["noises"].to_numpy()[withdraws])
    has_number = contacts["mobile"].fillna(contacts["phone"]).notna().to_numpy()
    asked = has_number & (random.random(len(contacts)) < PHONE_CONSENT_SHARE)
    phone = _permissions(contacts, "Telefon", draw(random, ["unconfirmed", "withdrawn"], len(contacts), [4, 1]), asked)
    objected = random.random(len(contacts)) < POST_OBJECTION_SHARE
    post = _permissions(contacts, "Post", np.full(len(contacts), "objection", dtype=object), objected)
    permissions = pd.concat([email, phone, post, second, before], ignore_index=True)
    permissions["noises"] = permissions["noises"].fillna(0).astype(np.uint64)
    _word(permissions, random)
    _date(permissions, calendar, random)
    _name_contact_point(permissions, contacts, random)
    permissions["permission_no"] = "E-" + numbers_as_texts(np.arange(len(permissions)) + chance.number(1), 6)
    return permissions


def find_latest_sales(shop: Shop) -> pd.DataFrame:
    """The latest order of every person with an account, by person."""
    sales = shop.orders[shop.orders["customer_no"].notna() & shop.orders["cancelled_at"].isna()]
    return sales.drop_duplicates("person", keep="last").set_index("person")


def draw_answers(contacts: pd.DataFrame, shop: Shop, random: Random) -> pd.DataFrame:
    """One row per contact: what became of the question whether we may write e-mails, one of `EMAIL_ANSWERS`.

    People who were among the best customers and lapsed have answered: most agreed, some of them withdrew, so that
    winning them back is a real question.
    """
    lapsed_best = shop.lapsed_best
    answer = draw(random, list(EMAIL_ANSWERS), len(contacts), list(EMAIL_ANSWERS.values()))
    rank = contacts["person"].map(pd.Series(np.arange(len(lapsed_best)), index=lapsed_best)).to_numpy(dtype=float)
    answer[rank % 2 == 0] = "confirmed"
    answer[rank % 12 == 0] = "withdrawn"
    buys = contacts["person"].isin(find_latest_sales(shop).index).to_numpy()
    answer[(answer == "existing_customer") & ~buys] = "none"
    return pd.DataFrame(
        {
            "answer": texts(answer),
            "email": contacts["email"],
            "second_email": contacts["second_email"],
            "buys": buys & ~(rank >= 0),
            "has_objected_before": False,
            "withdraws_second": False,
        }
    )


def _permissions(contacts: pd.DataFrame, channel: str, answer: Array, chosen: Array) -> pd.DataFrame:
    rows = np.flatnonzero(chosen)
    found = pd.DataFrame({"contact": rows, "channel": channel, "answer": texts(answer[rows])})
    found["contact_no"] = pick(contacts["record_id"], rows)
    found["named"] = texts([None] * len(rows))
    found["consent"] = -1
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
    method = draw_texts(random, ["Webformular", "Bestellung", "Telefonat"], len(permissions), [7, 2, 1])
    permissions["method"] = method.mask(answer == "existing_customer", "Bestellung")
    permissions["wording"] = draw_texts(random, ["2023-05", "2024-11"], len(permissions)).where(
        permissions["kind"] == "Einwilligung"
    )


def _date(permissions: pd.DataFrame, calendar: Calendar, random: Random) -> None:
    answer = permissions["answer"]
    days = later(permissions["since_days"].to_numpy(), random)
    sold = (answer == "existing_customer").to_numpy()
    days = np.where(sold, permissions["order_days"].fillna(1).to_numpy(), days).astype(int)
    count = len(permissions)
    asked = calendar.moments(days, random)
    # Who objected first did so a month before the consent; both stand for one mailbox.
    consent = permissions["consent"].to_numpy()
    asked = np.where(consent >= 0, asked[consent] - np.timedelta64(30, "D"), asked)
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
    named = permissions["named"].notna().to_numpy() | (random.random(len(permissions)) < 0.8)
    rows = permissions["contact"].to_numpy()
    for column, values, channel in (
        ("email", contacts["email"], "E-Mail"),
        ("phone", contacts["mobile"].fillna(contacts["phone"]), "Telefon"),
    ):
        own = pick(values, rows)
        permissions[column] = own.where(named & (permissions["channel"] == channel))
    is_second = permissions["named"] == "second"
    permissions["email"] = permissions["email"].mask(is_second, pick(contacts["second_email"], rows))


def list_contact_methods(contacts: pd.DataFrame, chance: Chance) -> pd.DataFrame:
    """One row per further way to reach a contact: second mailboxes, former addresses, numbers that are out of use."""
    random = chance.stream("contact_methods")
    count = len(contacts)
    second = contacts[(random.random(count) < 0.3) & contacts["second_email"].notna()]
    mailboxes = pd.DataFrame({"contact_no": second["record_id"], "kind": "E-Mail", "value": second["second_email"]})
    mailboxes["valid_from"] = second["created_at"]
    mailboxes["is_undeliverable"] = random.random(len(second)) < 0.1
    moved = contacts[random.random(count) < 0.05]
    former = pd.DataFrame({"contact_no": moved["record_id"].reset_index(drop=True), "kind": "Anschrift"})
    add_addresses(former, random)
    former["valid_from"] = moved["created_at"].to_numpy() - np.timedelta64(400, "D")
    former["valid_until"] = moved["created_at"].to_numpy()
    own = contacts[(random.random(count) < 0.1) & contacts["mobile"].notna()]
    numbers = pd.DataFrame({"contact_no": own["record_id"], "kind": "Mobil", "value": own["mobile"]})
    numbers = numbers.assign(valid_from=own["created_at"], is_verified=True, is_primary=True)
    methods = pd.concat([mailboxes, former, numbers], ignore_index=True)
    for name in ("is_undeliverable", "is_verified", "is_primary"):
        methods[name] = np.where(methods[name].eq(True), "ja", "nein")
    methods["method_no"] = "A-" + numbers_as_texts(np.arange(len(methods)) + chance.number(1), 6)
    return methods


def export_crm(crm: Crm) -> dict[str, pd.DataFrame]:
    """The CRM's own tables with the CRM's own column names, everything as text."""
    contacts, companies, permissions = crm.contacts, crm.companies, crm.permissions
    company = contacts["company"].to_numpy()
    methods = crm.methods
    return {
        **export_sales(crm.sales),
        "contact_methods": pd.DataFrame(
            {
                "Nr": methods["method_no"],
                "Kontakt-Nr": methods["contact_no"],
                "Art": methods["kind"],
                "Wert": methods["value"],
                "Straße": methods["street_name"] + " " + methods["house_number"],
                "PLZ": methods["postal_code"],
                "Ort": methods["city"],
                "Hauptkontakt": methods["is_primary"],
                "Geprüft": methods["is_verified"],
                "Unzustellbar": methods["is_undeliverable"],
                "Gültig ab": german_moments(methods["valid_from"]),
                "Gültig bis": german_moments(methods["valid_until"]),
            }
        ),
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
                "Firmen-Nr": texts(companies["record_id"].reindex(company)),
                "Firma": texts(companies["name"].reindex(company)),
                "Position": contacts["job_title"],
                "Status": contacts["stage"],
                "Herkunft": contacts["lead_source"],
                "Kundenkarte": contacts["loyalty_number"],
                "Interesse": contacts["interest"],
                "Bemerkung": contacts["remark"],
                "Verstorben": yes_or_no(contacts["is_deceased"]),
                "Mitarbeiterin": yes_or_no(contacts["is_employee"]),
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
                "Domain": companies["website"],
                "USt-IdNr": companies["vat_id"],
                "Registernummer": companies["register_number"],
                "Straße": companies["street_name"] + " " + companies["house_number"],
                "PLZ": companies["postal_code"],
                "Ort": companies["city"],
                "Branche": companies["industry"],
                "Mitarbeiter": companies["employee_count"].astype("str"),
                "Jahresumsatz": german_amounts(companies["revenue"]),
                "Schlüsselkunde": yes_or_no(companies["is_key_account"]),
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
