"""What this build does to the customers of the published version, before anybody sees it.

Add here a figure by which a large or absurd change shows. How much is too much is said by the rules of the suite
`identity`; nothing here judges.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from pipelines.warehouse import literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.build import Build
    from pipelines.settings import Settings

# A customer of fewer records cannot fall into two parts that are more than a record each.
TWO_PARTS = 4


@dataclass(frozen=True)
class IdentityDiff:
    """The row of `identity.diff`. Without a published version everything before is 0.

    So it is where files of the published version are missing: `missing_base_files` counts them, and the audit refuses.

    Attributes:
        customers_before, customers_now, records_before, records_now: counts of the published version and of this build.
        created: customers with an id that was issued in this build.
        merged, split, joined, gone: customers of the published version by what happens to them (see `write_diff`).
        moved_records: records that are another customer's than before.
        largest_before, largest_now: records of the largest customer.
        held_by_one_edge: customers of two parts, two records or more each, that only one weighed pair holds together.
        revenue_before, revenue_affected, consents_before, consents_affected: of the published version; affected are
            those of customers who were merged, split or joined.
    """

    customers_before: int
    customers_now: int
    records_before: int
    records_now: int
    created: int
    merged: int
    split: int
    joined: int
    gone: int
    moved_records: int
    largest_before: int
    largest_now: int
    held_by_one_edge: int
    revenue_before: float
    revenue_affected: float
    consents_before: int
    consents_affected: int
    missing_base_files: int


def write_diff(connection: DuckDBPyConnection, settings: Settings, build: Build) -> IdentityDiff:
    """Write `identity.id_changes`, one row per customer of the published version, and `identity.diff`, one row.

    What happens to a customer is one of

        unchanged: all records that are still there, and no other customer's.
        joined: records of other customers came to it.
        split: its records are several customers' now.
        merged: all its records are one other customer's now.
        gone: none of its records is there any more.
    """
    missing = _read_published(connection, settings, build)
    connection.execute(_CHANGES)
    cursor = connection.execute(_FIGURES.format(version=literal(build.version)))
    names = [column[0] for column in cursor.description]
    figures = dict(zip(names, cursor.fetchone() or (), strict=True))
    edges = connection.execute(_EDGES, [TWO_PARTS]).fetchall()
    diff = IdentityDiff(**figures, held_by_one_edge=_count_held_by_one(edges), missing_base_files=missing)
    row = asdict(diff)
    columns = ", ".join(f"{name} {'double' if isinstance(value, float) else 'bigint'}" for name, value in row.items())
    connection.execute(f"create or replace table identity.diff (base_version text, {columns})")
    values = [build.base_version, *row.values()]
    connection.execute(f"insert into identity.diff values ({', '.join('?' for _ in values)})", values)
    for table in ("base_members", "base_revenue", "base_consents"):
        connection.execute(f"drop table {table}")
    return diff


def _read_published(connection: DuckDBPyConnection, settings: Settings, build: Build) -> int:
    """Create temporary tables of what the published version says, empty when there is none.

    Returns the number of its files that are missing.
    """
    connection.execute("create or replace temp table base_members (record_key text, customer_id text)")
    connection.execute("create or replace temp table base_revenue (customer_id text, amount double)")
    connection.execute("create or replace temp table base_consents (customer_id text, consents bigint)")
    if build.base_version is None:
        return 0
    files = {name: settings.versions_dir / build.base_version / f"{name}.duckdb" for name in _FILES}
    there = {name: file for name, file in files.items() if file.exists()}
    for name, file in there.items():
        connection.execute(f"attach {literal(file)} as base_{name} (read_only)")
    try:
        for needed, statement in _PUBLISHED:
            if there.keys() >= needed:
                connection.execute(statement)
    finally:
        for name in there:
            connection.execute(f"detach base_{name}")
    return len(files) - len(there)


_FILES = ("state", "warehouse", "restricted")
# What is read of the published version, with the files it takes.
_PUBLISHED = (
    ({"state"}, "insert into base_members select record_key, customer_id from base_state.members"),
    (
        {"warehouse"},
        "insert into base_revenue select customer_id, revenue_amount_base from base_warehouse.marts.customers",
    ),
    (
        {"warehouse", "restricted"},
        """
        insert into base_consents
        select customer_id, count(*)
        from base_restricted.marts.customer_contact_points
        join base_warehouse.marts.permissions_current using (contact_point_key)
        where is_permitted group by customer_id
        """,
    ),
)

_CHANGES = """
create or replace table identity.id_changes as
with placed as (
    select base.customer_id, count(*) as record_count, count(now.customer_id) as present_count,
        count(*) filter (now.customer_id <> base.customer_id) as left_count,
        count(distinct now.customer_id) as customer_count,
    from base_members as base left join identity.members as now using (record_key)
    group by base.customer_id
),
arrived as (
    select now.customer_id, count(*) as joined_count
    from base_members as base join identity.members as now using (record_key)
    where now.customer_id <> base.customer_id
    group by now.customer_id
)
select customer_id,
    case when present_count = 0 then 'gone'
         when customer_count > 1 then 'split'
         when left_count > 0 then 'merged'
         when joined_count > 0 then 'joined'
         else 'unchanged' end as change,
    record_count, left_count, coalesce(joined_count, 0) as joined_count,
    coalesce(amount, 0) as revenue_amount_base, coalesce(consents, 0) as consent_count,
