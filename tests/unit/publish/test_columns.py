"""What a table must say about itself before it may leave a build."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pipelines import warehouse
from pipelines.errors import BuildError
from pipelines.publish.columns import describe_tables, find_gaps, register_columns
from pipelines.settings import Settings
from pipelines.transform import load_manifest
from tests.unit.publish.builds import PLAIN, describe, manifest


def test_every_published_table_of_the_project_says_what_it_is() -> None:
    tables = describe_tables(load_manifest())
    assert find_gaps(tables) == []
    assert {"meta.columns", "meta.version"} <= {table.full_name for table in tables}


@pytest.mark.usefixtures("ready")
def test_every_column_of_a_published_table_is_registered(settings: Settings) -> None:
    with warehouse.connect(settings.build_warehouse, settings, read_only=True) as connection:
        rows = connection.execute(
            "select table_name, column_name, position, data_type, is_personal, owner, file, description, purpose "
            "from meta.columns where schema_name = 'marts' and table_name <> 'customer_contact_points' order by all"
        ).fetchall()
    assert rows == [
        ("customer_profiles", "customer_id", 1, "VARCHAR", True, "unify", "restricted", "The customer_id.", "test"),
        ("customer_profiles", "first_name", 2, "VARCHAR", True, "unify", "restricted", "The first_name.", "test"),
        ("customer_profiles", "last_name", 3, "VARCHAR", True, "unify", "restricted", "The last_name.", "test"),
        ("customer_profiles", "salutation", 4, "VARCHAR", True, "unify", "restricted", "The salutation.", "test"),
        ("customers", "country", 2, "VARCHAR", False, "unify", "warehouse", "The country.", "test"),
        ("customers", "customer_id", 1, "VARCHAR", True, "unify", "warehouse", "The customer_id.", "test"),
    ]


def forget_the_file(described: dict[str, Any]) -> None:
    del described["nodes"]["marts.customers"]["config"]["meta"]["file"]


def misspell_the_file(described: dict[str, Any]) -> None:
    described["nodes"]["marts.customers"]["config"]["meta"]["file"] = "open"


def forget_whether_it_is_personal(described: dict[str, Any]) -> None:
    described["nodes"]["marts.customers"]["columns"]["country"]["config"]["meta"] = {}


def forget_a_description(described: dict[str, Any]) -> None:
    described["nodes"]["marts.customers"]["columns"]["country"]["description"] = " "


def forget_a_column(described: dict[str, Any]) -> None:
    del described["nodes"]["marts.customers"]["columns"]["country"]


def invent_a_column(described: dict[str, Any]) -> None:
    described["nodes"]["marts.customers"]["columns"]["age"] = {"name": "age", "description": "x", "meta": PLAIN}


def invent_a_table(described: dict[str, Any]) -> None:
    described["nodes"]["marts.ghosts"] = describe("marts.ghosts", "warehouse", {"a": PLAIN})


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (forget_the_file, "marts.customers does not say to which file it belongs"),
        (misspell_the_file, "marts.customers does not say to which file it belongs"),
        (forget_whether_it_is_personal, "marts.customers.country lacks `personal"),
        (forget_a_description, "marts.customers.country lacks a description"),
        (forget_a_column, "marts.customers.country was built but is not described"),
        (invent_a_column, "marts.customers.age is described but was not built"),
        (invent_a_table, "marts.ghosts is described but was not built"),
    ],
    ids=lambda value: value.__name__.replace("_", " ") if callable(value) else "",
)
@pytest.mark.usefixtures("ready")
def test_a_table_that_is_not_described_as_it_is_cannot_be_published(
    settings: Settings, spoil: Callable[[dict[str, Any]], None], expected: str
) -> None:
    described = manifest()
    spoil(described)
    with warehouse.connect(settings.build_warehouse, settings) as connection:
        with pytest.raises(BuildError, match=expected):
            register_columns(connection, described)
        assert connection.execute("select count(*) from meta.columns").fetchone() == (0,)


def test_tables_a_stage_keeps_to_itself_need_no_description() -> None:
    described = manifest()
    described["sources"]["raw"] = {**describe("raw.crm_contacts", "x", {}, kind="source"), "config": {}}
    described["sources"]["audit"] = {**describe("audit.inner", "x", {}, kind="source"), "config": {}}
    names = {table.full_name for table in describe_tables(described)}
    assert names.isdisjoint({"raw.crm_contacts", "audit.inner"})
