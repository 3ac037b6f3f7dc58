"""What is known about customers beside the golden record."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.unify.conftest import Marts
from tests.unit.unify.world import World, records


def state_facts(world: World) -> None:
    anna = world.person("c_a_anna", "a_anna", "crm", email="anna@attr.example", updated_at="2026-03-01")
    shop = world.person("c_a_anna", "a_anna", "shop", updated_at="2026-04-01")
    gone = world.person("c_a_gone", "a_gone", "crm", is_deleted=True)
    for key, name, value in (
        (anna, "shoe_size", "42.5"),
        (shop, "shoe_size", "43.0"),
        (anna, "vip", "true"),
        (anna, "note", "likes Max"),
        (anna, "card", "40001234567"),
        (gone, "shoe_size", "39"),
    ):
        world.custom_field(key, name, value)
    world.attribute("a_1", "a_anna", name="Income", value="low", observed_at="2025-01-01", license="one year")
    world.attribute("a_2", email="anna@attr.example", name="income", value="high", observed_at="2026-01-01")
    world.attribute("a_3", "a_anna", name="income", value="none", observed_at="2026-05-01", deleted_at="2026-05-02")
    world.attribute("a_4", "a_anna", name="income", group="Behavioral", value="undated")
    world.attribute("a_5", email="stranger@attr.example", name="income", value="high")
    world.attribute("a_6", "a_anna", name="empty")
    for number in range(5):
        world.person(f"c_a_{number}", f"a_{number}", "crm")
        world.attribute(f"a_shared{number}", f"a_{number}", name="income", value="high")


def _attributes(marts: Marts, customer_id: str) -> dict[tuple[str, str], dict[str, Any]]:
    found = records(marts.settings, f"select * from marts.customer_attributes where customer_id = '{customer_id}'")
    return {(row["attribute_group"], row["attribute"]): row for row in found}


@pytest.mark.parametrize(
    ("attribute", "value", "inferred", "provider", "source"),
    [
        pytest.param(("sociodemographic", "income"), "high", True, "Atlas", "enrichment", id="the latest, by address"),
        pytest.param(("behavioral", "income"), None, True, "Atlas", "enrichment", id="another group is another one"),
        pytest.param(("custom", "shoe_size"), "43.0", False, None, "shop", id="the latest of two records"),
        pytest.param(("custom", "vip"), "true", False, None, "crm", id="yes or no is shown"),
        pytest.param(("custom", "note"), None, False, None, "crm", id="what somebody typed is not shown"),
        pytest.param(("custom", "card"), None, False, None, "crm", id="a number that may be a card is not shown"),
    ],
)
def test_an_attribute_of_a_customer(
    marts: Marts, attribute: tuple[str, str], value: str | None, inferred: bool, provider: str | None, source: str
) -> None:
    found = _attributes(marts, "c_a_anna")
    assert set(found) == {
        *(("sociodemographic", "income"), ("behavioral", "income")),
        *(("custom", name) for name in ("shoe_size", "vip", "note", "card")),
    }
    row = found[attribute]
    assert (row["value"], row["is_inferred"], row["provider"], row["source_system"]) == (
        value,
        inferred,
        provider,
        source,
    )


def test_a_deleted_record_says_nothing_about_its_customer(marts: Marts) -> None:
    assert _attributes(marts, "c_a_gone") == {}


def test_what_is_not_shown_is_kept_with_the_texts(marts: Marts) -> None:
    found = records(
        marts.settings,
        "select entity, field, text from marts.free_texts where entity in ('contacts', 'attributes') order by text",
    )
    assert [tuple(row.values()) for row in found] == [
        ("contacts", "card", "40001234567"),
        ("contacts", "note", "likes Max"),
        ("attributes", "income", "undated"),
    ]
