"""Tables that are published as they are: written once, in the part of the build that becomes the file of a version."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from duckdb import DuckDBPyConnection

from pipelines.build import Build, open_build
from pipelines.configuration import Configuration
from pipelines.settings import Settings
from pipelines.tables import write_published_table
from pipelines.warehouse import RESTRICTED, connect, names_of_tables
from tests.unit.publish.builds import NOW


@pytest.fixture
def build(settings: Settings, configuration: Configuration) -> Iterator[DuckDBPyConnection]:
    opened: Build = open_build(settings, configuration, build_id="run-1", as_of=NOW, now=NOW)
    assert opened.build_id == "run-1"
    with connect(settings.build_warehouse, settings) as connection:
        yield connection


def write(connection: DuckDBPyConnection, value: str) -> None:
    query = f"select 'r_1' as record_key, '{value}' as after"
    write_published_table(connection, "clean.corrections", query, part=RESTRICTED, published="corrections_values")


def test_a_published_table_is_stored_in_its_part_alone_and_found_by_its_own_name(build: DuckDBPyConnection) -> None:
    for value in ("first", "second"):  # a step that is run again
        write(build, value)
    stored = "select database_name, schema_name, table_name from duckdb_tables() where table_name like 'corr%'"
    assert build.execute(stored).fetchall() == [("restricted", "audit", "corrections_values")]
    assert build.execute("from clean.corrections").fetchall() == [("r_1", "second")]
    assert names_of_tables(build) >= {"clean.corrections", "audit.corrections_values"}


def test_a_build_without_parts_keeps_the_table_itself(settings: Settings) -> None:
    with connect(None, settings) as connection:
        connection.execute("create schema clean")
        write(connection, "first")
        assert connection.execute("select schema_name, table_name from duckdb_tables()").fetchall() == [
            ("clean", "corrections")
        ]
