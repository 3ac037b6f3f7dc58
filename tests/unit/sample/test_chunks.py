"""A company made in chunks is one company: no id, mailbox or number twice, and nothing is lost."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from duckdb import DuckDBPyConnection

from pipelines.sample import writing
from pipelines.sample.chance import CHUNK_PERSONS, Calendar, Chance
from pipelines.sample.chunks import write_company
from pipelines.sample.company import Tables, create_company
from pipelines.sample.noise import NOISES, resolve_rates
from pipelines.warehouse import connect
from tests.unit.sample.conftest import AS_OF, figure, loaded

CALENDAR = Calendar.at(AS_OF)
KEYS = {
    "crm/contacts": "Kontakt-Nr",
    "crm/companies": "Firmen-Nr",
    "crm/permissions": "Nr",
    "crm/deals": "Vorgangs-Nr",
    "crm/interactions": "Nr",
    "shop/customers": "customer_no",
    "shop/orders": "order_no",
    "shop/order_lines": "line_no",
    "shop/returns": "return_no",
    "shop/carts": "cart_no",
    "support/users": "id",
    "support/tickets": "id",
    "support/ratings": "id",
    "mail_order/kunden": "kdnr",
    "mail_order/bestellungen": "bestnr",
    "tills/receipt_lines": "line",
    "tills/cards": "card",
    "marketplace/sales": "saleId",
    "newsletter/messages": "event_id",
    "newsletter/optins": "id",
    "web/events": "eventId",
    "erp/rechnungen": "BELNR",
    "enrichment/attributes": "id",
}


@pytest.fixture(scope="module")
def chunks() -> tuple[Tables, Tables]:
    """The first two chunks of a company in which only goods come back, each of a few people."""
    rates = resolve_rates({**{noise.name: 0 for noise in NOISES}, "return_goods": 0.1})
    one, two = (create_company(600, CALENDAR, Chance(1, chunk), rates) for chunk in (0, 1))
    return one, two


@pytest.mark.parametrize("table", KEYS)
def test_chunks_share_no_id(chunks: tuple[Tables, Tables], table: str) -> None:
    one, two = (set(chunk[table][KEYS[table]]) for chunk in chunks)
    assert len(one) == len(chunks[0][table]) > 0
    assert one.isdisjoint(two)


@pytest.mark.parametrize("column", ["E-Mail", "Telefon", "Mobil", "Kundenkarte"])
def test_chunks_share_no_mailbox_number_and_card(chunks: tuple[Tables, Tables], column: str) -> None:
    one, two = (set(chunk["crm/contacts"][column].dropna()) for chunk in chunks)
    assert len(one) > 50
    assert one.isdisjoint(two)


def test_chunks_share_no_person_and_sell_the_same_products(chunks: tuple[Tables, Tables]) -> None:
    one, two = (set(chunk["truth/persons"]["person"]) for chunk in chunks)
    assert one.isdisjoint(two)
    pd.testing.assert_frame_equal(chunks[0]["shop/products"], chunks[1]["shop/products"])
    assert len(chunks[0]["shop/products"]) > 100


def test_a_company_of_several_chunks_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of them is written by one engine: to start one for each file took a third of the time."""
    started = []

    def start(*arguments: Any, **options: Any) -> AbstractContextManager[DuckDBPyConnection]:
        started.append(arguments)
        return connect(*arguments, **options)

    monkeypatch.setattr(writing, "connect", start)
    rows = write_company(250, 1, CALENDAR, resolve_rates(None), tmp_path, chunk_persons=150, processes=1)
    assert len(started) == 2
    assert {str(f.relative_to(tmp_path)) for f in tmp_path.rglob("*") if f.is_file()} == rows.keys()
    with loaded(tmp_path) as tables:
        for name, count in rows.items():
            assert figure(tables, f"select count(*) from {Path(name).stem}") == count, name
        people = figure(tables, "select count(distinct person) from persons where person like 'p%'")
        assert people == 250
        lost = "select count(*) from order_lines anti join orders using (order_no)"
        assert figure(tables, lost) == 0
    assert CHUNK_PERSONS > 150
