"""Carts: whose they are, and whether what was left behind was ordered after all."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.unify.conftest import Marts
from tests.unit.unify.world import World, by_id, records


def state_facts(world: World) -> None:
    world.person("c_k_buyer", "k_buyer", "shop", email="buyer@k.example")
    world.person("c_k_other", "k_other", "shop", email="family@k.example")
    world.person("c_k_third", "k_third", "shop", email="family@k.example")
    world.order("k_order", "k_other")
    world.order("k_deleted", "k_other", deleted_at="2026-06-02")
    for record_id, columns in {
        "reference": {"customer_record_id": "k_buyer", "email": "family@k.example", "abandoned_at": "2026-06-01"},
        "address": {"email": "buyer@k.example", "abandoned_at": "2026-06-01", "completed_at": "2026-06-02"},
        "shared": {"email": "family@k.example", "abandoned_at": "2026-06-01", "recovered_order_record_id": "k_order"},
        "deleted_order": {"abandoned_at": "2026-06-01", "recovered_order_record_id": "k_deleted"},
        "ordered": {"customer_record_id": "k_buyer", "completed_at": "2026-06-02"},
        "later": {"customer_record_id": "k_buyer", "abandoned_at": "2026-06-01", "completed_at": "2026-08-01"},
        "empty": {"lines": '[{"sku": "Max-1"}, {"sku": "2"}]', "currency": "chf", "total_amount": "12.50"},
        "gone": {"customer_record_id": "k_buyer", "deleted_at": "2026-06-01"},
    }.items():
        key = world.record("shop_carts", record_id, **columns)
        if email := columns.get("email"):
            world.contact_point(key, "email", email, source="shop", entity="carts")


@pytest.fixture(scope="module")
def carts(marts: Marts) -> dict[str, dict[str, Any]]:
    return by_id(marts.settings, "carts", "cart_key")


@pytest.mark.parametrize(
    ("cart", "customer", "is_abandoned", "is_recovered"),
    [
        pytest.param("reference", "c_k_buyer", True, False, id="abandoned; the reference before the address"),
        pytest.param("address", "c_k_buyer", False, True, id="ordered a day later; the one customer with the address"),
        pytest.param("shared", "c_k_other", False, True, id="became an order, whose customer it is"),
        pytest.param("deleted_order", None, False, True, id="became an order that was deleted"),
        pytest.param("ordered", "c_k_buyer", False, False, id="never abandoned"),
        pytest.param("later", "c_k_buyer", True, False, id="ordered only after as_of"),
        pytest.param("empty", None, False, False, id="nothing is known"),
    ],
)
def test_what_became_of_a_cart(
    carts: dict[str, dict[str, Any]], cart: str, customer: str | None, is_abandoned: bool, is_recovered: bool
) -> None:
    row = carts[cart]
    assert (row["customer_id"], row["is_abandoned"], row["is_recovered"]) == (customer, is_abandoned, is_recovered)


def test_a_cart_names_the_order_it_became_while_it_is_there(carts: dict[str, dict[str, Any]]) -> None:
    assert carts["shared"]["recovered_order_key"] is not None
    assert carts["deleted_order"]["recovered_order_key"] is None
    assert "gone" not in carts


def test_the_content_of_a_cart_is_only_counted(marts: Marts, carts: dict[str, dict[str, Any]]) -> None:
    assert (carts["empty"]["line_count"], carts["ordered"]["line_count"]) == (2, None)
    assert carts["empty"]["currency"] == "CHF"
    assert "Max-1" not in str(records(marts.settings, "select * from marts.carts"))
