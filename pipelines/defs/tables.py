"""How many rows the tables of a step have."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pipelines.warehouse import identifier

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def count_tables(connection: DuckDBPyConnection, schema: str, tables: Iterable[str]) -> dict[str, int]:
    """Row counts by table name."""
    found = {}
    for table in tables:
        row = connection.execute(f"select count(*) from {identifier(schema)}.{identifier(table)}").fetchone()
        found[table] = int(row[0]) if row else 0
    return found
