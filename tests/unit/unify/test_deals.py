"""Deals, who takes part in them, the stages they passed, and calls about them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.unit.unify.conftest import Marts
from tests.unit.unify.world import World, by_id, records


def state_facts(world: World) -> None:
    world.person("c_d_buyer", "d_buyer", email="d.buyer@d.example", mobile="+4915100000001")
    world.person("c_d_buyer", "d_buyer_merged", is_deleted=True)
    world.person("c_d_clerk", "d_clerk", email="d.office@d.example")
    world.person("c_d_boss", "d_boss", email="d.office@d.example", mobile="+4915100000002")
    world.person("c_d_placeholder", "d_unknown", is_inferred=True, created_at=None)
    world.company("a_d_nagel", "d_nagel", name="Nagel GmbH")
    world.company("a_d_nagel", "d_nagel_merged", is_deleted=True)
    _state_deals(world)
    _state_stage_changes(world)
    _state_interactions(world)


def _state_deals(world: World) -> None:
    def deal(record_id: str, **columns: Any) -> str:
        return world.record("crm_deals", record_id, **columns)

    deal(
        "won", contact_record_id="d_buyer_merged", company_record_id="d_nagel_merged", name="Deal with Max", is_won=True
    )
    deal("open", contact_record_id="d_buyer", currency="usd", amount="900.50", owner="Erika Verkauf", stage="Proposal")
    deal("lost", contact_record_id="d_unknown", is_lost=True, lost_reason="Max Maier was rude", amount=100)
    deal("closed", closed_at="2026-06-01")
    deal("closes_later", closed_at="2026-08-01")
    deal("sole", amount=None)
    deal("crowded")
    deal("gone", deleted_at="2026-06-01")
    deal("merged", merged_into_record_id="won")
    deal("merged_before", merged_into_record_id="merged")
    for number in range(5):
        deal(f"pricey{number}", is_lost=True, lost_reason="too expensive")
    for record_id, deal_id, contact, role in (
        ("dc1", "sole", "d_clerk", "Decision Maker"),
        ("dc2", "crowded", "d_clerk", None),
        ("dc3", "crowded", "d_boss", None),
        ("dc4", "merged", "d_buyer", None),
        ("dc5", "gone", "d_buyer", None),
        ("dc6", "never_delivered", None, None),
        ("dc7", "merged_before", "d_buyer", None),
    ):
        world.record("crm_deal_contacts", record_id, deal_record_id=deal_id, contact_record_id=contact, role=role)
    world.record("crm_deal_contacts", "dc8", deal_record_id="sole", contact_record_id="d_boss", deleted_at="2026-06-01")


def _state_stage_changes(world: World) -> None:
    for record_id, columns in {
        "sc1": {"deal_record_id": "won", "from_stage": "SQL", "stage": "Opportunity", "entered_at": "2026-05-01"},
        "sc2": {"contact_record_id": "d_clerk", "company_record_id": "d_nagel", "stage": "lead"},
        "sc3": {"deal_record_id": "merged", "contact_record_id": "d_boss", "stage": "customer"},
        "sc4": {"deal_record_id": "gone", "stage": "customer"},
        "sc5": {"contact_record_id": "d_buyer", "stage": "mql", "deleted_at": "2026-06-01"},
    }.items():
        world.record("crm_stage_changes", record_id, created_at="2026-04-01", **columns)


def _state_interactions(world: World) -> None:
    for record_id, columns in {
        "i_reference": {"contact_record_id": "d_buyer_merged", "email": "d.clerk@d.example", "channel": "Call"},
        "i_phone": {"phone": "+4915100000002"},
        "i_shared": {"email": "d.office@d.example"},
        "i_both": {"email": "d.buyer@d.example", "phone": "+4915100000002"},
        "i_stranger": {"email": "nobody@d.example"},
        "i_nobody": {"outcome": "spoke with Max's mother", "deal_record_id": "merged", "company_record_id": "d_nagel"},
        "i_gone": {"contact_record_id": "d_buyer", "deleted_at": "2026-06-01"},
    }.items():
        key = world.record("crm_interactions", record_id, created_at="2026-04-01", **columns)
        for field in ("email", "phone"):
            if value := columns.get(field):
                world.contact_point(key, field, value, entity="interactions")


@pytest.fixture(scope="module")
def deals(marts: Marts) -> dict[str, dict[str, Any]]:
    return by_id(marts.settings, "deals", "deal_key")


@pytest.mark.parametrize(
    ("deal", "customer", "account"),
    [
        pytest.param("won", "c_d_buyer", "a_d_nagel", id="records merged away lead to those that stayed"),
        pytest.param("lost", "c_d_placeholder", None, id="a contact that was never delivered is a placeholder"),
        pytest.param("sole", "c_d_clerk", None, id="no contact of its own, but one who takes part"),
        pytest.param("crowded", None, None, id="several who take part are none"),
        pytest.param("closed", None, None, id="nothing is known"),
    ],
)
def test_whose_deal_it_is(
    deals: dict[str, dict[str, Any]], deal: str, customer: str | None, account: str | None
) -> None:
    assert (deals[deal]["customer_id"], deals[deal]["account_id"]) == (customer, account)


def test_deleted_and_merged_deals_are_not_published(deals: dict[str, dict[str, Any]]) -> None:
    assert not {"gone", "merged", "merged_before"} & set(deals)


@pytest.mark.parametrize(
    ("deal", "is_open", "is_won", "is_lost"),
    [
        ("won", False, True, False),
        ("lost", False, False, True),
        ("open", True, False, False),
        ("closed", False, False, False),
        ("closes_later", True, False, False),
    ],
)
def test_the_state_of_a_deal(
    deals: dict[str, dict[str, Any]], deal: str, is_open: bool, is_won: bool, is_lost: bool
) -> None:
    row = deals[deal]
    assert (row["is_open"], row["is_won"], row["is_lost"]) == (is_open, is_won, is_lost)


def test_a_deal_in_another_currency_has_no_base_amount(deals: dict[str, dict[str, Any]]) -> None:
    row = deals["open"]
    assert (row["currency"], row["amount"], row["amount_base"]) == ("USD", Decimal("900.5"), None)
    assert (deals["lost"]["currency"], deals["lost"]["amount_base"]) == ("EUR", 100)


def test_words_somebody_typed_are_kept_from_the_deals(marts: Marts, deals: dict[str, dict[str, Any]]) -> None:
    assert (deals["lost"]["lost_reason"], deals["pricey1"]["lost_reason"]) == (None, "too expensive")
    texts = {row["text"] for row in records(marts.settings, "select text from marts.free_texts where entity = 'deals'")}
    assert {"Deal with Max", "Max Maier was rude", "too expensive"} == texts
    published = str(records(marts.settings, "select * from marts.deals"))
    assert "Max" not in published
    assert "Verkauf" not in published


def test_who_takes_part_in_a_deal_and_in_which_it_became(marts: Marts, deals: dict[str, dict[str, Any]]) -> None:
    found = by_id(marts.settings, "deal_contacts", "deal_contact_key")
    won = deals["won"]["deal_key"]
    assert {name: (row["deal_key"], row["customer_id"]) for name, row in found.items()} == {
        "dc1": (deals["sole"]["deal_key"], "c_d_clerk"),
        "dc2": (deals["crowded"]["deal_key"], "c_d_clerk"),
        "dc3": (deals["crowded"]["deal_key"], "c_d_boss"),
        "dc4": (won, "c_d_buyer"),
        "dc5": (None, "c_d_buyer"),
        "dc6": (None, None),
        "dc7": (won, "c_d_buyer"),
    }


def test_a_stage_change_is_that_of_its_contact_else_of_its_deal(marts: Marts, deals: dict[str, dict[str, Any]]) -> None:
    found = by_id(marts.settings, "stage_changes", "stage_change_key")
    won = deals["won"]["deal_key"]
    assert {name: (row["customer_id"], row["account_id"], row["deal_key"]) for name, row in found.items()} == {
        "sc1": ("c_d_buyer", "a_d_nagel", won),
        "sc2": ("c_d_clerk", "a_d_nagel", None),
        "sc3": ("c_d_boss", "a_d_nagel", won),
        "sc4": (None, None, None),
    }
    assert (found["sc1"]["from_stage"], found["sc1"]["stage"]) == ("sql", "opportunity")
    assert str(found["sc2"]["entered_at"]) == "2026-04-01 00:00:00"


@pytest.mark.parametrize(
    ("interaction", "customer"),
    [
        pytest.param("i_reference", "c_d_buyer", id="a reference is believed before an address"),
        pytest.param("i_phone", "c_d_boss", id="the one customer with the number"),
        pytest.param("i_shared", None, id="an address of two proves nothing"),
        pytest.param("i_both", "c_d_buyer", id="an address before a number"),
        pytest.param("i_stranger", None, id="an address of nobody"),
        pytest.param("i_nobody", None, id="nothing at all"),
    ],
)
def test_whose_interaction_it_is(marts: Marts, interaction: str, customer: str | None) -> None:
    assert by_id(marts.settings, "interactions", "interaction_key")[interaction]["customer_id"] == customer


def test_an_interaction_without_its_words(marts: Marts, deals: dict[str, dict[str, Any]]) -> None:
    found = by_id(marts.settings, "interactions", "interaction_key")
    assert "i_gone" not in found
    row = found["i_nobody"]
    assert (row["deal_key"], row["account_id"], row["outcome"]) == (deals["won"]["deal_key"], "a_d_nagel", None)
    assert found["i_reference"]["channel"] == "call"
