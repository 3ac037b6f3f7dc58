"""What a failing row is called: by its keys, never by a value, and only the first so many.

Add here what may name a failing row. Which rows fail is said by `failing_rows`, whose they are by `failures`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.warehouse import identifier

# Columns that name a row without telling anything of a person, beside the keyed hashes, which end with `_key`.
NAMING = frozenset(
    {
        *("customer_id", "current_customer_id", "account_id", "household_id"),
        *("source_system", "entity", "field", "currency", "controller", "channel", "purpose", "audience"),
        *("schema_name", "table_name", "column_name", "base_version", "version", "line", "metric", "figure", "part"),
    }
)

Fetch = Callable[[str], Sequence[Sequence[Any]]]


@dataclass(frozen=True)
class NamedRows:
    """How many rows there are, and what the first of them are called.

    Attributes:
        key_name: the columns that name them, e.g. `record_key` or `source_system, entity`; None when none does.
        keys: their values, each once and in their order, with the customer that the row says it belongs to.
    """

    count: int
    key_name: str | None = None
    keys: Sequence[tuple[str, str | None]] = ()


def is_naming(column: str) -> bool:
    """Whether a column may name a failing row."""
    return column in NAMING or column.endswith("_key")


def columns_of(fetch: Fetch, query: str) -> list[str]:
    """The columns of a query."""
    return [str(row[0]) for row in fetch(f"describe {query}")]


def name_rows(fetch: Fetch, query: str, columns: Sequence[str], grain: Sequence[str], limit: int) -> NamedRows:
    """Count and name the rows of a query in one pass: to name them takes little when they are found anyway.

    Args:
        fetch: runs one statement and returns its rows.
        query: SQL of the rows.
        columns: those of the query.
        grain: the columns that name a row of its table, which are preferred where the query has them.
        limit: how many are named.
    """
    key = [c for c in (grain if grain and set(grain) <= set(columns) else columns) if is_naming(c)]
    if not key:
        [(count,)] = fetch(f"select count(*) from ({query})")
        return NamedRows(int(count))
    shown = ", ', ', ".join(f"coalesce({identifier(column)}::varchar, 'null')" for column in key)
    customer = "customer_id" if "customer_id" in columns else "null"
    named = f"select concat({shown}) as key, min({customer})::varchar as customer_id, count(*) as n"
    kept = f"min(struct_pack(key := key, customer_id := customer_id), {limit})"
    [(count, first)] = fetch(f"select coalesce(sum(n), 0), {kept} from ({named} from ({query}) group by 1)")
    return NamedRows(int(count), ", ".join(key), [(row["key"], row["customer_id"]) for row in first or ()])
