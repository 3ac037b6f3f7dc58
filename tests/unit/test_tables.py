"""Tables of the build hold what their query gives, in its types; only texts that seldom repeat are not compressed."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.settings import Settings
from pipelines.tables import write_table
from pipelines.warehouse import OWN_STORAGE, connect

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
