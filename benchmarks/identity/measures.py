"""Pairwise and B-cubed figures of a clustering against truth.

Add a measure here when it can be computed from the two assignments alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True)
class Quality:
    """Figures of final clusters; all shares from 0 to 1.

    Attributes:
        precision, recall, f1: over pairs of records.
        b_cubed_f1: over records (Bagga and Baldwin 1998).
        mixed_share: share of the customers that hold records of more than one person.
        largest: records in the largest cluster.
        records, persons, customers: counts of the records with known truth.
    """

    precision: float
    recall: float
    f1: float
    b_cubed_f1: float
    mixed_share: float
    largest: int
    records: int
    persons: int
    customers: int


def measure(connection: DuckDBPyConnection, members: str, truth: str) -> Quality:
    """Compare `members` (`record_key`, `customer_id`) with `truth` (`record_key`, `person`), both tables or queries."""
    cursor = connection.execute(
        f"""
        with joined as (select record_key, customer_id, person from {members} join {truth} using (record_key)),
        cells as (select customer_id, person, count(*) as c from joined group by all),
        customers as (select customer_id, sum(c) as c, count(*) as persons from cells group by customer_id),
        persons as (select person, sum(c) as c from cells group by person),
        pairs as (
            select (select sum(c * (c - 1) / 2) from cells) as common,
                (select sum(c * (c - 1) / 2) from customers) as found,
                (select sum(c * (c - 1) / 2) from persons) as real
        ),
        b_cubed as (
            select sum(cells.c * cells.c / customers.c) / sum(cells.c) as precision,
                sum(cells.c * cells.c / persons.c) / sum(cells.c) as recall
            from cells join customers using (customer_id) join persons using (person)
        )
        select common, found, real, precision, recall, (select avg((persons > 1)::integer) from customers),
            (select max(c) from customers), (select count(*) from joined), (select count(*) from persons),
            (select count(*) from customers)
        from pairs, b_cubed
        """
    )
    both, found, real, b_precision, b_recall, mixed, largest, records, persons, customers = cursor.fetchall()[0]
    precision, recall = both / found if found else 1.0, both / real if real else 1.0
    return Quality(
        precision,
        recall,
        _f1(precision, recall),
        _f1(b_precision, b_recall),
        mixed,
        int(largest),
        records,
        persons,
        customers,
    )


def _f1(precision: float, recall: float) -> float:
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0
