"""Invoices, and what they say about the payment of an order."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.unify.conftest import Marts
from tests.unit.unify.world import CONTROLLER, World, by_id, records

REFERENCES = {"order_record_id": "shop", "customer_record_id": "shop"}


def state_facts(world: World) -> None:
    world.person("c_i_buyer", "i_buyer", "shop")
    world.person("c_i_payer", "i_payer", "shop")
    for order, columns in {
        "i_paid": {"dunning_level": 1},
        "i_partly": {},
        "i_overdue": {"paid_at": "2026-06-10"},
        "i_shop_says": {"payment_status": "Paid"},
        "i_shop_denies": {"payment_status": "pending"},
        "i_charged_back": {"paid_at": "2026-06-10", "chargeback_at": "2026-06-20"},
        "i_silent": {},
        "i_credited": {},
        "i_deleted": {"deleted_at": "2026-06-02"},
    }.items():
        world.order(order, "i_buyer", **columns)
    for record_id, columns in {
        "paid": {"order_record_id": "i_paid", "paid_at": "2026-06-05", "dunning_level": 3, "amount": 10},
        "part1": {"order_record_id": "i_partly", "paid_at": "2026-06-05", "amount": 10, "number": "RE-4711"},
        "part2": {"order_record_id": "i_partly", "due_at": "2026-06-30", "amount": 10},
        "late": {"order_record_id": "i_overdue", "due_at": "2026-06-20", "amount": 10, "dunning_level": 2},
        "whole": {"order_record_id": "i_credited", "paid_at": "2026-06-05", "amount": 10},
        "credit": {"order_record_id": "i_credited", "due_at": "2026-06-01", "amount": -10},
        "payer": {"customer_record_id": "i_payer", "currency": "usd", "due_at": "2026-06-01", "is_disputed": True},
        "of_deleted": {"order_record_id": "i_deleted", "amount": 5},
        "of_nobody": {"order_record_id": "never_delivered"},
        "gone": {"order_record_id": "i_silent", "deleted_at": "2026-06-01", "amount": 10},
    }.items():
        world.record("erp_invoices", record_id, REFERENCES, **columns)


@pytest.fixture(scope="module")
def invoices(marts: Marts) -> dict[str, dict[str, Any]]:
    return by_id(marts.settings, "invoices", "invoice_key")


@pytest.fixture(scope="module")
def orders(marts: Marts) -> dict[str, dict[str, Any]]:
    return by_id(marts.settings, "orders", "order_key")


@pytest.mark.parametrize(
    ("invoice", "customer", "has_order"),
    [
        pytest.param("paid", "c_i_buyer", True, id="of who ordered"),
        pytest.param("payer", "c_i_payer", False, id="of whom it names"),
        pytest.param("of_deleted", None, False, id="of a deleted order"),
        pytest.param("of_nobody", None, False, id="of an order that was never delivered"),
    ],
)
def test_whose_invoice_it_is(
    invoices: dict[str, dict[str, Any]], invoice: str, customer: str | None, has_order: bool
) -> None:
    row = invoices[invoice]
    assert (row["customer_id"], row["order_key"] is not None) == (customer, has_order)
    assert row["controller"] == CONTROLLER


@pytest.mark.parametrize(
    ("invoice", "is_paid", "is_overdue", "days"),
    [
        pytest.param("paid", True, False, None, id="paid"),
        pytest.param("part2", False, False, None, id="on its day it is in time"),
        pytest.param("late", False, True, 10, id="overdue"),
        pytest.param("credit", False, False, None, id="a credit is never overdue"),
        pytest.param("payer", False, False, None, id="without an amount nothing is owed"),
    ],
)
def test_the_payment_of_an_invoice(
    invoices: dict[str, dict[str, Any]], invoice: str, is_paid: bool, is_overdue: bool, days: int | None
) -> None:
    row = invoices[invoice]
    assert (row["is_paid"], row["is_overdue"], row["overdue_days"]) == (is_paid, is_overdue, days)


@pytest.mark.parametrize(
    ("order", "count", "is_paid", "is_overdue", "dunning"),
    [
        pytest.param("i_paid", 1, True, False, 1, id="what was paid is dunned no more"),
        pytest.param("i_partly", 2, False, False, None, id="one invoice is open"),
        pytest.param("i_overdue", 1, False, True, 2, id="the invoice is believed before the shop"),
        pytest.param("i_shop_says", 0, True, False, None, id="the shop says paid"),
        pytest.param("i_shop_denies", 0, False, False, None, id="the shop says pending"),
        pytest.param("i_charged_back", 0, False, False, None, id="charged back is not paid"),
        pytest.param("i_silent", 0, None, False, None, id="nobody says; a deleted invoice says nothing"),
        pytest.param("i_credited", 2, True, False, None, id="an open credit is no debt"),
    ],
)
def test_the_payment_of_an_order(
    orders: dict[str, dict[str, Any]],
    order: str,
    count: int,
    is_paid: bool | None,
    is_overdue: bool,
    dunning: int | None,
) -> None:
    row = orders[order]
    found = (row["invoice_count"], row["is_paid"], row["is_overdue"], row["dunning_level"])
    assert found == (count, is_paid, is_overdue, dunning)


def test_an_order_was_paid_when_its_last_invoice_was(orders: dict[str, dict[str, Any]]) -> None:
    assert str(orders["i_paid"]["paid_at"]) == "2026-06-05 00:00:00"
    assert orders["i_partly"]["paid_at"] is None


def test_the_number_of_an_invoice_is_in_the_restricted_file_only(
    marts: Marts, invoices: dict[str, dict[str, Any]]
) -> None:
    assert "gone" not in invoices
    assert "RE-4711" not in str(records(marts.settings, "select * from marts.invoices"))
    assert records(marts.settings, "select text from marts.free_texts where field = 'number'") == [{"text": "RE-4711"}]
