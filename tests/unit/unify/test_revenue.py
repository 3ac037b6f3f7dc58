"""Revenue means one thing: net of tax, discounts and returns, booked at the order's date."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.unit.unify.conftest import Marts
from tests.unit.unify.world import World, records


def state_facts(world: World) -> None:
    world.person("c_buyer", "buyer", "shop")
    world.order("net", "buyer", prices_include_tax=False)
    world.line("net1", "net", 2, "10.00", discount_amount="1.50", tax_amount="3.00")
    world.order("gross", "buyer", prices_include_tax=True)
    world.line("gross1", "gross", 1, "119.00", tax_rate="19")
    world.line("gross2", "gross", 3, "9.99", tax_rate="0.07")
    world.line("gross3", "gross", 1, "50.00", tax_amount="7.98")
    world.order("late_night", "buyer", ordered_at="2026-05-31 22:30:00")
    world.line("late_night1", "late_night", 1, "5.00")
    world.order("cancelled", "buyer", status="Storniert")
    world.line("cancelled1", "cancelled", 1, "80.00")
    world.returned("cancelled_return", order_record_id="cancelled", amount="80.00")
    world.order("credit", "buyer")
    world.line("credit1", "credit", -2, "15.00")
    world.order("line_return", "buyer", prices_include_tax=True)
    world.line("line_return1", "line_return", 2, "59.50", tax_rate="0.19")
    world.line("line_return2", "line_return", 1, "10.00", tax_rate="0")
    world.returned(
        "by_line", order_record_id="line_return", order_line_record_id="line_return1", quantity=1, amount="59.50"
    )
    world.order("order_return", "buyer")
    for number in range(1, 4):
        world.line(f"order_return{number}", "order_return", 1, "10.00")
    world.returned("by_order", order_record_id="order_return", amount="10.00")
    world.order("lost_line_return", "buyer")
    world.line("lost_line_return1", "lost_line_return", 1, "10.00")
    world.line("lost_line", "nowhere", 1, "30.00")
    world.returned(
        "by_lost_line", order_record_id="lost_line_return", order_line_record_id="lost_line", quantity=1, amount="4.00"
    )
    world.order("quantity_return", "buyer")
    world.line("quantity_return1", "quantity_return", 4, "2.50")
    world.returned("by_quantity", order_line_record_id="quantity_return1", quantity=3)
    world.order("no_lines", "buyer", prices_include_tax=True, items_amount=100, discount_amount=10, tax_amount="14.37")
    world.order("only_total", "buyer", total_amount=25, shipping_amount=5, tax_amount=4)
    world.order("foreign", "buyer", currency="usd")
    world.line("foreign1", "foreign", 1, "70.00")
    world.order("deleted", "buyer", deleted_at="2026-06-02")
    world.line("deleted1", "deleted", 1, "1000.00", deleted_at="2026-06-02")
    world.line("orphan1", "nowhere", 1, "30.00")
    world.order("anonymous")
    world.line("anonymous1", "anonymous", 1, "40.00")
    world.order("stranger", "nobody_knows")
    guest = world.order("guest", email="guest@example.org")
    world.person("c_guest", "guest", "shop", entity="orders", email="guest@example.org", is_guest=True)
    assert guest == world.key("shop", "orders", "guest")
    world.line("guest1", "guest", 1, "20.00")


@pytest.fixture(scope="module")
def orders(marts: Marts) -> dict[str, dict[str, Any]]:
    """Orders by the source's id."""
    found = records(
        marts.settings,
        "select k.source_record_id, o.* from marts.orders o "
        "join marts.source_record_keys k on k.record_key = o.order_key",
    )
    return {row["source_record_id"]: row for row in found}


