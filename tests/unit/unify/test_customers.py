"""The unified customer, the checks on it, and what must not be in it."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from pipelines.settings import DBT_PROJECT_DIR
from pipelines.transform import load_manifest, run_dbt
from tests.unit.unify.conftest import Marts
from tests.unit.unify.world import World, records

# Data tests that the facts of these modules break on purpose.
BROKEN_ON_PURPOSE = {"lines_have_order"}


def state_facts(world: World) -> None:
    world.person("c_c_minor", "c_minor", "shop", birth_date="2010-07-01", email="minor@c.example", country="DE")
    world.permission(
        "perm_minor",
        email="minor@c.example",
        status="granted",
        given_at="2026-01-01",
        confirmed_at="2026-01-01",
    )
    world.person("c_c_eighteen", "c_eighteen", "shop", birth_date="2008-06-30", region="Bayern")
    world.person("c_c_gone", "c_gone", "crm", is_deleted=True, email="gone@c.example")
    world.person("c_c_gone", "c_gone", "shop", is_inferred=True)
    world.person("c_c_firm", "c_firm", "crm", kind="company_contact", created_at="2024-01-01", region="DE-BY")
    world.person("c_c_firm", "c_firm", "shop", lead_source="fair", lifecycle_stage="Customer", updated_at="2026-05-01")
    world.record(
        "support_ratings", "rated", contact_record_id="x_angry", score=4, scale_max=5, comment="Max M. was rude"
    )
    world.person("c_x_rater", "rater", "support")
    for number in range(5):
        world.returned(f"shared{number}", order_record_id="net", amount=0, reason="too small")
    world.returned("typed", order_record_id="net", amount=0, reason="my name is Max")


def _customer(marts: Marts, customer_id: str) -> dict[str, Any]:
    [row] = records(marts.settings, f"select * from marts.customers where customer_id = '{customer_id}'")
    return row


def test_every_data_test_passes_except_where_the_facts_break_it(marts: Marts) -> None:
    failing = {name for name, result in marts.results.items() if result.status not in {"success", "pass"}}
    assert failing == BROKEN_ON_PURPOSE


def test_every_unit_test_of_the_models_passes(marts: Marts) -> None:
    results = run_dbt(marts.settings, "test", ["intermediate", "marts"], unit_tests=True)
    assert len(results) >= 6
    assert {r.name: r.status for r in results if r.status != "pass"} == {}


def test_the_top_share_is_counted_exactly(marts: Marts) -> None:
    # In binary, three times a fifth is more than .6, and one customer too many would be in the tier.
    assert records(marts.settings, "select top_share * 3 = 0.6 as is_exact from config.value") == [{"is_exact": True}]


def test_a_minor_is_not_advertised_to(marts: Marts) -> None:
    minor = _customer(marts, "c_c_minor")
    assert (minor["processing_status"], minor["age_band"], minor["is_contactable_email"]) == ("minor", "0-17", False)
    assert _customer(marts, "c_c_eighteen")["age_band"] == "18-24"


def test_a_customer_of_deleted_records_is_deleted(marts: Marts) -> None:
    gone = _customer(marts, "c_c_gone")
    assert (gone["status"], gone["record_count"], gone["has_crm"]) == ("deleted", 2, False)


def test_what_the_records_say_together(marts: Marts) -> None:
    firm = _customer(marts, "c_c_firm")
    assert (firm["kind"], firm["acquisition_source"], firm["lifecycle_stage"]) == ("company_contact", "crm", "customer")
    assert (firm["source_count"], firm["has_crm"], firm["has_support"]) == (2, True, False)


@pytest.mark.parametrize(("customer", "region"), [("c_c_firm", "DE-BY"), ("c_c_eighteen", None)])
def test_only_a_region_code_is_published(marts: Marts, customer: str, region: str | None) -> None:
    assert _customer(marts, customer)["region"] == region


def test_what_was_typed_is_kept_from_the_facts(marts: Marts) -> None:
    found = records(marts.settings, "select distinct reason from marts.returns order by 1 nulls last")
    assert [row["reason"] for row in found] == ["too small", None]
    texts = records(marts.settings, "select text from marts.free_texts where field in ('reason', 'comment')")
    assert {"my name is Max", "Max M. was rude"} <= {row["text"] for row in texts}


def test_a_rating_belongs_to_its_customer(marts: Marts) -> None:
    [rating] = records(marts.settings, "select * from marts.ratings where customer_id = 'c_x_angry'")
    assert (rating["score"], rating["score_share"]) == (4, 0.8)


def test_a_second_build_changes_nothing(marts: Marts) -> None:
    tables = (
        *("marts.customers", "marts.orders", "marts.permissions_current", "activation.exclusions"),
        *("marts.accounts", "marts.account_members", "marts.household_members", "marts.interactions", "marts.deals"),
    )
    before = [records(marts.settings, f"select * from {table} order by all") for table in tables]
    run_dbt(marts.settings, "run", ["intermediate", "marts"])
    assert [records(marts.settings, f"select * from {table} order by all") for table in tables] == before


def test_pseudonymous_tables_carry_no_identifier() -> None:
    identifying = {
        *("first_name", "last_name", "full_name", "email", "phone", "mobile", "street", "house_number", "birth_date"),
        *("value", "text", "subject", "comment", "tags", "source_record_id", "city", "postal_code", "url", "owner"),
    }
    manifest = load_manifest()
    published = [n for n in manifest["nodes"].values() if n["config"].get("meta", {}).get("file") == "warehouse"]
    assert len(published) >= 14
    found = {f"{n['name']}.{c}" for n in published for c in n["columns"] if c in identifying}
    assert found == {"customer_attributes.value"}  # only what many share, or a short number


def test_every_published_table_says_its_grain_and_what_each_column_is_for() -> None:
    for file in (DBT_PROJECT_DIR / "models" / "marts").glob("*/*.yml"):
        [model] = yaml.safe_load(file.read_text())["models"]
        assert "One row per" in model["description"], model["name"]
        assert {"file", "owner", "retention"} <= set(model["config"]["meta"]), model["name"]
        for column in model["columns"]:
            meta = column["config"]["meta"]
            assert column["description"].endswith("."), (model["name"], column["name"])
            assert isinstance(meta["personal"], bool), (model["name"], column["name"])
            assert meta["purpose"], (model["name"], column["name"])


def test_every_data_test_is_a_rule_of_its_own() -> None:
    tests = [
        node
        for node in load_manifest()["nodes"].values()
        if node["resource_type"] == "test"
        and node["path"].partition("/")[0] != "staging"
        and str(node["config"]["meta"].get("rule_id", "")) >= "dbt_050"
    ]
    ids = [node["config"]["meta"]["rule_id"] for node in tests]
    assert len(ids) == len(set(ids)) >= 45
    for node in tests:
        missing = {"name", "severity", "dimension", "owner", "description_de", "remedy"} - set(node["config"]["meta"])
        assert not missing, (node["name"], missing)
