"""dbt's staging models and the description of the raw tables agree with the canonical entities."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines import transform, warehouse
from pipelines.entities import ENTITIES, Entity
from pipelines.settings import DBT_PROJECT_DIR, Settings
from tests.raw_tables import LEDGER_TABLES, raw_columns

STAGING = DBT_PROJECT_DIR / "models" / "staging"


@pytest.fixture(scope="module")
def described() -> dict[str, dict[str, Any]]:
    (source,) = yaml.safe_load((STAGING / "_raw.yml").read_text(encoding="utf-8"))["sources"]
    return {table["name"]: table for table in source["tables"]}


def test_every_raw_table_is_described_with_every_column_and_its_type(described: dict[str, dict[str, Any]]) -> None:
    expected = {entity.table: raw_columns(entity) for entity in ENTITIES.values()} | LEDGER_TABLES
    assert {
        name: {column["name"]: column["data_type"] for column in table["columns"]} for name, table in described.items()
    } == expected


def test_every_description_says_something_and_that_of_a_table_its_grain(described: dict[str, dict[str, Any]]) -> None:
    assert [name for name, table in described.items() if "One row per " not in table["description"]] == []
    columns = [(name, c) for name, table in described.items() for c in table["columns"]]
    assert [(name, c["name"]) for name, c in columns if len(c.get("description", "")) < 5] == []


@pytest.mark.parametrize("entity", ENTITIES.values(), ids=lambda entity: entity.table)
def test_a_staging_model_has_the_columns_of_its_raw_table_and_whether_it_is_deleted(
    staged_warehouse: Path, settings: Settings, entity: Entity
) -> None:
    with warehouse.connect(staged_warehouse, settings, read_only=True) as connection:
        found = connection.execute(f"describe staging.stg_{entity.role}__{entity.name}").fetchall()
    assert {row[0]: row[1] for row in found} == raw_columns(entity) | {"is_deleted": "BOOLEAN"}
    assert [row[0] for row in found][:-1] == list(raw_columns(entity))


def test_every_staging_test_can_be_shown_as_a_row_of_the_audit() -> None:
    models = yaml.safe_load((STAGING / "_staging.yml").read_text(encoding="utf-8"))["models"]
    assert {m["name"] for m in models} == {f"stg_{e.role}__{e.name}" for e in ENTITIES.values()}
    tests = [
        test
        for model in models
        for tested in (model, *model["columns"])
        for entry in tested.get("data_tests", [])
        for test in entry.values()
    ]
    metas = [test["config"]["meta"] for test in tests]
    ids = [meta["rule_id"] for meta in metas]
    assert len(ids) == len(set(ids)) >= len(models)
    assert all("dbt_001" <= rule_id <= "dbt_049" for rule_id in ids)
    needed = {"rule_id", "severity", "dimension", "description_de", "remedy", "owner"}
    assert all(needed <= set(meta) for meta in metas)
    assert all(test["description"] for test in tests)


def test_white_space_of_every_kind_is_trimmed_and_empty_text_is_null(build_warehouse: Any, settings: Any) -> None:
    build_warehouse(
        {
            "crm_contacts": [
                {"source_record_id": "1", "first_name": "\u00a0 Anna\t\u200b", "last_name": " \u00a0"},
                {"source_record_id": "2", "merged_into_record_id": "1"},
                {"source_record_id": "3", "merged_into_record_id": " "},
            ]
        }
    )
    with warehouse.connect(settings.build_warehouse, settings) as connection:
        rows = connection.execute(
            "select first_name, last_name, is_deleted from staging.stg_crm__contacts order by source_record_id"
        ).fetchall()
    assert rows == [("Anna", None, False), (None, None, True), (None, None, False)]


def test_the_data_tests_find_a_repeated_key_a_missing_key_and_a_missing_order(
    build_warehouse: Any, settings: Settings
) -> None:
    build_warehouse(
        {
            "crm_contacts": [{"source_record_id": "1"}, {"source_record_id": "1"}],
            "shop_products": [{"source_record_id": None}],
            "shop_orders": [{"source_record_id": "o"}],
            "shop_order_lines": [
                {"source_record_id": "l1", "order_record_id": "o"},
                {"source_record_id": "l2", "order_record_id": "lost"},
            ],
        }
    )
    results = transform.run_dbt(settings, "test", ["staging,test_type:generic"])
    found = {result.name: result for result in results if "_stg_" in result.name}
    assert len(found) >= 24
    assert {name: result.failures for name, result in found.items() if result.status != "pass"} == {
        "key_is_unique_stg_crm__contacts_record_key": 1,
        "key_is_unique_stg_shop__products_record_key": 1,
        "relationships_stg_shop__order_lines_order_record_key__record_key__ref_stg_shop__orders_": 1,
    }
