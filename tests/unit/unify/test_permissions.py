"""A permission belongs to a contact point, a controller, a channel and a purpose."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.unify.conftest import Marts
from tests.unit.unify.world import CONTROLLER, World, records

CONFIRMED = {"status": "granted", "given_at": "2026-01-01", "confirmed_at": "2026-01-01 10:00:00"}


def state_facts(world: World) -> None:
    def customer(name: str, **columns: Any) -> None:
        world.person(f"c_p_{name}", f"p_{name}", "crm", email=f"{name}@perm.example", **columns)

    def permission(name: str, suffix: str = "", **columns: Any) -> None:
        world.permission(f"perm_{name}{suffix}", f"p_{name}", **columns)

    for name in (
        *("confirmed", "single", "silent", "requested", "withdrawn", "reopened", "reopened_unproven", "undated"),
        *("expired", "buyer", "buyer_without_notice", "deleted_grant", "future", "objector", "other_controller"),
        *("just_withdrawn", "unknown_kind", "unknown_status", "unknown_channel", "unusable"),
    ):
        customer(name)
    permission("confirmed", **CONFIRMED)
    permission("single", status="granted", given_at="2026-01-01")
    permission("requested", status="requested", requested_at="2026-01-01")
    permission("withdrawn", **CONFIRMED | {"status": "withdrawn"}, withdrawn_at="2026-02-01")
    permission("reopened", "1", **CONFIRMED | {"status": "withdrawn"}, withdrawn_at="2026-02-01")
    permission("reopened", "2", status="granted", given_at="2026-03-01", confirmed_at="2026-03-01")
    permission("reopened_unproven", "1", **CONFIRMED | {"status": "withdrawn"}, withdrawn_at="2026-02-01")
    permission("reopened_unproven", "2", status="granted", given_at="2026-03-01")
    permission("undated", "1", **CONFIRMED)
    permission("undated", "2", status="withdrawn")
    permission("expired", **CONFIRMED, expires_at="2026-06-01")
    sale = {"kind": "existing_customer", "status": "granted", "given_at": "2026-01-01", "order_record_id": "net"}
    permission("buyer", **sale, objection_notice_shown=True)
    permission("buyer_without_notice", **sale, objection_notice_shown=False)
    permission("deleted_grant", **CONFIRMED, deleted_at="2026-05-01")
    permission("future", status="granted", given_at="2026-12-01", confirmed_at="2026-12-01")
    permission("objector", "1", **CONFIRMED)
    permission("objector", "2", kind="objection", channel=None, purpose=None, given_at="2026-02-01")
    permission("other_controller", **CONFIRMED, controller="Andere GmbH")
    permission("just_withdrawn", **CONFIRMED, withdrawn_at="2026-06-30 12:10:00")
    permission("unknown_kind", "1", **CONFIRMED)
    permission("unknown_kind", "2", kind="Sperre")
    permission("unknown_status", "1", **CONFIRMED)
    permission("unknown_status", "2", status="abgemeldet")
    permission("unknown_channel", "1", **CONFIRMED)
    permission("unknown_channel", "2", kind="objection", channel="Newsletter", given_at="2026-02-01")
    # Written for a mailbox that cannot be one, so that it has no contact point.
    world.record(
        *("crm_permissions", "perm_unusable"),
        contact_record_id="p_unusable",
        channel="email",
        purpose="advertising",
        kind="consent",
        email="nobody(at)perm.example",
        **CONFIRMED,
    )
    # Withdrawn in the CRM, which knows no mailbox; granted in the shop, which does.
    world.person("c_p_elsewhere", "p_elsewhere", "crm")
    world.person("c_p_elsewhere", "p_elsewhere", "shop", email="elsewhere@perm.example")
    world.permission("perm_elsewhere1", email="elsewhere@perm.example", **CONFIRMED)
    permission("elsewhere", "2", status="withdrawn", withdrawn_at="2026-02-01")
    # Two mailboxes of one person: what was withdrawn for one is not withdrawn for the other.
    for name in ("kept", "given_up"):
        world.person("c_p_two", f"p_{name}", "crm", email=f"{name}@perm.example")
        permission(name, "1", email=f"{name}@perm.example", **CONFIRMED)
    permission("given_up", "2", email="given_up@perm.example", status="withdrawn", withdrawn_at="2026-02-01")
    # The objector's second record, in the shop, was never asked.
    world.person("c_p_objector", "p_objector", "shop", email="second@perm.example", mobile="+49151000", street="Weg 1")
    # A permission with an e-mail of its own stays with that e-mail.
    world.person("c_p_moved", "p_moved", "crm", email="new@perm.example")
    world.permission("perm_moved", "p_moved", email="former@perm.example", **CONFIRMED)
    # Records of two sources that were found to be one person: each mailbox keeps what was said about it.
    world.person("c_p_merged", "p_merged", "crm", email="asked@perm.example")
    world.person("c_p_merged", "p_merged", "shop", email="never_asked@perm.example")
    permission("merged", **CONFIRMED)
    # Post is allowed until somebody objects.
    world.person("c_p_post", "p_post", "crm", street="Gasse 1", postal_code="1", city="A", email="post@perm.example")
    # Without a reference, an objection holds for whoever uses the address.
    world.person("c_p_named", "p_named", "crm", email="named@perm.example", mobile="+49151001")
    world.permission("perm_named", email="named@perm.example", kind="objection", channel="email", given_at="2026-01-01")

    # Every channel has its own permission, and a text message needs a mobile number.
    channels = world.person("c_p_channels", "p_channels", "crm", email="channels@perm.example", street="Weg 7")
    world.contact_point(channels, "phone", "+4930777", is_mobile=False)
    world.contact_point(channels, "phone", "+4915177777", is_mobile=True)
    for channel in ("email", "sms", "messenger", "phone", "post", "ad_platform"):
        permission("channels", f"_{channel}", **CONFIRMED, channel=channel)
    # An objection, and a later opt-in for one of two addresses.
    for name in ("again", "never_again"):
        world.person("c_p_again", f"p_{name}", "crm", email=f"{name}@perm.example")
        permission(name, "1", email=f"{name}@perm.example", **CONFIRMED)
    permission("again", "2", kind="objection", channel=None, purpose=None, given_at="2026-02-01")
    permission(
        "again", "3", email="again@perm.example", status="granted", given_at="2026-03-01", confirmed_at="2026-03-01"
    )
    # An address that somebody had once: nothing is sent there, but an objection holds for it.
    moved = world.person("c_p_relocated", "p_relocated", "crm", street="Neue Gasse 1", postal_code="1", city="A")
    world.contact_point(moved, "address", "Alte Gasse 1, 1, A", valid_until="2026-01-01")
    # The contact got another mailbox after it had consented.
    mailboxes = world.person("c_p_mailboxes", "p_mailboxes", "crm")
    world.contact_point(mailboxes, "email", "after@perm.example", valid_from="2026-02-01")
    world.contact_point(mailboxes, "email", "before@perm.example", valid_until="2026-02-01")
    permission("mailboxes", **CONFIRMED)
    customer("expired_word")
    permission("expired_word", given_at="2025-01-01", confirmed_at="2025-01-01", status="expired")
    customer("renewed")
    permission("renewed", "1", **CONFIRMED, expires_at="2026-06-01")
    permission("renewed", "2", status="granted", given_at="2026-06-02", confirmed_at="2026-06-02")
    # Two legal entities know one customer; each has its own permission, and the objection to one leaves the other.
    customer("two_controllers")
    permission("two_controllers", "1", **CONFIRMED)
    permission("two_controllers", "2", **CONFIRMED, controller="Andere GmbH")
    permission("two_controllers", "3", kind="objection", controller="Andere GmbH", given_at="2026-02-01")


def permission_for(marts: Marts, value: str, channel: str = "email", controller: str = CONTROLLER) -> dict[str, Any]:
    found = records(
        marts.settings,
        f"""
        select p.*, k.source_record_id as evidence
        from marts.permissions_current p
        join (select distinct contact_point_key, value from marts.customer_contact_points) c using (contact_point_key)
        left join marts.source_record_keys k on k.record_key = p.evidence_ref
        where c.value = '{value}' and channel = '{channel}' and controller = '{controller}' and purpose = 'advertising'
        """,
    )
    assert len(found) <= 1
    return found[0] if found else {}


@pytest.mark.parametrize(
    ("name", "status", "basis", "permitted"),
    [
        pytest.param("confirmed", "granted", "confirmed_consent", True, id="a confirmed consent suffices"),
        pytest.param("single", "granted", "consent", False, id="an unconfirmed consent does not suffice for e-mail"),
        pytest.param("requested", "requested", None, False, id="a request is no consent"),
        pytest.param("withdrawn", "withdrawn", None, False, id="what was withdrawn is withdrawn"),
        pytest.param("reopened", "granted", "confirmed_consent", True, id="a later evidenced consent re-opens"),
        pytest.param("reopened_unproven", "withdrawn", None, False, id="a later consent without evidence does not"),
        pytest.param("undated", "withdrawn", None, False, id="without an order the most restrictive wins"),
        pytest.param("expired", "expired", None, False, id="an expired consent is none"),
        pytest.param("buyer", "granted", "existing_customer", True, id="an existing customer with its conditions"),
        pytest.param("buyer_without_notice", "unproven", None, False, id="an existing customer without the notice"),
        pytest.param("future", "requested", None, False, id="a consent of the future is none yet"),
        pytest.param("objector", "objected", None, False, id="an objection closes every channel and purpose"),
        pytest.param("just_withdrawn", "withdrawn", None, False, id="what is withdrawn while sources are read is"),
        pytest.param("unknown_kind", "not_understood", None, False, id="a kind nobody translated may be a refusal"),
        pytest.param("unknown_status", "not_understood", None, False, id="a status nobody translated as well"),
        pytest.param("unknown_channel", "objected", None, False, id="an objection on an unknown channel closes all"),
        pytest.param("elsewhere", "withdrawn", None, False, id="without an address the whole person withdrew"),
        pytest.param("kept", "granted", "confirmed_consent", True, id="the other mailbox of one who withdrew"),
        pytest.param("given_up", "withdrawn", None, False, id="the mailbox that was withdrawn"),
        pytest.param("again", "granted", "confirmed_consent", True, id="an opt-in after an objection"),
        pytest.param("never_again", "objected", None, False, id="does not re-open the other mailbox"),
        pytest.param("expired_word", "expired", None, False, id="expired in the source's own word"),
        pytest.param("renewed", "granted", "confirmed_consent", True, id="a new consent after one that expired"),
    ],
)
def test_the_latest_proven_event_decides(
    marts: Marts, name: str, status: str, basis: str | None, permitted: bool
) -> None:
    found = permission_for(marts, f"{name}@perm.example")
    assert (found["status"], found["basis"], found["is_permitted"]) == (status, basis, permitted)


@pytest.mark.parametrize("name", ["silent", "deleted_grant", "unusable"])
def test_nobody_is_permitted_without_a_word(marts: Marts, name: str) -> None:
    assert permission_for(marts, f"{name}@perm.example") == {}


def test_the_evidence_of_a_permission_is_the_record_that_grants_it(marts: Marts) -> None:
    assert permission_for(marts, "reopened@perm.example")["evidence"] == "perm_reopened2"


@pytest.mark.parametrize(
    ("value", "channel"),
    [("second@perm.example", "email"), ("+49151000", "phone"), ("+49151000", "sms"), ("Weg 1, None, None", "post")],
)
def test_an_objection_holds_for_the_whole_person(marts: Marts, value: str, channel: str) -> None:
    assert permission_for(marts, value, channel)["status"] == "objected"


@pytest.mark.parametrize(
    ("channel", "value"),
    [
        *(("email", "channels@perm.example"), ("ad_platform", "channels@perm.example"), ("phone", "+4930777")),
        *(("sms", "+4915177777"), ("messenger", "+4915177777"), ("post", "Weg 7, None, None")),
    ],
)
def test_every_channel_has_its_own_permission(marts: Marts, channel: str, value: str) -> None:
    found = permission_for(marts, value, channel)
    assert (found["status"], found["is_permitted"], found["evidence"]) == (
        "granted",
        True,
        f"perm_channels_{channel}",
    )


def test_a_text_message_is_not_permitted_to_a_number_that_cannot_receive_it(marts: Marts) -> None:
    assert permission_for(marts, "+4930777", "sms") == {}


def test_a_former_address_is_not_written_to(marts: Marts) -> None:
    assert permission_for(marts, "Neue Gasse 1, 1, A", "post")["is_permitted"]
    assert permission_for(marts, "Alte Gasse 1, 1, A", "post") == {}


def test_an_objection_to_one_legal_entity_leaves_the_other_alone(marts: Marts) -> None:
    value = "two_controllers@perm.example"
    assert permission_for(marts, value)["is_permitted"]
    assert permission_for(marts, value, controller="Andere GmbH")["status"] == "objected"


def test_an_objection_by_channel_leaves_the_others_alone(marts: Marts) -> None:
    assert permission_for(marts, "named@perm.example")["status"] == "objected"
    assert permission_for(marts, "+49151001", "phone") == {}


def test_a_permission_does_not_move_to_another_address(marts: Marts) -> None:
    assert permission_for(marts, "new@perm.example") == {}


def test_a_permission_does_not_move_with_a_merge(marts: Marts) -> None:
    assert permission_for(marts, "asked@perm.example")["is_permitted"]
    assert not permission_for(marts, "never_asked@perm.example").get("is_permitted")


def test_a_permission_stays_with_the_address_that_its_contact_had_then(marts: Marts) -> None:
    assert permission_for(marts, "after@perm.example") == {}
    assert permission_for(marts, "before@perm.example")["status"] == "granted"
    [row] = records(marts.settings, "select * from marts.customers where customer_id = 'c_p_mailboxes'")
    assert row["is_contactable_email"] is False


def test_a_permission_does_not_move_to_another_controller(marts: Marts) -> None:
    assert permission_for(marts, "other_controller@perm.example") == {}
    assert permission_for(marts, "other_controller@perm.example", controller="Andere GmbH")["is_permitted"]


def test_post_is_allowed_until_somebody_objects(marts: Marts) -> None:
    found = permission_for(marts, "Gasse 1, 1, A", "post")
    assert (found["status"], found["basis"], found["is_permitted"]) == ("not_objected", "until_objection", True)


def test_customers_say_on_which_channels_they_may_be_reached(marts: Marts) -> None:
    found = records(
        marts.settings,
        "select customer_id, is_contactable_email, is_contactable_post from marts.customers "
        "where customer_id in ('c_p_confirmed', 'c_p_withdrawn', 'c_p_post') order by customer_id",
    )
    assert [tuple(row.values())[1:] for row in found] == [(True, False), (False, True), (False, False)]


def test_history_keeps_what_was_granted_before_it_was_withdrawn(marts: Marts) -> None:
    found = records(
        marts.settings,
        "select event from marts.permission_history h join marts.source_record_keys k using (record_key) "
        "where k.source_record_id = 'perm_withdrawn' order by occurred_at",
    )
    assert [row["event"] for row in found] == ["granted", "confirmed", "withdrawn"]
