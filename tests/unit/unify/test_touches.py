"""Touches: whose they are, and what bounces, complaints and unsubscriptions bring about."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.unify.conftest import Marts
from tests.unit.unify.test_permissions import CONFIRMED, permission_for
from tests.unit.unify.world import CONTROLLER, World, records


def state_facts(world: World) -> None:
    campaigns = {
        "spring": {"name": "Spring", "class": "Advertising", "channel": "E-Mail", "cost_amount": "120.50"},
        "spring_b": {"name": "Spring B", "variant_of": "spring", "controller": "Andere GmbH", "currency": "chf"},
        "lost_variant": {"variant_of": "never delivered"},
        "withdrawn": {"name": "Withdrawn", "deleted_at": "2026-01-01"},
    }
    for name, columns in campaigns.items():
        world.record(
            "marketing_campaigns",
            f"t_{name}",
            **columns | ({"variant_of": f"t_{columns['variant_of']}"} if "variant_of" in columns else {}),
        )
    world.record(
        "marketing_campaign_steps", "t_step", campaign_record_id="t_spring", step=1, name="Hello", goal="visit"
    )
    for name in ("anna", "ben", "twin_a", "twin_b", "former", "gone"):
        shared = "twins" if name.startswith("twin") else name
        world.person(f"c_t_{name}", f"t_{name}", "crm", email=f"{shared}@touch.example", is_deleted=name == "gone")
    world.person("c_t_heir", "t_heir", "crm", email="gone@touch.example")
    former = world.key("crm", "contacts", "t_former")
    world.contact_point(former, "email", "before@touch.example", valid_until="2026-01-01")
    spring = {"campaign_record_id": "t_spring", "variant": "A", "step": 1}
    world.touch("t_by_reference", "t_anna", kind="Opened", is_machine=True, **spring)
    world.touch("t_reference_first", "t_anna", kind="clicked", email="ben@touch.example")
    world.touch("t_by_email", kind="sent", email="ben@touch.example")
    world.touch("t_by_phone", kind="sent", channel="sms", phone="+49151777")
    world.person("c_t_phone", "t_phone", "crm", mobile="+49151777")
    world.touch("t_by_former_email", kind="sent", email="before@touch.example")
    world.touch("t_by_inherited_email", kind="sent", email="gone@touch.example")
    world.touch("t_by_shared_email", kind="sent", email="twins@touch.example")
    world.touch("t_stranger", kind="sent", email="stranger@touch.example")
    world.touch("t_nobody", kind="sent", occurred_at=None)
    world.touch("t_deleted", "t_anna", kind="sent", deleted_at="2026-02-01")

    bounced = {"kind": "bounced", "bounce_type": "Hard"}
    for name in ("hard", "soft", "untyped", "recovered", "machine_read", "relapsed", "method", "referred", "bought"):
        world.person(f"c_t_{name}", f"t_{name}", "crm", email=f"{name}@touch.example")
        world.permission(f"perm_t_{name}", f"t_{name}", **CONFIRMED)
    world.touch("t_hard", kind="bounced", bounce_type="Hard", email="hard@touch.example")
    world.touch("t_soft", kind="bounced", bounce_type="soft", email="soft@touch.example")
    world.touch("t_untyped", kind="bounced", email="untyped@touch.example")
    world.touch("t_recovered1", **bounced, email="recovered@touch.example")
    world.touch("t_recovered2", kind="delivered", email="recovered@touch.example", occurred_at="2026-06-02")
    world.touch("t_machine1", **bounced, email="machine_read@touch.example")
    world.touch(
        *("t_machine2",), kind="opened", is_machine=True, email="machine_read@touch.example", occurred_at="2026-06-02"
    )
    world.touch("t_relapsed1", kind="clicked", email="relapsed@touch.example", occurred_at="2026-05-01")
    world.touch("t_relapsed2", **bounced, email="relapsed@touch.example")
    # Without an address, the message went to the one that the contact had then: not to the one it has today.
    world.touch("t_referred", "t_referred", **bounced)
    moved = world.person("c_t_moved", "t_moved", "crm")
    world.contact_point(moved, "email", "today@touch.example", valid_from="2026-06-10")
    world.contact_point(moved, "email", "then@touch.example", valid_until="2026-06-10")
    world.touch("t_moved", "t_moved", **bounced)
    letter = world.person("c_t_letter", "t_letter", "crm", street="Weg 9", postal_code="1", city="A")
    assert letter
    world.touch("t_letter", "t_letter", channel="post", kind="returned")

    for name in ("complainer", "unsubscriber", "undated", "reopened", "erased", "by_campaign", "unknown_channel"):
        world.person(f"c_t_{name}", f"t_{name}", "crm", email=f"{name}@touch.example", mobile=f"+4915{len(name):03}")
        world.permission(f"perm_t_{name}", f"t_{name}", email=f"{name}@touch.example", **CONFIRMED)
    for name in ("complainer", "unsubscriber"):
        second = world.person(f"c_t_{name}", f"t_{name}2", "shop", email=f"second_{name}@touch.example")
        assert second
        world.permission(f"perm_t_{name}2", email=f"second_{name}@touch.example", **CONFIRMED)
    world.touch("t_complainer", kind="complained", email="complainer@touch.example")
    world.touch("t_unsubscriber", kind="Unsubscribed", email="unsubscriber@touch.example")
    world.touch("t_undated", kind="unsubscribed", email="undated@touch.example", occurred_at=None)
    world.touch("t_reopened", kind="complained", email="reopened@touch.example", occurred_at="2026-02-01")
    world.permission(
        "perm_t_again",
        email="reopened@touch.example",
        status="granted",
        given_at="2026-03-01",
        confirmed_at="2026-03-01",
    )
    world.touch("t_erased", "t_erased", kind="unsubscribed", deleted_at="2026-06-02")
    world.touch(
        "t_by_campaign",
        kind="unsubscribed",
        channel=None,
        campaign_record_id="t_spring_b",
        email="by_campaign@touch.example",
    )
    world.touch("t_unknown_channel", "t_unknown_channel", kind="unsubscribed", channel="Newsletter")


def _touches(marts: Marts) -> dict[str, dict[str, Any]]:
    """Touches by the source's id."""
    found = records(
        marts.settings,
        "select r.source_record_id, t.* from marts.touches as t "
        "join raw.marketing_touches as r on r.record_key = t.touch_key",
    )
    return {row["source_record_id"]: row for row in found}


