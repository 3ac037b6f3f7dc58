"""Each source writes as its system would: encodings, separators, types, clocks."""

from __future__ import annotations

import csv
import io
import json
import re
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from duckdb import DuckDBPyConnection

from pipelines.sample.writing import german_amounts, german_moments, iso_moments
from tests.unit.sample.conftest import AS_OF, figure


def test_the_crm_writes_windows_1252_with_semicolons(sample: Path) -> None:
    content = (sample / "crm" / "contacts.csv").read_bytes()
    with pytest.raises(UnicodeDecodeError):
        content.decode("utf-8")
    text = content.decode("cp1252")
    assert text.startswith("Kontakt-Nr;Anrede;Titel;Vorname;Nachname;Name;E-Mail;Telefon;Mobil;Straße;")
    assert text.endswith("\r\n")
    # Hostile texts hold separators and quotes of their own.
    header, *rows = csv.reader(io.StringIO(text, newline=""), delimiter=";")
    assert {len(row) for row in rows} == {len(header)}


def test_the_crm_writes_german_dates_times_and_amounts(sample: Path) -> None:
    with (sample / "crm" / "contacts.csv").open(encoding="cp1252", newline="") as stream:
        created = [row["Angelegt am"] for row in csv.DictReader(stream, delimiter=";")]
    assert all(re.fullmatch(r"\d\d\.\d\d\.\d{4} \d\d:\d\d:\d\d", text) for text in created)
    companies = (sample / "crm" / "companies.csv").read_text(encoding="cp1252").splitlines()
    place = companies[0].split(";").index("Jahresumsatz")
    assert all(re.fullmatch(r"\d+,\d\d", line.split(";")[place]) for line in companies[1:])


def test_the_shop_writes_native_types(sample: Path) -> None:
    orders = pq.read_schema(sample / "shop" / "orders.parquet")
    assert orders.field("items_total").type == pa.decimal128(18, 2)
    assert orders.field("placed_at").type == pa.timestamp("us", tz="UTC")
    assert orders.field("mail").type == pa.string()
    customers = pq.read_schema(sample / "shop" / "customers.parquet")
    assert customers.field("dob").type == pa.date32()
    assert customers.field("newsletter").type == pa.bool_()
    lines = pq.read_schema(sample / "shop" / "order_lines.parquet")
    assert lines.field("vat_rate").type == pa.decimal128(18, 2)


def test_the_support_desk_writes_json_lines_in_utf_8_with_times_in_utc(sample: Path) -> None:
    text = (sample / "support" / "tickets.jsonl").read_text(encoding="utf-8")
    tickets = [json.loads(line) for line in text.splitlines()]
    assert any("ä" in ticket["subject"] for ticket in tickets)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", ticket["created"]) for ticket in tickets)
    assert any(ticket["solved"] is None for ticket in tickets)


def test_german_times_are_on_the_clock_in_berlin_in_winter_and_in_summer() -> None:
    moments = pd.Series(pd.to_datetime(["2025-12-31 13:05:00", "2025-07-01 23:30:00", None]).astype("datetime64[s]"))
    german, iso = german_moments(moments), iso_moments(moments)
    assert german[:2].tolist() == ["31.12.2025 14:05:00", "02.07.2025 01:30:00"]
    assert iso[:2].tolist() == ["2025-12-31T13:05:00Z", "2025-07-01T23:30:00Z"]
    assert german.isna().tolist() == iso.isna().tolist() == [False, False, True]


def test_german_amounts_have_a_comma_before_the_cents() -> None:
    assert german_amounts(pd.Series([123456789, 5, 0])).tolist() == ["1234567,89", "0,05", "0,00"]


TIMES = {
    "contacts": ["Angelegt am", "Geändert am", "Gelöscht am"],
    "companies": ["Angelegt am", "Geändert am"],
    "permissions": ["Angefragt am", "Erteilt am", "Bestätigt am", "Widerrufen am"],
    "customers": ["registered_at", "changed_at"],
    "orders": ["placed_at", "paid_at", "delivered_at", "cancelled_at", "changed_at"],
    "returns": ["returned_at", "refunded_at"],
    "products": ["created_at"],
    "users": ["created", "updated"],
    "tickets": ["created", "updated", "first_reply", "solved"],
    "ratings": ["rated"],
}


@pytest.mark.parametrize("table", TIMES)
def test_everything_happened_before_as_of_and_little_long_ago(tables: DuckDBPyConnection, table: str) -> None:
    for column in TIMES[table]:
        moment = f'"{column}"::timestamp'
        if table in {"contacts", "companies", "permissions"}:
            moment = f"timezone('UTC', timezone('Europe/Berlin', strptime(\"{column}\", '%d.%m.%Y %H:%M:%S')))"
        assert figure(tables, f'select count("{column}") from {table}') > 0
        late = f"select count(*) from {table} where {moment} >= timestamp '{AS_OF}'"
        assert figure(tables, late) == 0, column
        early = f"select count(*) from {table} where {moment} < timestamp '{AS_OF}' - interval 6 year"
        assert figure(tables, early) == 0, column


def test_what_follows_comes_later(tables: DuckDBPyConnection) -> None:
    for table, order in {
        "customers": ["registered_at", "changed_at"],
        "orders": ["placed_at", "paid_at", "delivered_at"],
        "returns": ["returned_at", "refunded_at"],
        "tickets": ["created", "first_reply", "solved"],
        "users": ["created", "updated"],
    }.items():
        for earlier, later in pairwise(order):
            assert figure(tables, f"select count(*) from {table} where {later} < {earlier}") == 0, later
    order = [f"strptime(\"{c}\", '%d.%m.%Y %H:%M:%S')" for c in TIMES["permissions"]]
    for earlier, later in pairwise(order):
        assert figure(tables, f"select count(*) from permissions where {later} < {earlier}") == 0
    assert (
        figure(
            tables,
            "select count(*) from orders join customers using (customer_no) where placed_at < registered_at",
        )
        == 0
    )
