"""The whole sample company in memory: every system's tables and the truth, ready to be written.

Add a system here. What a system knows and how it is written belongs to its own module and to `writing`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from pipelines.sample.chance import Calendar, Chance
from pipelines.sample.companies import create_companies, employ_persons
from pipelines.sample.crm import export_crm, keep_crm
from pipelines.sample.noise import Rates, apply_noises
from pipelines.sample.persons import create_persons
from pipelines.sample.shop import export_shop, open_shop
from pipelines.sample.support import export_support, keep_support
from pipelines.sample.writing import write_csv, write_json_lines, write_parquet

SHOP_CENTS = {
    *("items_total", "discount_total", "shipping", "tax_total", "grand_total"),
    *("unit_price", "discount", "vat", "unit_cost", "refund", "list_price", "cost"),
}
SHOP_PERCENTS = {"vat_rate"}


@dataclass(frozen=True)
class SampleCompany:
    """Tables by file, each as its system exports it, and `truth`: source_system, entity, source_record_id, person."""

    crm: dict[str, pd.DataFrame]
    shop: dict[str, pd.DataFrame]
    support: dict[str, pd.DataFrame]
    truth: pd.DataFrame


def create_company(customers: int, calendar: Calendar, chance: Chance, rates: Rates) -> SampleCompany:
    """Create everything for that many real people."""
    companies = create_companies(customers, calendar, chance)
    persons = employ_persons(create_persons(customers, calendar, chance), companies, chance)
    persons = apply_noises(persons, "persons", rates, chance)
    shop = open_shop(persons, calendar, chance, rates)
    crm = keep_crm(persons, companies, shop, calendar, chance, rates)
    support = keep_support(persons, shop, calendar, chance, rates)
    guests = shop.orders[shop.orders["is_guest"] & shop.orders["email"].fillna(shop.orders["tel"]).notna()]
    truth = [
        _truth("crm", "contacts", crm.contacts, "record_id"),
        _truth("shop", "customers", shop.customers, "record_id"),
        _truth("shop", "orders", guests, "order_no"),
        _truth("support", "users", support.users, "record_id"),
    ]
    return SampleCompany(
        export_crm(crm), export_shop(shop), export_support(support), pd.concat(truth, ignore_index=True)
    )


def _truth(source: str, entity: str, records: pd.DataFrame, record_id: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "source_system": source,
            "entity": entity,
            "source_record_id": records[record_id].to_numpy(),
            "person": records["person"].to_numpy(),
        }
    )


def write_company(company: SampleCompany, folder: Path) -> dict[str, int]:
    """Write every table below `folder`, which exists; return the number of rows by file."""
    rows: dict[str, int] = {}

    def write(table: pd.DataFrame, name: str, writer: Callable[[pd.DataFrame, Path], None]) -> None:
        file = folder / name
        file.parent.mkdir(exist_ok=True)
        writer(table, file)
        rows[name] = len(table)

    for name, table in company.crm.items():
        write(table, f"crm/{name}.csv", write_csv)
    for name, table in company.shop.items():
        write(table, f"shop/{name}.parquet", _write_shop_table)
    for name, table in company.support.items():
        write(table, f"support/{name}.jsonl", write_json_lines)
    write(company.truth, "truth/persons.parquet", write_parquet)
    return rows


def _write_shop_table(table: pd.DataFrame, file: Path) -> None:
    write_parquet(table, file, cents=SHOP_CENTS, percents=SHOP_PERCENTS, dates={"dob"})