@pytest.mark.parametrize(
    ("order", "net", "returned", "cancelled", "revenue"),
    [
        pytest.param("net", "18.5000", 0, 0, "18.5000", id="tax that is not in the prices is not taken off"),
        pytest.param("gross", "170.0293", 0, 0, "170.0293", id="included tax by rate in percent, as share, by amount"),
        pytest.param("cancelled", 80, 0, 80, 0, id="a cancelled order has no revenue, whatever came back"),
        pytest.param("credit", -30, 0, 0, -30, id="a credit note is negative revenue"),
        pytest.param("line_return", 110, 50, 0, 60, id="a refund with tax is taken off net"),
        pytest.param("order_return", 30, 10, 0, 20, id="a return without line is taken from the order"),
        pytest.param("lost_line_return", 10, 4, 0, 6, id="a return of a line without order is its own order's"),
        pytest.param("quantity_return", 10, "7.5", 0, "2.5", id="a return by quantity is worth its share of the line"),
        pytest.param("no_lines", "75.63", 0, 0, "75.63", id="an order without lines counts by its own amounts"),
        pytest.param("only_total", 16, 0, 0, 16, id="a total contains shipping and tax, revenue does not"),
    ],
)
def test_revenue_of_an_order(
    orders: dict[str, dict[str, Any]], order: str, net: Any, returned: Any, cancelled: Any, revenue: Any
) -> None:
    row = orders[order]
    found = [row[f"{name}_amount"] for name in ("net", "returned", "cancelled", "revenue")]
    assert found == [Decimal(str(amount)) for amount in (net, returned, cancelled, revenue)]


def test_lines_share_a_return_of_the_whole_order_to_the_last_digit(marts: Marts) -> None:
    lines = records(
        marts.settings,
        "select l.returned_amount from marts.order_lines l "
        "join marts.source_record_keys k on k.record_key = l.order_key "
        "where k.source_record_id = 'order_return' order by 1",
    )
    assert [line["returned_amount"] for line in lines] == [Decimal("3.3333"), Decimal("3.3333"), Decimal("3.3334")]


def test_the_day_of_an_order_is_the_company_s(orders: dict[str, dict[str, Any]]) -> None:
    assert str(orders["late_night"]["ordered_date"]) == "2026-06-01"


def test_another_currency_has_no_base_amount_and_says_why(orders: dict[str, dict[str, Any]]) -> None:
    row = orders["foreign"]
    assert row["revenue_amount"] == 70
    assert (row["currency"], row["revenue_amount_base"], row["unconverted_reason"]) == ("USD", None, "no_exchange_rate")


def test_deleted_orders_are_not_published(orders: dict[str, dict[str, Any]]) -> None:
    assert "deleted" not in orders


@pytest.mark.parametrize(
    ("order", "customer", "reason"),
    [
        ("guest", "c_guest", None),
        ("anonymous", None, "no_customer_reference"),
        ("stranger", None, "unknown_customer_record"),
    ],
)
def test_an_order_has_a_customer_or_says_why_not(
    orders: dict[str, dict[str, Any]], order: str, customer: str | None, reason: str | None
) -> None:
    assert (orders[order]["customer_id"], orders[order]["unassigned_reason"]) == (customer, reason)


def test_a_line_without_its_order_is_kept_without_revenue(marts: Marts) -> None:
    lines = records(marts.settings, "select * from marts.order_lines where order_key is null")
    assert {(line["net_amount"], line["revenue_amount"], line["customer_id"]) for line in lines} == {(30, None, None)}
    assert len(lines) == 2


def test_revenue_of_a_customer_sums_its_orders_in_base_currency(marts: Marts) -> None:
    [customer] = records(marts.settings, "select * from marts.customers where customer_id = 'c_buyer'")
    expected = Decimal("18.5") + Decimal("170.0293") + 5 - 30 + 60 + 20 + 6 + Decimal("2.5") + Decimal("75.63") + 16
    assert customer["revenue_amount_base"] == expected
    assert (customer["cancelled_amount_base"], customer["returned_amount_base"]) == (80, Decimal("71.5"))
    assert (customer["order_count"], customer["cancelled_order_count"]) == (10, 1)
    assert customer["unconverted_order_count"] == 1