from placed
left join arrived using (customer_id) left join base_revenue using (customer_id)
left join base_consents using (customer_id)
order by customer_id
"""

_FIGURES = """
with changes as (
    select *, change in ('merged', 'split', 'joined') as is_affected from identity.id_changes
),
sizes as (select count(*) as size from identity.members group by customer_id)
select count(*) as customers_before, (select count(*) from sizes) as customers_now,
    (select count(*) from base_members) as records_before, (select count(*) from identity.members) as records_now,
    (select count(*) from identity.customer_id_events where version = {version} and event = 'created') as created,
    count(*) filter (change = 'merged') as merged, count(*) filter (change = 'split') as split,
    count(*) filter (change = 'joined') as joined, count(*) filter (change = 'gone') as gone,
    coalesce(sum(left_count), 0)::bigint as moved_records, coalesce(max(record_count), 0) as largest_before,
    (select coalesce(max(size), 0) from sizes) as largest_now,
    round(coalesce(sum(revenue_amount_base), 0), 2)::double as revenue_before,
    round(coalesce(sum(revenue_amount_base) filter (is_affected), 0), 2)::double as revenue_affected,
    coalesce(sum(consent_count), 0)::bigint as consents_before,
    coalesce(sum(consent_count) filter (is_affected), 0)::bigint as consents_affected
from changes
"""

_EDGES = """
select record_key_a, record_key_b, bool_and(method = 'probabilistic') as is_weighed
from identity.links join identity.members on record_key = record_key_a
where customer_id in (select customer_id from identity.members group by customer_id having count(*) >= ?)
group by record_key_a, record_key_b
order by record_key_a, record_key_b
"""


def _count_held_by_one(edges: Iterable[tuple[str, str, bool]]) -> int:
    """In how many connected components a weighed edge is the only one between two parts of two records or more."""
    neighbors: dict[str, dict[str, bool]] = defaultdict(dict)
    for a, b, is_weighed in edges:
        neighbors[a][b] = neighbors[b][a] = is_weighed
    seen: set[str] = set()
    return sum(_has_bridge(start, neighbors, seen) for start in sorted(neighbors) if start not in seen)


def _has_bridge(start: str, neighbors: Mapping[str, Mapping[str, bool]], seen: set[str]) -> bool:
    """Tarjan's search for bridges, without recursion, with the number of records behind each."""
    order = {start: 0}
    low, size = {start: 0}, {start: 1}
    bridges: list[tuple[str, bool]] = []  # the record behind the edge, and whether the edge is weighed
    path = [(start, "", iter(neighbors[start]))]
    while path:
        node, parent, rest = path[-1]
        for other in rest:
            if other not in order:
                order[other] = low[other] = len(order)
                size[other] = 1
                path.append((other, node, iter(neighbors[other])))
                break
            if other != parent:
                low[node] = min(low[node], order[other])
        else:
            path.pop()
            if path:
                low[parent] = min(low[parent], low[node])
                size[parent] += size[node]
                if low[node] > order[parent]:
                    bridges.append((node, neighbors[node][parent]))
    seen.update(order)
    return any(is_weighed and min(size[node], len(order) - size[node]) >= 2 for node, is_weighed in bridges)
