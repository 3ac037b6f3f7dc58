"""The whole sample company, one chunk of its people at a time, and the truth, ready to be written.

Add a system here. What a system knows belongs to its own module, and how it is written to `writing`.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from pipelines.sample import crm, enrichment, erp, mail_order, marketplace, newsletter, shop, support, tills, web
from pipelines.sample.campaigns import describe_effects, invite
from pipelines.sample.chance import Calendar, Chance, numbers_as_texts, texts
from pipelines.sample.companies import create_companies, employ_persons
from pipelines.sample.noise import Rates, apply_noises, list_noises
from pipelines.sample.persons import create_persons
from pipelines.sample.writing import GERMAN, Format, Parquet

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


def create_company(customers: int, calendar: Calendar, chance: Chance, rates: Rates) -> Tables:
    """Every table of a chunk of that many real people, by `folder/name`, each as its system exports it.

    `truth/persons` says who every person record is, `truth/noises` what went wrong with a record, `truth/campaigns`
    what the campaigns did.
    """
    companies = create_companies(customers, calendar, chance)
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
    exports = {
        "crm": crm.export_crm(register),
        "shop": shop.export_shop(house),
        "support": support.export_support(desk),
        "mail_order": mail_order.export_mail_order(bought),
        "tills": tills.export_tills(branches),
        "marketplace": marketplace.export_marketplace(market),
        "newsletter": {**newsletter.export_newsletter(letters), **newsletter.export_campaigns(calendar)},
        "web": web.export_web(web.measure(house, calendar, chance)),
        "erp": erp.export_erp(erp.write_invoices(house, calendar, chance)),
        "enrichment": enrichment.export_attributes(enrichment.buy_attributes(register.contacts, calendar, chance)),
    }
    is_guest = house.orders["is_guest"] & house.orders["email"].fillna(house.orders["tel"]).notna()
    known_buyers = market.orders["email"].fillna(market.orders["phone"]).fillna(market.orders["mobile"]).notna()
    records = [
        ("crm", "contacts", register.contacts, "record_id"),
        ("shop", "customers", house.customers, "record_id"),
        ("shop", "orders", house.orders[is_guest], "order_no"),
        ("support", "users", desk.users, "record_id"),
        ("mail_order", "customers", bought.customers, "record_id"),
        ("tills", "customers", branches.cards, "record_id"),
        ("marketplace", "orders", market.orders[known_buyers], "order_no"),
    ]
    others = [
        ("shop", "orders", house.orders[~is_guest], "order_no"),
        ("shop", "returns", house.returns, "return_no"),
        ("mail_order", "orders", bought.orders, "order_no"),
        ("mail_order", "returns", bought.returns, "return_no"),
        ("crm", "permissions", register.permissions, "permission_no"),
        ("support", "tickets", desk.tickets, "ticket_no"),
        ("newsletter", "messages", letters.sendings, "sending_no"),
    ]
    tables = {f"{system}/{name}": table for system, export in exports.items() for name, table in export.items()}
    tables["truth/persons"] = pd.concat([_persons(*record) for record in records], ignore_index=True)
    tables["truth/noises"] = pd.concat([_noises(*record) for record in records + others], ignore_index=True)
    tables["truth/campaigns"] = describe_effects(calendar)
    return tables


def _persons(source: str, entity: str, records: pd.DataFrame, record_id: str) -> pd.DataFrame:
    named = {"source_system": source, "entity": entity}
    found = records[[record_id, "person"]].rename(columns={record_id: "source_record_id"})
    number = found["person"].to_numpy()
    letter = texts(["p", "m"]).take((number < 0).astype(int)).reset_index(drop=True)
    return _labelled(found.assign(person=(letter + numbers_as_texts(abs(number), 7)).to_numpy()), named)


def _noises(source: str, entity: str, records: pd.DataFrame, record_id: str) -> pd.DataFrame:
    return _labelled(list_noises(records, record_id), {"source_system": source, "entity": entity})


def _labelled(rows: pd.DataFrame, labels: dict[str, str]) -> pd.DataFrame:
    """The rows with constant text columns before them."""
    found = {name: texts([text] * len(rows)) for name, text in labels.items()}
    return pd.DataFrame(found).join(rows.reset_index(drop=True))


def write_tables(tables: Tables, folder: Path, *, is_first: bool) -> dict[str, int]:
    """Write a chunk's tables below `folder`, which exists; return the number of rows by file.

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
        form.write(table, file, has_header=is_first)
        rows[f"{name}.{ending}"] = len(table)
    return rows
