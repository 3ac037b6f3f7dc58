"""Failing rows are counted and named in one pass: all are counted, each key is named once, the smallest first."""

from __future__ import annotations

import duckdb
import pytest

from pipelines.audit.naming import NamedRows, columns_of, name_rows

ROWS = """
    select * from (values ('b', 'crm', 'c_2', 'Anna'), ('a', 'crm', null, 'Eva'), ('b', 'crm', 'c_1', 'Anna'),
    (null, 'shop', null, 'Jan')) as t(record_key, source_system, customer_id, first_name)
"""


def name(query: str, grain: tuple[str, ...] = (), limit: int = 10) -> NamedRows:
    with duckdb.connect() as connection:

        def fetch(sql: str) -> list[tuple[object, ...]]:
            return connection.execute(sql).fetchall()

        return name_rows(fetch, query, columns_of(fetch, query), grain, limit)


@pytest.mark.parametrize(
    ("query", "grain", "limit", "expected"),
    [
        pytest.param(
            *(ROWS, ("record_key",), 10),
            NamedRows(4, "record_key", [("a", None), ("b", "c_1"), ("null", None)]),
            id="by the grain of the table, with the customer",
        ),
        pytest.param(
            *(ROWS, ("record_key",), 1), NamedRows(4, "record_key", [("a", None)]), id="no more than asked for"
        ),
        pytest.param(
            *(f"select source_system, first_name from ({ROWS})", ("record_key",), 10),
            NamedRows(4, "source_system", [("crm", None), ("shop", None)]),
            id="by what else names a row, never by a value",
        ),
        pytest.param(
            *(f"select first_name from ({ROWS})", (), 10), NamedRows(4), id="only counted where nothing names a row"
        ),
        pytest.param(
            *(f"{ROWS} where record_key = 'z'", ("record_key",), 10),
            NamedRows(0, "record_key", []),
            id="none",
        ),
    ],
)
def test_rows_are_counted_and_named(query: str, grain: tuple[str, ...], limit: int, expected: NamedRows) -> None:
    assert name(query, grain, limit) == expected
