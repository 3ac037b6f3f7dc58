"""Key figures of a build, kept with every audit, so that the report can tell what moved since.

Add a figure here when an owner looks at it first. One number per build each; how it is called is in `report.words`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pipelines.warehouse import names_of_tables

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# By name: the table it is read from, and the expression over its rows.
FIGURES = {
    "customers": ("marts.customers", "count(*)"),
    "person_records": ("identity.members", "count(*)"),
    "merged_records": ("identity.members", "count(*) - count(distinct customer_id)"),
    "orders": ("marts.orders", "count(*)"),
    "revenue": ("marts.customers", "coalesce(sum(revenue_amount_base), 0)::double"),
    "contactable_email": ("marts.customers", "count(*) filter (is_contactable_email)"),
    "contactable_phone": ("marts.customers", "count(*) filter (is_contactable_phone)"),
    "contactable_post": ("marts.customers", "count(*) filter (is_contactable_post)"),
    "corrected_values": ("clean.corrections", "count(*) filter (status = 'applied')"),
    "proposed_corrections": ("clean.corrections", "count(*) filter (status = 'proposed')"),
    "rejected_records": ("raw.rejects", "count(distinct record_key)"),
    "pairs_to_review": ("identity.review_queue", "count(*)"),
}


def read_figures(connection: DuckDBPyConnection) -> Mapping[str, float]:
    """The figures whose tables are in the build."""
    there = names_of_tables(connection)
    by_table: dict[str, dict[str, str]] = {}
    for name, (table, expression) in FIGURES.items():
        if table in there:
            by_table.setdefault(table, {})[name] = expression
    found: dict[str, float] = {}
    for table, expressions in by_table.items():
        row = connection.execute(f"select {', '.join(expressions.values())} from {table}").fetchone() or ()
        found |= {name: value or 0 for name, value in zip(expressions, row, strict=True)}
    return {name: found[name] for name in FIGURES if name in found}


def read_model_version(connection: DuckDBPyConnection) -> str | None:
    """The version in which the model was learned that linked the records of the build; None when none was used."""
    is_there = connection.execute(
        "select count(*) from duckdb_tables() where schema_name = 'identity' and table_name = 'model'"
    ).fetchone()
    row = connection.execute("select max(model_version) from identity.model").fetchone() if is_there == (1,) else None
    return row[0] if row else None
