"""What people decided about pairs of records, as links that always hold and links that never do, and what came of it.

Add here what a decision means for identity. How decisions are read is in `pipelines.overrides`; how clusters respect
them is in `clustering`.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.overrides import FILE, Kind

if TYPE_CHECKING:
    from datetime import date

    from duckdb import DuckDBPyConnection


@dataclass(frozen=True)
class OverrideReport:
    """What came of the decisions.

    Attributes:
        counts: decisions by status (see `write_outcomes`).
        sentences: one for every decision that does not hold, or names a record that is not there; lines only.
    """

    counts: dict[str, int]
    sentences: tuple[str, ...]


def read_decided_pairs(connection: DuckDBPyConnection, warehouse: str) -> None:
    """Create `must_links` and `cannot_links` (`a`, `b`, a < b) for the active decisions about pairs of `records`.

    A decision about a record that is not there binds nothing. What people joined is joined after everything else: it
    adds to what was found and takes no link away.
    """
    for table, kind in (("must_links", Kind.MUST_LINK), ("cannot_links", Kind.CANNOT_LINK)):
        connection.execute(
            f"""
            create table {table} as
            select distinct least(l.n, r.n) as a, greatest(l.n, r.n) as b
            from {warehouse}.config.overrides
            join records as l on l.record_key = a_record_key join records as r on r.record_key = b_record_key
            where kind = ? and is_active and l.n <> r.n
            """,
            [kind.value],
        )


def write_outcomes(connection: DuckDBPyConnection, day: date) -> OverrideReport:
    """Write `identity.overrides`: every decision with its status, and the lines that contradict it.

    Reads `config.overrides`, `identity.members` and `identity.account_records`. `day` is that of as_of: a decision that
    is dated later holds as well, since who is who does not begin with a day, and is told. The status is one of

        in_force: it holds, or is about a value.
        contradicted: it says that two records are not one, and other lines make them one.
        broken: it does not hold although nothing contradicts it.
        stale: a record it names is not there.
        inactive: it expired, or the same value was pinned anew later.
    """
    connection.execute(_OUTCOMES, [day])
    rows = connection.execute(
        "select line, kind, a_record_key, b_record_key from config.overrides "
        "where is_active and b_record_key is not null order by line"
    ).fetchall()
    must = [(line, a, b) for line, kind, a, b in rows if kind == Kind.MUST_LINK]
    for line, kind, a, b in rows:
        if kind == Kind.CANNOT_LINK and (lines := find_path(must, a, b)):
            connection.execute(
                "update identity.overrides set status = 'contradicted', conflicting_lines = ? where line = ?",
                [lines, line],
            )
    counts = connection.execute(
        "select status, count(*) from identity.overrides group by status order by status"
    ).fetchall()
    return OverrideReport(dict(counts), tuple(tell_outcomes(connection)))


def tell_outcomes(connection: DuckDBPyConnection) -> list[str]:
    """One sentence per decision of `identity.overrides` that has no effect, contradicts another or is dated ahead."""
    told = connection.execute(
        "select line, status, conflicting_lines from identity.overrides "
        "where status in ('contradicted', 'broken', 'stale') or is_dated_ahead order by line"
    ).fetchall()
    return [_sentence(*row) for row in told]


def find_path(links: Iterable[tuple[int, str, str]], a: str, b: str) -> list[int]:
    """The lines of the fewest links (line, record, record) that lead from `a` to `b`, sorted; empty when none do."""
    neighbors: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for line, x, y in links:
        neighbors[x].append((line, y))
        neighbors[y].append((line, x))
    came_from: dict[str, tuple[int, str]] = {}
    waiting = deque([a])
    while waiting:
        node = waiting.popleft()
        if node == b and came_from:
            lines = []
            while node != a:
                line, node = came_from[node]
                lines.append(line)
            return sorted(lines)
        for line, other in neighbors[node]:
            if other != a and other not in came_from:
                came_from[other] = line, node
                waiting.append(other)
    return []


def _sentence(line: int, status: str, conflicting: list[int]) -> str:
    where = f"{FILE}, line {line}:"
    if status == "stale":
        return f"{where} a record it names is not there any more, so it has no effect; correct it or take it out."
    if status == "contradicted":
        lines = ", ".join(map(str, conflicting))
        word = "line" if len(conflicting) == 1 else "lines"
        return f"{where} it keeps two records apart that {word} {lines} make one; take one of them back."
    if status == "broken":
        return f"{where} the records are not as it says; run the stage resolve again."
    return f"{where} its date is later than the day of this run; it holds all the same, so correct the date."


_OUTCOMES = """
create or replace table identity.overrides as
with assigned as (
    select record_key, customer_id as id from identity.members
    union all
    select record_key, account_id from identity.account_records
),
placed as (
    select o.*, a.id as a_id, b.id as b_id,
        -- As in int_golden_values_pinned: of one customer's field the latest decision holds, whatever record it names.
        o.kind = 'pin-value' and a.id is not null and row_number() over (
            partition by o.kind, o.is_active, a.id, o.field order by o.decided_on desc, o.line desc) > 1 as is_outdone,
    from config.overrides as o
    left join assigned as a on a.record_key = o.a_record_key
    left join assigned as b on b.record_key = o.b_record_key
)
select * exclude (a_id, b_id, is_outdone),
    case when not is_active or is_outdone then 'inactive'
         when a_id is null or (b_record_key is not null and b_id is null) then 'stale'
         when kind = 'must-link' and a_id <> b_id or kind = 'cannot-link' and a_id = b_id then 'broken'
         else 'in_force' end as status,
    []::integer[] as conflicting_lines,
    coalesce(decided_on > ?::date and is_active, false) as is_dated_ahead,
from placed
order by line
"""
