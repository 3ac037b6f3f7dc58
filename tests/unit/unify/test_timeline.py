"""The timeline: everything that happened to a customer, in one table."""

from __future__ import annotations

from tests.unit.unify.conftest import Marts
from tests.unit.unify.world import World, records


def state_facts(world: World) -> None:
    world.person("c_l_lena", "l_lena", "crm", email="lena@line.example", mobile="+49151444")
    world.person("c_l_lena", "l_lena", "shop", email="lena@line.example")
    world.person("c_l_lena", "l_lena", "support")
    world.order("l_order", "l_lena", ordered_at="2026-01-01")
    world.line("l_order1", "l_order", 1, 50)
    world.returned("l_return", order_record_id="l_order", amount="20", returned_at="2026-01-10")
    world.order("l_cancelled", "l_lena", ordered_at="2026-01-02", cancelled_at="2026-01-03")
    world.line("l_cancelled1", "l_cancelled", 1, 30)
    world.ticket("l_ticket", "l_lena", created_at="2026-01-11", status="solved", solved_at="2026-01-12")
    world.record("support_ratings", "l_rating", contact_record_id="l_lena", score=1, scale_max=5, rated_at="2026-01-13")
    world.touch("l_click", "l_lena", kind="clicked", occurred_at="2026-01-14")
    world.touch("l_machine", "l_lena", kind="opened", is_machine=True, occurred_at="2026-01-14")
    world.touch("l_undated", "l_lena", kind="opened", occurred_at=None)
    world.touch("l_stranger", kind="opened", email="nobody@line.example")
    world.event("l_visit", "2026-01-15", session_id="l", user_id="l_lena")
    # By e-mail and text message: one event of one record, though it speaks about two contact points.
    world.permission("l_given", "l_lena", channel="email", status="granted", given_at="2026-01-16")
    world.permission("l_objection", "l_lena", kind="objection", channel=None, given_at="2026-01-17")
    world.permission("l_by_address", email="lena@line.example", status="granted", given_at="2026-01-18")
    world.touch("l_unsubscribed", "l_lena", kind="unsubscribed", occurred_at="2026-01-19")


def test_everything_that_happened_to_a_customer_is_one_row_each(marts: Marts) -> None:
    found = records(
        marts.settings,
        "select strftime(occurred_at, '%m-%d') as day, kind, source_system, amount::int as amount "
        "from marts.customer_timeline where customer_id = 'c_l_lena' order by occurred_at, kind",
    )
    assert [tuple(row.values()) for row in found] == [
        ("01-01", "ordered", "shop", 50),
        ("01-02", "ordered", "shop", 30),
        ("01-03", "cancelled", "shop", -30),
        ("01-10", "returned", "shop", -20),
        ("01-11", "ticket_opened", "support", None),
        ("01-12", "ticket_solved", "support", None),
        ("01-13", "rated", "support", None),
        ("01-14", "message_clicked", "marketing", None),
        ("01-15", "web_session", "web", None),
        ("01-16", "permission_granted", "crm", None),
        ("01-17", "permission_objected", "crm", None),
        ("01-18", "permission_granted", "crm", None),
        ("01-19", "permission_withdrawn", "marketing", None),
    ]


def test_the_amounts_of_a_customer_sum_to_revenue(marts: Marts) -> None:
    [row] = records(
        marts.settings,
        "select c.revenue_amount_base, sum(t.amount) as amount from marts.customers as c "
        "join marts.customer_timeline as t using (customer_id) where customer_id = 'c_l_lena' group by all",
    )
    assert (row["revenue_amount_base"], row["amount"]) == (30, 30)


def test_a_reference_leads_to_what_happened(marts: Marts) -> None:
    [row] = records(
        marts.settings,
        "select o.net_amount::int as net_amount "
        "from marts.customer_timeline as t "
        "join marts.orders as o on o.order_key = t.reference_key "
        "where t.customer_id = 'c_l_lena' and t.kind = 'cancelled'",
    )
    assert row == {"net_amount": 30}
