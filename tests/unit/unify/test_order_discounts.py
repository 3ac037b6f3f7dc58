"""Vouchers stand beside the orders: revenue is net of the discounts on the lines, once."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.unify.conftest import Marts
from tests.unit.unify.world import World, by_id, records


def state_facts(world: World) -> None:
    world.person("c_v_buyer", "v_buyer", "shop")
    world.order("v_order", "v_buyer", discount_amount=3, currency="eur")
    world.line("v_line", "v_order", 1, "20.00", discount_amount="3.00")
    world.order("v_deleted", "v_buyer", deleted_at="2026-06-02")
    for record_id, columns in {
        "voucher1": {"order_record_id": "v_order", "code": "summer", "amount": 2, "campaign_record_id": "k1"},
        "voucher2": {"order_record_id": "v_order", "code": "MAX-MAIER-10", "amount": 1},
        "of_deleted": {"order_record_id": "v_deleted", "code": "Summer", "amount": 1},
        "of_nobody": {"order_record_id": "never_delivered", "code": "SUMMER"},
        "no_code": {"order_record_id": "v_order"},
        "voucher3": {"code": "SUMMER"},
        "voucher4": {"code": "SUMMER"},
        "gone": {"order_record_id": "v_order", "amount": 5, "deleted_at": "2026-06-01"},
    }.items():
        world.record("shop_order_discounts", record_id, **columns)


@pytest.fixture(scope="module")
def discounts(marts: Marts) -> dict[str, dict[str, Any]]:
    return by_id(marts.settings, "order_discounts", "order_discount_key")


def test_a_discount_belongs_to_its_order(discounts: dict[str, dict[str, Any]]) -> None:
    row = discounts["voucher1"]
    assert (row["customer_id"], row["amount"], row["currency"]) == ("c_v_buyer", 2, "EUR")
    assert row["campaign_key"] is not None
    assert [discounts[name]["order_key"] for name in ("of_deleted", "of_nobody", "voucher3")] == [None, None, None]
    assert "gone" not in discounts


def test_a_code_of_one_customer_is_no_code_for_everybody(marts: Marts, discounts: dict[str, dict[str, Any]]) -> None:
    assert [discounts[name]["code"] for name in ("voucher1", "of_deleted", "voucher2", "no_code")] == [
        "SUMMER",
        "SUMMER",
        None,
        None,
    ]
    texts = records(marts.settings, "select text from marts.free_texts where field = 'code' and text like 'MAX%'")
    assert texts == [{"text": "MAX-MAIER-10"}]


def test_vouchers_change_no_revenue(marts: Marts) -> None:
    order = by_id(marts.settings, "orders", "order_key")["v_order"]
    assert (order["net_amount"], order["revenue_amount"], order["discount_amount"]) == (17, 17, 3)
