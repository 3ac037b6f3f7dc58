"""The whole sample company, one chunk of its people at a time, and the truth, ready to be written.

Add a system here. What a system knows belongs to its own module, and how it is written to `writing`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from pipelines.sample import crm, enrichment, erp, mail_order, marketplace, newsletter, shop, support, tills, web
from pipelines.sample.campaigns import describe_effects, invite
from pipelines.sample.chance import Calendar, Chance, numbers_as_texts, pick, texts
from pipelines.sample.companies import create_companies, employ_persons
from pipelines.sample.crm import Crm
from pipelines.sample.mail_order import MailOrder
from pipelines.sample.marketplace import Marketplace
from pipelines.sample.newsletter import Newsletter
from pipelines.sample.noise import Rates, apply_noises, list_noises
from pipelines.sample.persons import create_persons
from pipelines.sample.shop import Shop
from pipelines.sample.support import Support
from pipelines.sample.tills import Tills
from pipelines.sample.writing import GERMAN, Format, Parquet

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# The folder, ending and format of each system's files; `newsletter` writes its messages in a format of their own.
FORMATS: dict[str, tuple[str, Format]] = {
    "crm": ("csv", GERMAN),
    "shop": ("parquet", shop.FORMAT),
    "support": ("jsonl", support.FORMAT),
    "mail_order": ("csv", mail_order.FORMAT),
    "tills": ("csv", tills.FORMAT),
    "marketplace": ("jsonl", marketplace.FORMAT),
    "newsletter": ("csv", newsletter.FORMAT),
    "web": ("parquet", web.FORMAT),
    "erp": ("csv", erp.FORMAT),
    "enrichment": ("jsonl", enrichment.FORMAT),
    "truth": ("parquet", Parquet()),
}
OWN_FORMATS: dict[str, tuple[str, Format]] = {"newsletter/messages": ("parquet", newsletter.TOUCHES_FORMAT)}
# Files that are the same for all people: the first chunk writes them.
SHARED_FILES = frozenset({"shop/products", "mail_order/artikel", "truth/campaigns"})

Tables = dict[str, pd.DataFrame]


@dataclass(frozen=True)
class Systems:
    """What every system knows about a chunk of people."""

    shop: Shop
    mail_order: MailOrder
    tills: Tills
    marketplace: Marketplace
    crm: Crm
    support: Support
    newsletter: Newsletter
    events: pd.DataFrame
    invoices: pd.DataFrame
    attributes: pd.DataFrame
    homes: pd.DataFrame


def create_company(customers: int, calendar: Calendar, chance: Chance, rates: Rates) -> Tables:
    """Every table of a chunk of that many real people, by `folder/name`: what the systems export, and the truth."""
    systems = run_systems(customers, calendar, chance, rates)
    return {**export_systems(systems, calendar), **tell_truth(systems, calendar)}


def run_systems(customers: int, calendar: Calendar, chance: Chance, rates: Rates) -> Systems:
    """All that happened to a chunk of that many real people until the day before as_of."""
    companies = apply_noises(create_companies(customers, calendar, chance), "firms", rates, chance)
    persons = employ_persons(create_persons(customers, calendar, chance), companies, chance)
    persons = apply_noises(persons, "persons", rates, chance)
    invitations = invite(persons, chance)
    house = shop.open_shop(persons, invitations, calendar, chance, rates)
    bought = mail_order.open_mail_order(persons, companies, calendar, chance, rates)
    branches = tills.open_tills(persons, house.products, calendar, chance, rates)
    market = marketplace.open_marketplace(persons, house.products, calendar, chance, rates)
    register = crm.keep_crm(persons, companies, house, calendar, chance, rates)
    desk = support.keep_support(persons, house, calendar, chance, rates)
    letters = newsletter.send_newsletters(register.contacts, invitations, persons, bought, calendar, chance, rates)
    return Systems(
        shop=house,
        mail_order=bought,
        tills=branches,
        marketplace=market,
        crm=register,
        support=desk,
        newsletter=letters,
        events=web.measure(house, calendar, chance),
        invoices=erp.write_invoices(house, calendar, chance),
        attributes=enrichment.buy_attributes(register.contacts, calendar, chance),
        homes=pd.DataFrame({"person": _name_persons(persons["person"]), "home": persons["home"]}),
    )


def export_systems(systems: Systems, calendar: Calendar) -> Tables:
    """Every table by `folder/name`, as its system exports it."""
    exports = {
        "crm": crm.export_crm(systems.crm),
        "shop": shop.export_shop(systems.shop),
        "support": support.export_support(systems.support),
        "mail_order": mail_order.export_mail_order(systems.mail_order),
        "tills": tills.export_tills(systems.tills),
        "marketplace": marketplace.export_marketplace(systems.marketplace),
        "newsletter": {**newsletter.export_newsletter(systems.newsletter), **newsletter.export_campaigns(calendar)},
        "web": web.export_web(systems.events),
        "erp": erp.export_erp(systems.invoices),
        "enrichment": enrichment.export_attributes(systems.attributes),
    }
    return {f"{system}/{name}": table for system, export in exports.items() for name, table in export.items()}


def tell_truth(systems: Systems, calendar: Calendar) -> Tables:
    """`truth/persons` says who every person record is, `truth/accounts` which company a company record is,
    `truth/homes` who lives together, `truth/noises` what went wrong with a record, `truth/campaigns` what the
    campaigns did.
    """
    house, market = systems.shop, systems.marketplace
    is_guest = house.orders["is_guest"] & house.orders["email"].fillna(house.orders["tel"]).notna()
    known_buyers = market.orders["email"].fillna(market.orders["phone"]).fillna(market.orders["mobile"]).notna()
    records = [
        ("crm", "contacts", systems.crm.contacts, "record_id"),
        ("shop", "customers", house.customers, "record_id"),
        ("shop", "orders", house.orders[is_guest], "order_no"),
        ("support", "users", systems.support.users, "record_id"),
        ("mail_order", "customers", systems.mail_order.customers, "record_id"),
        ("tills", "customers", systems.tills.cards, "record_id"),
        ("marketplace", "orders", market.orders[known_buyers], "order_no"),
    ]
    others = [
        ("shop", "orders", house.orders[~is_guest], "order_no"),
        ("shop", "returns", house.returns, "return_no"),
        ("mail_order", "orders", systems.mail_order.orders, "order_no"),
        ("mail_order", "returns", systems.mail_order.returns, "return_no"),
        ("crm", "companies", systems.crm.companies, "record_id"),
        ("crm", "permissions", systems.crm.permissions, "permission_no"),
        ("support", "tickets", systems.support.tickets, "ticket_no"),
        ("newsletter", "messages", systems.newsletter.sendings, "sending_no"),
    ]
    return {
        "truth/persons": pd.concat([_persons(*record) for record in records], ignore_index=True),
        "truth/accounts": _companies(systems.crm.companies),
        "truth/homes": systems.homes,
        "truth/noises": pd.concat([_noises(*record) for record in records + others], ignore_index=True),
        "truth/campaigns": describe_effects(calendar),
    }


def _persons(source: str, entity: str, records: pd.DataFrame, record_id: str) -> pd.DataFrame:
    named = {"source_system": source, "entity": entity}
    found = records[[record_id, "person"]].rename(columns={record_id: "source_record_id"})
    return _labelled(found.assign(person=_name_persons(found["person"]).to_numpy()), named)


def _name_persons(numbers: pd.Series[int]) -> pd.Series[str]:
    """People are p and their number, mailboxes of companies m."""
    number = numbers.to_numpy()
    letter = texts(["p", "m"]).take((number < 0).astype(int)).reset_index(drop=True)
    return letter + numbers_as_texts(abs(number), 7)


def _companies(records: pd.DataFrame) -> pd.DataFrame:
    """Which company every company record is: each is named by its first record."""
    found = pd.DataFrame({"source_record_id": records["record_id"]})
    return _labelled(
        found.assign(company=pick(records["record_id"], records["firm"].to_numpy()).to_numpy()),
        {"source_system": "crm", "entity": "companies"},
    )


def _noises(source: str, entity: str, records: pd.DataFrame, record_id: str) -> pd.DataFrame:
    return _labelled(list_noises(records, record_id), {"source_system": source, "entity": entity})


def _labelled(rows: pd.DataFrame, labels: dict[str, str]) -> pd.DataFrame:
    """The rows with constant text columns before them."""
    found = {name: texts([text] * len(rows)) for name, text in labels.items()}
    return pd.DataFrame(found).join(rows.reset_index(drop=True))


def write_tables(tables: Tables, folder: Path, engine: DuckDBPyConnection, *, is_first: bool) -> dict[str, int]:
    """Write a chunk's tables with the engine below `folder`, which exists; return the number of rows by file.

    Only the first chunk writes header lines and the files that all chunks have in common.
    """
    rows = {}
    for name, table in tables.items():
        is_shared = name in SHARED_FILES or name.startswith("newsletter/mailing")
        if is_shared and not is_first:
            continue
        ending, form = OWN_FORMATS.get(name) or FORMATS[name.split("/")[0]]
        file = folder / f"{name}.{ending}"
        file.parent.mkdir(exist_ok=True)
        form.write(table, file, engine, has_header=is_first)
        rows[f"{name}.{ending}"] = len(table)
    return rows
