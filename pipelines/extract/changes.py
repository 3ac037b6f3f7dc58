"""Compare what arrived with what is landed, land the difference, and prove that every record is accounted for.

Add a fate of a record here together with its place in the reconciliation formula. Reading files belongs into
`delivery`, what is remembered of a refused record into `rejects`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from pipelines.entities import Entity, Type
from pipelines.errors import SourceError
from pipelines.extract.landing import IS_GONE, column_names, content_hash, record_columns
from pipelines.extract.offers import Parents
from pipelines.extract.rejects import has_open_rejects, replace_rejects
from pipelines.extract.report import Counts
from pipelines.warehouse import identifier, literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# A record that cannot be landed: a field breaks the contract, or it has no id.
IS_REFUSED = "_field is not null or source_record_id is null"


@dataclass(frozen=True)
class _Stock:
    """What the current table of an entity holds; the control amounts are those of its live records."""

    landed: int
    live: int
    control_amounts: dict[str, str]


@dataclass(frozen=True)
class Landed:
    """What a load did: where the records went, how many are live now, and their control amounts."""

    counts: Counts
    live_count: int
    control_amounts: dict[str, str]


def land(
    connection: DuckDBPyConnection,
    entity: Entity,
    *,
    is_keyed: bool,
    delivered_count: int,
    max_shrink: float,
    approved_shrink: str | None,
    run_id: str,
    now: datetime,
    where: str,
    is_complete: bool = True,
    parents: Parents | None = None,
    keeps_newer: bool = False,
) -> Landed:
    """Land `arrived` and `unreadable` into the tables of an entity, inside the caller's transaction.

    What is landed and was not delivered is gone when the delivery `is_complete`; else only the children of `parents`.
    With `keeps_newer` a record that is older than the landed one, as both say themselves, is superseded by it.

    Raises:
        SourceError: when the delivery shrank beyond the limit without approval, or the counts do not add up.
    """
    before = _take_stock(connection, entity)
    scope = _scope_of_absence(connection, is_complete, parents)
    _decide_fates(connection, entity, is_keyed, before.landed, scope, keeps_newer)
    counts, absent_count = _count(connection, delivered_count)
    if counts.accounted != counts.delivered:
        raise SourceError(
            f"{where}: {counts.delivered} records were delivered but {counts.accounted} are accounted for; nothing "
            f"was landed. This is a fault of the program: please report it."
        )
    if not approved_shrink:
        lost = absent_count if is_complete else counts.deleted
        _assert_not_shrunk(counts, lost, before.live, max_shrink, is_complete, where)
    expected = _Stock(
        landed=before.landed + counts.new,
        live=before.live + counts.new + counts.revived - counts.deleted,
        control_amounts=_expect_amounts(connection, entity),
    )
    _apply(connection, entity, counts, absent_count, run_id, now)
    if counts.rejected or has_open_rejects(connection, entity):
        replace_rejects(connection, entity, run_id, now, is_complete)
    after = _take_stock(connection, entity)
    if after != expected:
        raise SourceError(
            f"{where}: the landed records do not equal what was delivered ({after.live} live of {after.landed}); "
            f"nothing was landed. This is a fault of the program: please report it."
        )
    return Landed(counts, after.live, after.control_amounts)


def _scope_of_absence(connection: DuckDBPyConnection, is_complete: bool, parents: Parents | None) -> str:
    """SQL: which landed records are gone when they were not delivered."""
    if is_complete:
        return "true"
    if parents is None:
        return "false"
    connection.execute("create or replace temp table complete_parents (record_id text)")
    connection.execute("insert into complete_parents select unnest($1::varchar[])", [sorted(parents.record_ids)])
    return f"{identifier(parents.column)} in (select record_id from complete_parents)"


def _decide_fates(
    connection: DuckDBPyConnection, entity: Entity, is_keyed: bool, landed_count: int, scope: str, keeps_newer: bool
) -> None:
    """Decide what becomes of each record. `scope` says in SQL which landed ones are gone when they were not delivered.

    View `fates`, one row per readable record: `_row`, `source_record_id`, `_rounded`, `is_gone`, `was_gone`, `fate`.
    View `judged`: the records as they arrived, with `source_record_id`, `is_gone` and `fate`.
    Table `absences`, one row per landed record in the delivery's scope that it no longer has, not even as a reject.
    """
    arrived = column_names(connection, "arrived")
    gone = [f"{c} is not null" for c in ("deleted_at", "merged_into_record_id") if c in arrived]
    is_gone = " or ".join(gone) or "false"
    _find_twins(connection, is_keyed)
    if is_keyed and landed_count == 0 and not connection.execute("select 1 from twins limit 1").fetchall():
        connection.execute(
            f"""
            create or replace temp view judged as
            select *, {is_gone} as is_gone, false as was_gone,
                case when {IS_REFUSED} then 'rejected' else 'new' end as fate
            from arrived
            """
        )
        connection.execute(
            """
            create or replace temp view fates as
            select _row, source_record_id, case when fate = 'new' then _rounded else 0 end as _rounded,
                is_gone, was_gone, fate
            from judged
            """
        )
        connection.execute("create or replace temp table absences (source_record_id text)")
        return
    updated = "updated_at" if "updated_at" in arrived else "null"
    _compare(connection, entity, is_keyed, is_gone, updated, keeps_newer)
    connection.execute("create or replace temp view fates as from compared")
    record_id = "" if is_keyed else "compared.source_record_id, "
    connection.execute(
        f"create or replace temp view judged as select {record_id}arrived.*, is_gone, fate "
        "from arrived join compared using (_row)"
    )
    connection.execute(
        f"""
        create or replace temp table absences as
        select source_record_id
        from {identifier(entity.name)} as landed
        where not {IS_GONE} and {scope} and not exists (
            select 1
            from (
                select source_record_id from fates
                union all
                select source_record_id from unreadable
                union all
                select source_record_id from protected
            ) as delivered
            where delivered.source_record_id = landed.source_record_id
        )
        """
    )


def _find_twins(connection: DuckDBPyConnection, is_keyed: bool) -> None:
    """Table `twins`: the ids that several acceptable records have. There are few, and only these need an order."""
    connection.execute(
        f"""
        create or replace temp table twins as
        select source_record_id
        from {"arrived" if is_keyed else "(select null::text as source_record_id, null as _field where false)"}
        where not ({IS_REFUSED})
        group by source_record_id
        having count(*) > 1
        """
    )


def _compare(
    connection: DuckDBPyConnection, entity: Entity, is_keyed: bool, is_gone: str, updated: str, keeps_newer: bool
) -> None:
    """Table `compared` with the columns of `fates`.

    Records are compared by hashes that the engine computes of both sides here, and that are kept nowhere: another
    version of it may compute others.
    """
    is_late = "landed.updated_at > ranked.changed_at" if keeps_newer and updated != "null" else "false"
    record_id = (
        "source_record_id" if is_keyed else "_content || '-' || row_number() over (partition by _content order by _row)"
    )
    connection.execute(
        f"""
        create or replace temp table compared as
        with numbered as (
            select _row, {record_id} as source_record_id, {_content(connection, entity, "arrived")} as content,
                _rounded, {updated} as changed_at,
                {is_gone} as is_gone, {IS_REFUSED if is_keyed else "_field is not null"} as is_refused
            from arrived
        ),
        accepted as (
            select *, source_record_id in (select source_record_id from twins) as is_twin
            from numbered
            where not is_refused
        ),
        ranked as (
            select *, 1 as place, content as kept_content
            from accepted
            where not is_twin
            union all
            select *, row_number() over newest as place, first_value(content) over newest as kept_content
            from accepted
            where is_twin
            window newest as (partition by source_record_id order by changed_at desc nulls last, _row desc)
        )
        select ranked._row, ranked.source_record_id, ranked._rounded, ranked.is_gone,
            coalesce(landed.was_gone, false) as was_gone,
            case
                when place > 1 and ranked.content = kept_content then 'repeated'
                when place > 1 then 'superseded'
                when landed.source_record_id is null then 'new'
                when {is_late} then 'superseded'
                when landed.was_gone and not ranked.is_gone then 'revived'
                when landed.content = ranked.content and not landed.was_absent then 'unchanged'
                else 'changed'
            end as fate
        from ranked
        left join (
            select source_record_id, {_content(connection, entity, entity.name)} as content, updated_at,
                {IS_GONE} as was_gone, _absent_since is not null as was_absent
            from {identifier(entity.name)}
        ) as landed using (source_record_id)
        union all
        select _row, source_record_id, 0, is_gone, false, 'rejected'
        from numbered
        where is_refused
        """
    )


def _count(connection: DuckDBPyConnection, delivered_count: int) -> tuple[Counts, int]:
    """What became of the records that arrived, and how many landed ones are absent."""
    rows = connection.execute(
        """
        select fate, count(*), sum(_rounded)::bigint, count(*) filter (where is_deleted)
        from (
            select fate, _rounded, fate in ('new', 'changed') and is_gone and not was_gone as is_deleted from fates
            union all
            select 'rejected', 0, false from unreadable
            union all
            select 'absent', 0, true from absences
        )
        group by fate
        """
    ).fetchall()
    fates = {fate: count for fate, count, *_ in rows}
    absent_count = fates.pop("absent", 0)
    rounded, deleted = (sum(row[position] for row in rows) for position in (2, 3))
    return Counts(delivered=delivered_count, **fates, rounded=rounded, deleted=deleted), absent_count


def _assert_not_shrunk(
    counts: Counts, lost: int, live_before: int, max_shrink: float, is_complete: bool, where: str
) -> None:
    """`lost` are the records that a delivery takes away: absent from a complete one, deleted by an increment."""
    if live_before == 0:
        return
    remedy = "Have it delivered in full, or approve the shrink with a reason."
    if counts.delivered == 0 and is_complete:
        raise SourceError(
            f"{where}: the delivery holds no record, but {live_before} are landed; nothing was changed. {remedy}"
        )
    shrink = lost - counts.new - counts.revived
    if shrink > max_shrink * live_before:
        raise SourceError(
            f"{where}: the delivery shrank by {shrink} of {live_before} live records ({shrink / live_before:.0%}); "
            f"max_shrink allows {max_shrink:.0%}, so nothing was changed. {remedy}"
        )


def _apply(
    connection: DuckDBPyConnection, entity: Entity, counts: Counts, absent_count: int, run_id: str, now: datetime
) -> None:
    """Write what became of the records; a statement that would touch no row is not run, because most nights it is."""
    current, history = identifier(entity.name), identifier(f"{entity.name}_history")
    at = f"{literal(now)}::timestamp"
    replaced_count = counts.changed + counts.revived
    if replaced_count or absent_count:
        connection.execute(
            f"""
            insert into {history} by name
            select *, {at} as _valid_to
            from {current}
            where source_record_id in (
                select source_record_id from fates where fate in ('changed', 'revived')
                union all
                select source_record_id from absences
            )
            """
        )
    if absent_count:
        connection.execute(
            f"update {current} set _absent_since = {at}, _valid_from = {at} "
            "where source_record_id in (select source_record_id from absences)"
        )
    if replaced_count:
        connection.execute(
            f"delete from {current} where source_record_id in "
            "(select source_record_id from fates where fate in ('changed', 'revived'))"
        )
    columns = _arrived_columns(connection, entity)
    record = ", ".join(identifier(c) for c in ("source_record_id", *columns))
    stamped = f"select {record}, {at} as _valid_from, {at} as _loaded_at, {literal(run_id)} as _run_id"
    if counts.new or replaced_count:
        connection.execute(
            f"insert into {current} by name {stamped} from judged where fate in ('new', 'changed', 'revived')"
        )
    if counts.superseded:
        # Versions that were never current: known, but not again at every delivery.
        known = f"(select source_record_id, {_content(connection, entity, f'{entity.name}_history')} from {history})"
        connection.execute(
            f"insert into {history} by name {stamped}, {at} as _valid_to from judged where fate = 'superseded' "
            f"and (source_record_id, {_content(connection, entity, 'arrived')}) not in {known} order by _row"
        )


def _expect_amounts(connection: DuckDBPyConnection, entity: Entity) -> dict[str, str]:
    """The control amounts after the load, computed without the landed result: of the kept records that arrived, and
    of the landed ones that were delivered only as rejects."""
    columns = [c.name for c in entity.columns if c.type is Type.DECIMAL]
    if not columns:
        return {}
    arrived = set(_arrived_columns(connection, entity))
    from_arrived = ", ".join(
        identifier(c) if c in arrived else f"null::{Type.DECIMAL} as {identifier(c)}" for c in columns
    )
    sums = _control_sums(entity)
    row = connection.execute(
        f"""
        select {", ".join(sums.values())}
        from (
            select {from_arrived}
            from judged
            where fate in ('new', 'changed', 'unchanged', 'revived') and not is_gone
            union all
            select {", ".join(map(identifier, columns))} from {identifier(entity.name)}
            where not {IS_GONE} and source_record_id not in (
                select source_record_id from fates where fate in ('new', 'changed', 'unchanged', 'revived')
                union all
                select source_record_id from absences
            )
        )
        """
    ).fetchone()
    return dict(zip(sums, row or (), strict=True))


def _take_stock(connection: DuckDBPyConnection, entity: Entity) -> _Stock:
    live = f"filter (where not {IS_GONE})"
    sums = _control_sums(entity, live)
    row = connection.execute(
        f"select count(*), count(*) {live}, {', '.join(sums.values())} from {identifier(entity.name)}"
    ).fetchone()
    landed_count, live_count, *amounts = row or ()
    return _Stock(landed_count, live_count, dict(zip(sums, amounts, strict=True)))


def _control_sums(entity: Entity, condition: str = "") -> dict[str, str]:
    """SQL for the sum of every amount as text, and of quantity times unit amount where an entity has both.

    `condition` is a filter clause of the sums.
    """
    terms = {c.name: identifier(c.name) for c in entity.columns if c.type is Type.DECIMAL}
    if {"quantity", "unit_amount"} <= set(terms):
        terms["quantity_x_unit_amount"] = "quantity * unit_amount"
    return {name: f"coalesce((sum({term}) {condition})::varchar, '0')" for name, term in terms.items()}


def _arrived_columns(connection: DuckDBPyConnection, entity: Entity) -> list[str]:
    """Columns of the landed table that arrived, but for the id."""
    arrived = set(column_names(connection, "arrived"))
    own = [c.name for c in record_columns(entity)[1:]]
    return [c for c in (*own, "identifiers", "custom") if c in arrived]


def _content(connection: DuckDBPyConnection, entity: Entity, table: str) -> str:
    return content_hash(entity, column_names(connection, table))