@pytest.mark.parametrize(
    ("touch", "customer"),
    [
        pytest.param("t_by_reference", "c_t_anna", id="the contact it refers to"),
        pytest.param("t_reference_first", "c_t_anna", id="the reference counts before the address"),
        pytest.param("t_by_email", "c_t_ben", id="the one who has the e-mail address"),
        pytest.param("t_by_phone", "c_t_phone", id="the one who has the number"),
        pytest.param("t_by_former_email", "c_t_former", id="the one who had the address"),
        pytest.param("t_by_inherited_email", "c_t_heir", id="the one who has it counts before one who was deleted"),
        pytest.param("t_by_shared_email", None, id="nobody, when two share the address"),
        pytest.param("t_stranger", None, id="nobody, when nobody has it"),
        pytest.param("t_nobody", None, id="nobody, when it names nobody"),
    ],
)
def test_a_touch_belongs_to(marts: Marts, touch: str, customer: str | None) -> None:
    assert _touches(marts)[touch]["customer_id"] == customer


def test_a_touch_says_what_happened_and_whether_a_machine_did_it(marts: Marts) -> None:
    found = _touches(marts)
    assert "t_deleted" not in found
    row = found["t_by_reference"]
    assert (row["kind"], row["variant"], row["step"], row["is_machine"]) == ("opened", "A", 1, True)
    assert found["t_by_email"]["is_machine"] is False
    assert found["t_by_email"]["controller"] == CONTROLLER
    assert (found["t_by_campaign"]["channel"], found["t_by_campaign"]["controller"]) == ("email", "Andere GmbH")


