"""Households: persons of one last name at one address, and nobody else."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.settings import PROJECT_DIR
from tests.unit.unify.conftest import Marts
from tests.unit.unify.world import World, records

HOME = {"street": "Seeweg", "house_number": "3", "postal_code": "88131", "city": "Lindau", "country": "DE"}


def state_facts(world: World) -> None:
    def live(name: str, *, last_name: str | None = "Seemann", **columns: Any) -> None:
        world.person(f"c_h_{name}", f"h_{name}", "shop", last_name=last_name, **(HOME | columns))

    live("mother", created_at="2020-01-01")
    live("father", last_name="SEEMANN", created_at="2021-01-01")
    live("aunt", last_name="Seemann", street="See-Weg", created_at="2024-01-01")
    live("child", birth_date="2015-01-01", created_at="2025-01-01")
    live("guest", last_name="Gast")
    live("neighbour", house_number="5")
    live("unnamed", last_name=None)
    live("firm", kind="company_contact")
    live("dead", is_deceased=True)
    live("gone", is_deleted=True)
    for number in range(11):
        live(f"home{number}", last_name="Heim", street="Am Heim")
    world.order("h_order1", "h_mother")
    world.line("h_line1", "h_order1", 1, "10.00")
    world.order("h_order2", "h_father")
    world.line("h_line2", "h_order2", 1, "5.00")


@pytest.fixture(scope="module")
def members(marts: Marts) -> dict[str, tuple[str, bool]]:
    found = records(marts.settings, "select * from marts.household_members where customer_id like 'c_h_%'")
    return {row["customer_id"]: (row["household_id"], row["is_oldest"]) for row in found}


def test_who_lives_together(members: dict[str, tuple[str, bool]]) -> None:
    assert members == {
        "c_h_mother": ("h_h_mother", True),
        "c_h_father": ("h_h_mother", False),
        "c_h_aunt": ("h_h_mother", False),
        "c_h_child": ("h_h_mother", False),
    }


def test_what_a_household_is_worth(marts: Marts) -> None:
    [household] = records(marts.settings, "select * from marts.households where household_id = 'h_h_mother'")
    assert (household["member_count"], household["minor_count"], household["country"]) == (4, 1, "DE")
    assert (household["order_count"], household["revenue_amount_base"]) == (2, 15)


def test_a_household_never_makes_two_people_one(marts: Marts, members: dict[str, tuple[str, bool]]) -> None:
    found = records(marts.settings, "select customer_id from marts.customers where customer_id like 'c_h_%'")
    assert set(members) <= {row["customer_id"] for row in found}
    graph = (PROJECT_DIR / "tests" / "architecture" / "graph.txt").read_text(encoding="utf-8")
    resolve = [line for line in graph.splitlines() if line.startswith("resolve ")]
    assert resolve
    assert not [line for line in resolve if "household" in line], "who is who is decided before, without households"
