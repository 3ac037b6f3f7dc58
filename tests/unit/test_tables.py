"""Tables of the build hold what their query gives, in its types; only texts that seldom repeat are not compressed.

Those that are published as they are are written once, in the part of the build that becomes the file of a version.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from duckdb import DuckDBPyConnection

from pipelines.build import open_build
from pipelines.configuration import Configuration
from pipelines.settings import Settings
from pipelines.tables import write_published_table, write_table
from pipelines.warehouse import OWN_STORAGE, RESTRICTED, connect, names_of_tables
from tests.unit.publish.builds import NOW

ROWS = 5_000


@pytest.mark.parametrize(
    ("column", "is_compressed"),
    [
        ("record_key", False),
        ("customer_record_id", False),
        ("billing_email", False),
        ("identifiers::json", False),
        ("status", True),
        ("city", True),
        ("product_record_key", True),
        ("campaign_record_id", True),
    ],
)
def test_what_seldom_repeats_is_stored_as_it_is(
    tmp_path: Path, settings: Settings, column: str, is_compressed: bool
) -> None:
    name, _, kind = column.partition("::")
    value = f"json_object('number', i % 50)::{kind or 'varchar'}"
    with connect(tmp_path / "a.duckdb", settings, storage=OWN_STORAGE) as connection:
        write_table(connection, "kept", f"select {value} as {name} from range({ROWS}) as t(i)")
        connection.execute("checkpoint")
        found = connection.execute(
            "select distinct compression from pragma_storage_info('kept') where segment_type in ('VARCHAR', 'JSON')"
        ).fetchall()
    assert ({"Uncompressed"} != {compression for (compression,) in found}) is is_compressed


def test_a_table_is_replaced_by_the_rows_and_types_of_the_query(settings: Settings) -> None:
    query = "select 1 as id, 2.50::decimal(18, 4) as amount, ['a'] as names, null::timestamp as at order by id"
    with connect(None, settings) as connection:
        connection.execute("create table kept (old text)")
        assert write_table(connection, "kept", query) == 1
        assert connection.execute("from kept").fetchall() == connection.execute(query).fetchall()
        types = [kind for _, kind, *_ in connection.execute("describe kept").fetchall()]
    assert types == ["INTEGER", "DECIMAL(18,4)", "VARCHAR[]", "TIMESTAMP"]


@pytest.fixture
def build(settings: Settings, configuration: Configuration) -> Iterator[DuckDBPyConnection]:
    open_build(settings, configuration, build_id="run-1", as_of=NOW, now=NOW)
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
