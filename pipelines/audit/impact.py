"""Whom a rule that fails concerns: customers and their revenue, from the keys of the failing rows.

Add here how far a finding reaches. Keys come in, figures go out; values are never looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True)
class Impact:
    """Customers behind failing rows, and their revenue so far in base currency; at least, where keys are capped."""

    customers: int
    revenue: float


def measure_impacts(connection: DuckDBPyConnection, failing: str) -> dict[tuple[str, str], Impact]:
    """Whom failing rows concern, by rule and object; only where a row is known to be a customer's.

    Args:
        connection: to the build.
        failing: a relation with the columns `rule_id`, `object` and `customer_id`.
    """
    rows = connection.execute(
        f"""
        with concerned as (select distinct rule_id, object, customer_id from {failing} where customer_id is not null)
        select rule_id, object, count(*), sum(coalesce(revenue_amount_base, 0))
        from concerned inner join marts.customers using (customer_id)
        group by rule_id, object
        """
    ).fetchall()
    return {(rule, name): Impact(count, round(float(revenue), 2)) for rule, name, count, revenue in rows}
