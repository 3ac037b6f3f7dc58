"""How many rows the tables of a step have, and small tables as the UI shows them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

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


def as_markdown(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table in Markdown; an empty one says that there is nothing."""
    lines = ["| " + " | ".join("" if cell is None else str(cell) for cell in row) + " |" for row in rows]
    if not lines:
        return "Nothing."
    return "\n".join([f"| {' | '.join(header)} |", "|" + " --- |" * len(header), *lines])
