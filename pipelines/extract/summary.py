"""What became of deliveries, as small tables for people: counts, names and reasons, never values.

Add a column here when somebody who looks at a run should see it. The figures themselves are made in `raw`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MOST_ROWS = 100  # of a table; there are fewer sources and reasons in practice
Table = tuple[Sequence[str], list[tuple[Any, ...]]]


def summarize_reconciliation(connection: DuckDBPyConnection) -> Table:
    """One row per source and entity: when it was read last, and what became of what was delivered since publishing."""
    header = (
        *("source", "entity", "read at", "loads", "delivered", "new", "changed", "unchanged", "revived", "rejected"),
        *("superseded", "repeated", "deleted", "failed at"),
    )
    rows = connection.execute(
        f"""
        select source_system, entity, strftime(loaded_at, '%Y-%m-%d %H:%M'), load_count, delivered_count, new_count,
            changed_count, unchanged_count, revived_count, rejected_count, superseded_count, repeated_count,
            deleted_count, strftime(failed_at, '%Y-%m-%d %H:%M')
        from raw.reconciliation
        order by source_system, entity
        limit {MOST_ROWS}
        """
    ).fetchall()
    return header, rows


def summarize_rejects(connection: DuckDBPyConnection) -> Table:
    """One row per source, entity, field and reason: how many records are refused, and since when."""
    rows = connection.execute(
        f"""
        select source_system, entity, field, value_class, count(*), strftime(min(rejected_at), '%Y-%m-%d %H:%M')
        from raw.rejects
        group by source_system, entity, field, value_class
        order by count(*) desc, source_system, entity, field, value_class
        limit {MOST_ROWS}
        """
    ).fetchall()
    return ("source", "entity", "field", "what it is", "records", "since"), rows
