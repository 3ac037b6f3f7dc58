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


def find_best_pairs(connection: DuckDBPyConnection, truth: str) -> float:
    """The F1 of the best threshold over pairs alone: what can be had by weights without making clusters.

    A pair counts as found when exact rules alone make it one, or from some match weight on. Reads `identity.links`,
    `identity.members` and `pair_weights` (`a`, `b`, `weight`).
    """
    from benchmarks.identity.alternatives import Evidence, connect_all

    exact = connection.execute(
        "select record_key_a, record_key_b from identity.links where method <> 'probabilistic' order by all"
    ).fetchall()
    rows = [[record, group] for record, group in connect_all(Evidence(exact, {})).items()]
    connection.execute("create or replace temp table exact_groups (record_key text, exact_group text)")
    connection.execute(
        "insert into exact_groups select unnest($1), unnest($2)", [[r[0] for r in rows], [r[1] for r in rows]]
    )
    found = connection.execute(
        f"""
        with known as (
            select record_key, person, coalesce(exact_group, record_key) as exact_group
            from {truth} join identity.members using (record_key) left join exact_groups using (record_key)
        ),
        proven as (
            select coalesce(sum((person_count * (person_count - 1)) // 2), 0) as common,
                coalesce(sum((size * (size - 1)) // 2), 0) as found
            from (
                select 0 as size, count(*) as person_count from known group by exact_group, person
                union all
                select count(*), 0 from known group by exact_group)
        ),
        weighed as (
            select weight, count(*) filter (l.person = r.person) as common, count(*) as found
            from pair_weights join known as l on l.record_key = a join known as r on r.record_key = b
            where l.exact_group <> r.exact_group
            group by weight
        ),
        at_threshold as (
            select proven.common as common, proven.found as found from proven
            union all
            select proven.common + sum(w.common) over (order by weight desc),
                proven.found + sum(w.found) over (order by weight desc)
            from weighed as w cross join proven
        ),
        persons as (select count(*) as size from known group by person)
        select max(2 * common / (found + (select sum((size * (size - 1)) // 2) from persons))) from at_threshold
        """
    ).fetchone()
    return float(found[0]) if found and found[0] is not None else 0.0


def _f1(precision: float, recall: float) -> float:
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0
