"""Exclusions hold against the customer and against every contact point of what caused them."""

from __future__ import annotations

import pytest

from tests.unit.unify.conftest import Marts
from tests.unit.unify.world import World, records


def state_facts(world: World) -> None:
    world.person("c_x_angry", "x_angry", "support", email="angry@x.example")
    world.person("c_x_angry", "x_angry", "crm", email="calm@x.example", mobile="+49160100")
    world.ticket("x_urgent", "x_angry", priority="Urgent")
    # An urgent ticket of somebody who joined nobody else, under the address of another customer.
    world.person("c_x_alone", "x_alone", "support", email="shared@x.example")
    world.person("c_x_partner", "x_partner", "crm", email="shared@x.example")
    world.ticket("x_alone", "x_alone", priority="urgent")
    world.person("c_x_late", "x_late", "support", email="late@x.example")
    world.ticket("x_late", "x_late", priority="normal", sla_breached_at="2026-06-25")
    world.person("c_x_solved", "x_solved", "support", email="solved@x.example")
    world.ticket("x_solved", "x_solved", priority="urgent", status="solved")
    world.ticket("x_deleted", "x_solved", priority="urgent", deleted_at="2026-06-28")
    world.person("c_x_orderer", "x_orderer", "shop", email="account@x.example")
    order = world.order("x_recent", "x_orderer", ordered_at="2026-06-25", email="gift@x.example")
    world.contact_point(order, "email", "gift@x.example", source="shop", entity="orders")
    world.line("x_recent1", "x_recent", 1, 10)
    world.order("x_long_ago", "x_orderer", ordered_at="2026-06-16")
    world.person("c_x_cancelled", "x_cancelled", "shop", email="cancelled@x.example")
    world.order("x_cancelled", "x_cancelled", ordered_at="2026-06-25", cancelled_at="2026-06-26")
    # A ticket of nobody, about an order: the one who ordered.
    world.person("c_x_about", "x_about", "shop", email="about@x.example")
    world.order("x_about", "x_about", ordered_at="2026-01-01")
    world.record(
        "support_tickets", "x_about", {"order_record_id": "shop"}, order_record_id="x_about", priority="urgent"
    )
    # What happens while sources are read, after as_of (12:00).
    world.person("c_x_meanwhile", "x_meanwhile", "support", email="meanwhile@x.example")
    world.ticket("x_meanwhile", "x_meanwhile", priority="urgent", created_at="2026-06-30 12:05:00")
    world.person("c_x_buying", "x_buying", "shop", email="buying@x.example")
    world.order("x_buying", "x_buying", ordered_at="2026-06-30 12:05:00")
    # A ticket of nobody, about an order that the shop deleted.
    world.person("c_x_deleted_order", "x_deleted_order", "shop", email="deleted_order@x.example")
    world.order("x_deleted_order", "x_deleted_order", ordered_at="2026-01-01", deleted_at="2026-02-01")
    world.record(
        *("support_tickets", "x_deleted_order", {"order_record_id": "shop"}),
        order_record_id="x_deleted_order",
        priority="urgent",
    )
    world.person("c_x_open", "x_open", "crm", email="open@x.example")
    world.permission("perm_x_open", "x_open", status="granted", given_at="2026-01-01", confirmed_at="2026-01-01")


def _reasons(marts: Marts, condition: str) -> set[str]:
    found = records(
        marts.settings,
        f"select distinct e.reason from activation.exclusions e "
        f"left join (select distinct contact_point_key, value from marts.customer_contact_points) c "
        f"using (contact_point_key) where {condition}",
    )
    return {row["reason"] for row in found}


@pytest.mark.parametrize("customer", ["c_x_angry", "c_x_alone", "c_x_late", "c_x_about", "c_x_deleted_order"])
def test_an_open_critical_ticket_holds_against_the_customer(marts: Marts, customer: str) -> None:
    assert "open_critical_ticket" in _reasons(marts, f"e.customer_id = '{customer}'")


@pytest.mark.parametrize("value", ["angry@x.example", "calm@x.example", "+49160100", "shared@x.example"])
def test_an_open_critical_ticket_holds_against_every_contact_point(marts: Marts, value: str) -> None:
    assert "open_critical_ticket" in _reasons(marts, f"c.value = '{value}'")


def test_the_ticket_of_one_does_not_hold_against_another_who_shares_the_mailbox(marts: Marts) -> None:
    assert "open_critical_ticket" not in _reasons(marts, "e.customer_id = 'c_x_partner'")


@pytest.mark.parametrize(
    ("customer", "reason"), [("c_x_meanwhile", "open_critical_ticket"), ("c_x_buying", "just_bought")]
)
def test_what_happens_while_sources_are_read_holds_at_once(marts: Marts, customer: str, reason: str) -> None:
    in_force = "e.valid_from <= '2026-06-30 12:00:00' and coalesce(e.valid_until > '2026-06-30 12:00:00', true)"
    assert reason in _reasons(marts, f"e.customer_id = '{customer}' and {in_force}")


def test_a_solved_or_deleted_ticket_holds_against_nobody(marts: Marts) -> None:
    assert "open_critical_ticket" not in _reasons(marts, "e.customer_id = 'c_x_solved' or c.value = 'solved@x.example'")


def test_why_a_ticket_is_critical_is_said(marts: Marts) -> None:
    found = records(
        marts.settings,
        "select k.source_record_id, t.critical_reason from marts.tickets t "
        "join marts.source_record_keys k on k.record_key = t.ticket_key "
        "where k.source_record_id in ('x_urgent', 'x_late')",
    )
    assert {row["source_record_id"]: row["critical_reason"] for row in found} == {
        "x_urgent": "priority",
        "x_late": "sla_breached",
    }


def test_a_purchase_holds_against_customer_account_and_the_address_of_the_order(marts: Marts) -> None:
    assert "just_bought" in _reasons(marts, "e.customer_id = 'c_x_orderer'")
    assert "just_bought" in _reasons(marts, "c.value = 'account@x.example'")
    [held] = records(
        marts.settings,
        "select e.valid_from, e.valid_until from activation.exclusions e join clean.contact_points c "
        "using (contact_point_key) where c.value = 'gift@x.example' and e.reason = 'just_bought'",
    )
    assert (str(held["valid_from"].date()), str(held["valid_until"].date())) == ("2026-06-25", "2026-07-09")


def test_a_cancelled_purchase_is_none(marts: Marts) -> None:
    assert "just_bought" not in _reasons(marts, "e.customer_id = 'c_x_cancelled'")


def test_whoever_has_no_permission_is_excluded_as_customer_and_by_contact_point(marts: Marts) -> None:
    assert "missing_permission" in _reasons(marts, "e.customer_id = 'c_x_solved'")
    assert "missing_permission" in _reasons(marts, "c.value = 'solved@x.example'")
    assert not _reasons(marts, "e.customer_id = 'c_x_open' or c.value = 'open@x.example'")