def test_campaigns_and_their_steps_are_published(marts: Marts) -> None:
    found = {row["name"]: row for row in records(marts.settings, "select * from marts.campaigns")}
    assert "Withdrawn" not in found
    spring, variant = found["Spring"], found["Spring B"]
    assert (spring["class"], spring["currency"], float(spring["cost_amount"])) == ("advertising", "EUR", 120.5)
    assert (spring["controller"], variant["controller"]) == (CONTROLLER, "Andere GmbH")
    assert (variant["variant_of_key"], found[None]["variant_of_key"]) == (spring["campaign_key"], None)
    [step] = records(marts.settings, "select * from marts.campaign_steps")
    assert (step["campaign_key"], step["step"], step["goal"]) == (spring["campaign_key"], 1, "visit")


@pytest.mark.parametrize(
    ("customer", "value", "undeliverable"),
    [
        pytest.param("hard", "hard@touch.example", True, id="a hard bounce"),
        pytest.param("soft", "soft@touch.example", False, id="a soft bounce is none"),
        pytest.param("untyped", "untyped@touch.example", False, id="a bounce that may be soft is none"),
        pytest.param("recovered", "recovered@touch.example", False, id="something arrived later"),
        pytest.param("machine_read", "machine_read@touch.example", True, id="a mail filter proves nothing"),
        pytest.param("relapsed", "relapsed@touch.example", True, id="something arrived before"),
        pytest.param("referred", "referred@touch.example", True, id="the address of the contact"),
        pytest.param("moved", "today@touch.example", False, id="not the address that it has today"),
        pytest.param("moved", "then@touch.example", True, id="the address that it had then"),
        pytest.param("letter", "Weg 9, 1, A", True, id="a letter that came back"),
    ],
)
def test_nothing_arrives_after(marts: Marts, customer: str, value: str, undeliverable: bool) -> None:
    [row] = records(
        marts.settings,
        f"select * from marts.customer_contact_points where customer_id = 'c_t_{customer}' and value = '{value}'",
    )
    assert row["is_undeliverable"] is undeliverable


def test_nobody_is_contacted_where_nothing_arrives(marts: Marts) -> None:
    found = records(
        marts.settings,
        "select customer_id, is_contactable_email from marts.customers where customer_id in ('c_t_hard', 'c_t_soft')",
    )
    assert {row["customer_id"]: row["is_contactable_email"] for row in found} == {"c_t_hard": False, "c_t_soft": True}
    reasons = records(marts.settings, "select reason from activation.exclusions where customer_id = 'c_t_hard'")
    assert {row["reason"] for row in reasons} == {"missing_permission"}


@pytest.mark.parametrize(
    ("value", "status"),
    [
        pytest.param("complainer@touch.example", "objected", id="who complains objects"),
        pytest.param("second_complainer@touch.example", "objected", id="with every address of the person"),
        pytest.param("unsubscriber@touch.example", "withdrawn", id="who unsubscribes withdraws"),
        pytest.param("second_unsubscriber@touch.example", "granted", id="for that address only"),
        pytest.param("undated@touch.example", "withdrawn", id="without a date nothing re-opens it"),
        pytest.param("reopened@touch.example", "granted", id="a later evidenced consent re-opens"),
        pytest.param("erased@touch.example", "withdrawn", id="what was closed stays closed when the message is gone"),
        pytest.param("by_campaign@touch.example", "granted", id="a campaign of another controller closes nothing here"),
        pytest.param("unknown_channel@touch.example", "withdrawn", id="an unknown channel closes all"),
    ],
)
def test_an_answer_to_a_message_decides_on_permission(marts: Marts, value: str, status: str) -> None:
    assert permission_for(marts, value)["status"] == status


def test_an_answer_closes_its_own_channel_and_controller(marts: Marts) -> None:
    assert permission_for(marts, f"+4915{len('complainer'):03}", "phone") == {}
    assert permission_for(marts, f"+4915{len('unknown_channel'):03}", "phone")["status"] == "withdrawn"
    assert permission_for(marts, "by_campaign@touch.example", controller="Andere GmbH")["status"] == "withdrawn"


def test_the_evidence_of_a_withdrawal_is_the_message(marts: Marts) -> None:
    assert permission_for(marts, "unsubscriber@touch.example")["evidence"] == "t_unsubscriber"
    found = records(
        marts.settings,
        "select event from marts.permission_history as h join marts.source_record_keys as k using (record_key) "
        "where k.source_record_id in ('t_complainer', 't_unsubscriber') order by event",
    )
    assert {row["event"] for row in found} == {"objected", "withdrawn"}
