"""Accounts: what their records say together, who belongs to them when, and what they are worth."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.unify.conftest import Marts
from tests.unit.unify.world import World, by_id, records


def state_facts(world: World) -> None:
    _state_companies(world)
    _state_members(world)
    world.names_account(world.order("b_named", "b_private"), "a_b_nagel")
    world.line("b_named1", "b_named", 1, "100.00")
    world.order("b_then", "b_mover", ordered_at="2024-05-01")
    world.line("b_then1", "b_then", 1, "10.00")
    world.order("b_now", "b_mover", ordered_at="2026-05-01", currency="usd")
    world.line("b_now1", "b_now", 1, "7.00")
    world.order("b_before", "b_mover", ordered_at="2019-05-01")
    world.record("crm_deals", "b_deal", company_record_id="b_nagel", amount=50)
    world.record("crm_deals", "b_deal_won", company_record_id="b_nagel_old", amount=70, is_won=True)


def _state_companies(world: World) -> None:
    holding = world.company("a_b_holding", "b_holding", name="Nagel Holding AG", created_at="2020-01-01")
    world.company(
        "a_b_nagel",
        "b_nagel",
        name="Nagel GmbH",
        city="Ulm",
        updated_at="2026-01-01",
        created_at="2023-01-01",
        industry="Tools",
    )
    world.company(
        "a_b_nagel",
        "b_nagel_old",
        name="Nagel",
        postal_code="10115",
        updated_at="2022-01-01",
        created_at="2021-01-01",
        vat_id="DE136695976",
        is_key_account=True,
        parent_company_record_key=holding,
    )
    world.company(
        "a_b_nagel", "b_nagel_gone", name="Nagl", is_deleted=True, updated_at="2026-06-01", created_at="2022-01-01"
    )
    world.company("a_b_gone", "b_gone", is_deleted=True, is_key_account=True)
    # Merged with its own parent.
    world.company("a_b_self", "b_self", parent_company_record_key=world.key("crm", "companies", "b_self_parent"))
    world.company("a_b_self", "b_self_parent")


def _state_members(world: World) -> None:
    nagel, old, gone = (world.key("crm", "companies", name) for name in ("b_nagel", "b_nagel_old", "b_gone"))
    mover = world.person("c_b_mover", "b_mover_crm", job_title="Assistentin der Geschäftsleitung")
    world.person("c_b_mover", "b_mover", "shop")
    world.employment(mover, gone, "2020-01-01", "2025-01-01")
    world.employment(mover, nagel, "2025-01-01")
    merged = world.person("c_b_buyer", "b_buyer_merged", is_deleted=True)
    buyer = world.person("c_b_buyer", "b_buyer")
    world.employment(merged, old, "2021-01-01", "2022-01-01")
    world.employment(buyer, nagel, "2023-01-01")
    world.person("c_b_adviser", "b_adviser")
    for record_id, columns in {
        "cc1": {"company_record_id": "b_nagel", "role": "Adviser", "valid_from": "2024-01-01"},
        "cc2": {"company_record_id": "b_holding", "is_primary": True, "valid_from": "2022-01-01"},
        "cc3": {"company_record_id": "b_self", "deleted_at": "2026-01-01"},
        "cc4": {"company_record_id": "b_gone", "valid_until": "2030-01-01", "valid_from": "2029-01-01"},
        "cc5": {"company_record_id": "never_delivered"},
    }.items():
        world.record("crm_company_contacts", record_id, contact_record_id="b_adviser", **columns)
    world.record(
        "crm_company_contacts", "cc6", contact_record_id="b_buyer", company_record_id="b_nagel", role="Einkäuferin"
    )
    for number in range(5):
        world.person(f"c_b_clerk{number}", f"b_clerk{number}")
        world.record(
            "crm_company_contacts",
            f"clerk{number}",
            contact_record_id=f"b_clerk{number}",
            company_record_id="b_holding",
            role="Purchase",
        )
    world.person("c_b_private", "b_private", "shop")


@pytest.fixture(scope="module")
def accounts(marts: Marts) -> dict[str, dict[str, Any]]:
    return {row["account_id"]: row for row in records(marts.settings, "select * from marts.accounts")}


@pytest.fixture(scope="module")
def members(marts: Marts) -> dict[tuple[str, str], dict[str, Any]]:
    found = records(marts.settings, "select * from marts.account_members")
    return {(row["customer_id"], row["account_id"]): row for row in found}


def test_an_account_is_what_its_live_records_say(marts: Marts, accounts: dict[str, dict[str, Any]]) -> None:
    nagel = accounts["a_b_nagel"]
    assert (nagel["status"], nagel["record_count"], nagel["is_key_account"]) == ("active", 3, True)
    assert (nagel["industry"], nagel["parent_account_id"]) == ("Tools", "a_b_holding")
    assert str(nagel["acquired_at"]) == "2021-01-01 00:00:00"
    [profile] = records(marts.settings, "select * from marts.account_profiles where account_id = 'a_b_nagel'")
    assert (profile["name"], profile["vat_id"]) == ("Nagel GmbH", "DE136695976")
    assert (profile["city"], profile["postal_code"]) == ("Ulm", None), "an address is that of one record"


def test_an_account_of_deleted_records_is_deleted(accounts: dict[str, dict[str, Any]]) -> None:
    assert (accounts["a_b_gone"]["status"], accounts["a_b_gone"]["is_key_account"]) == ("deleted", False)


def test_no_account_is_its_own_parent(accounts: dict[str, dict[str, Any]]) -> None:
    assert accounts["a_b_self"]["parent_account_id"] is None


@pytest.mark.parametrize(
    ("customer", "account", "period", "is_current", "is_primary"),
    [
        pytest.param("c_b_mover", "a_b_gone", ("2020", "2025"), False, False, id="the former employer"),
        pytest.param("c_b_mover", "a_b_nagel", ("2025", None), True, True, id="the present employer"),
        pytest.param("c_b_buyer", "a_b_nagel", ("2021", None), True, True, id="over records of one person and company"),
        pytest.param("c_b_adviser", "a_b_nagel", ("2024", None), True, False, id="one of two"),
        pytest.param("c_b_adviser", "a_b_holding", ("2022", None), True, True, id="marked as the primary one"),
        pytest.param("c_b_adviser", "a_b_self", (None, "2026"), False, False, id="taken off the list"),
        pytest.param("c_b_adviser", "a_b_gone", ("2029", "2030"), False, False, id="only in some years"),
    ],
)
def test_who_belongs_to_an_account_and_when(
    members: dict[tuple[str, str], dict[str, Any]],
    customer: str,
    account: str,
    period: tuple[str | None, str | None],
    is_current: bool,
    is_primary: bool,
) -> None:
    row = members[customer, account]
    years = tuple(row[name] and str(row[name].year) for name in ("valid_from", "valid_until"))
    assert (years, row["is_current"], row["is_primary"]) == (period, is_current, is_primary)


def test_an_unknown_company_has_no_members(members: dict[tuple[str, str], dict[str, Any]]) -> None:
    assert sum(customer == "c_b_adviser" for customer, _ in members) == 4


def test_a_role_that_one_alone_has_is_kept_back(members: dict[tuple[str, str], dict[str, Any]]) -> None:
    assert members["c_b_clerk1", "a_b_holding"]["role"] == "purchase"
    assert members["c_b_buyer", "a_b_nagel"]["role"] is None


@pytest.mark.parametrize(
    ("customer", "account", "role"),
    [
        pytest.param("c_b_buyer", "a_b_nagel", "buyer", id="by the function, also where nobody shares it"),
        pytest.param("c_b_clerk1", "a_b_holding", "buyer", id="in English"),
        pytest.param(
            "c_b_mover", "a_b_nagel", "gatekeeper", id="by the job title, the assistant not being the manager"
        ),
        pytest.param("c_b_mover", "a_b_gone", None, id="not at the former employer by the present title"),
        pytest.param("c_b_adviser", "a_b_nagel", None, id="no word that tells one"),
    ],
)
def test_the_part_in_buying(
    members: dict[tuple[str, str], dict[str, Any]], customer: str, account: str, role: str | None
) -> None:
    assert members[customer, account]["buying_role"] == role


@pytest.mark.parametrize(
    ("customer", "account"),
    [("c_b_mover", "a_b_nagel"), ("c_b_adviser", "a_b_holding"), ("c_b_private", None)],
)
def test_the_account_of_a_customer(marts: Marts, customer: str, account: str | None) -> None:
    found = records(marts.settings, f"select account_id from marts.customers where customer_id = '{customer}'")
    assert found == [{"account_id": account}]


@pytest.mark.parametrize(
    ("order", "account", "basis"),
    [
        pytest.param("b_named", "a_b_nagel", "company", id="the company it names"),
        pytest.param("b_then", "a_b_gone", "member", id="the employer of those days"),
        pytest.param("b_now", "a_b_nagel", "member", id="the employer of these days"),
        pytest.param("b_before", None, None, id="before any employer"),
    ],
)
def test_the_account_of_an_order(marts: Marts, order: str, account: str | None, basis: str | None) -> None:
    row = by_id(marts.settings, "orders", "order_key")[order]
    assert (row["account_id"], row["account_basis"]) == (account, basis)


def test_the_value_of_an_account_counts_every_order_once(accounts: dict[str, dict[str, Any]]) -> None:
    nagel = accounts["a_b_nagel"]
    assert (nagel["order_count"], nagel["unconverted_order_count"], nagel["member_count"]) == (2, 1, 3)
    assert (nagel["revenue_amount_base"], nagel["company_revenue_amount_base"]) == (100, 100)
    assert (nagel["deal_count"], nagel["open_deal_count"], nagel["won_deal_count"]) == (2, 1, 1)
    assert nagel["open_deal_amount_base"] == 50
    gone = accounts["a_b_gone"]
    assert (gone["revenue_amount_base"], gone["company_revenue_amount_base"]) == (10, 0)
    assert accounts["a_b_self"]["revenue_amount_base"] == 0
