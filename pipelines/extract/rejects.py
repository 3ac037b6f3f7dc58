"""Rejects: what is remembered of records that could not be landed, until they are mended or no longer delivered.

Add here what ends a reject, or what is told of one. Why a record is refused is decided in `records` and `layouts`.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from pipelines.entities import Entity
from pipelines.extract.delivery import FLAG
from pipelines.extract.landing import column_names
from pipelines.warehouse import identifier, literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def has_open_rejects(connection: DuckDBPyConnection, entity: Entity) -> bool:
    rows = connection.execute(
        f"select 1 from rejects where entity = {literal(entity.name)} and resolved_at is null limit 1"
    ).fetchall()
    return bool(rows)


def replace_rejects(
    connection: DuckDBPyConnection, entity: Entity, run_id: str, now: datetime, is_complete: bool
) -> None:
    """Keep open rejects that were delivered again as they are, add new ones, and resolve the others.

    A record that an increment does not tell of is as broken as it was: it tells of the records that it holds, and of
    the files that are delivered again, by their names, because a record without an id is known by its file only. The
    record itself is forgotten once its reject is resolved.
    """
    name, at = literal(entity.name), f"{literal(now)}::timestamp"
    connection.execute(
        f"""
        create or replace temp table refused as
        with records as (
            select judged.source_record_id, coalesce(_field, 'source_record_id') as field,
                coalesce(_class, 'missing id') as value_class, {_delivered_record(connection)} as record, _row,
                (select file from delivered_files where _row >= first_row and _row < end_row) as file
            from judged
            left join delivered on delivered.rowid = _row
            where fate = 'rejected'
            union all
            select source_record_id, null, value_class,
                json_object('file', file, 'line', line, 'text', text), 1e15 + line, file
            from unreadable
        ),
        hashed as (select *, md5(record::varchar) as record_hash from records)
        select *, row_number() over (partition by source_record_id, record_hash order by _row) as occurrence
        from hashed
        """
    )
    same = (
        "known.source_record_id is not distinct from refused.source_record_id "
        "and known.record_hash = refused.record_hash and known.occurrence = refused.occurrence "
        "and known.field is not distinct from refused.field and known.value_class = refused.value_class"
    )
    told = (
        "known.file in (select file from delivered_files) or known.source_record_id in "
        "(select source_record_id from fates union all select source_record_id from refused)"
    )
    connection.execute(
        f"""
        update rejects as known set resolved_at = {at}, record = null,
            resolution = case
                when source_record_id in (select source_record_id from refused) then 'replaced'
                when source_record_id in (select source_record_id from fates where fate <> 'rejected') then 'mended'
                else 'no longer delivered'
            end
        where entity = {name} and resolved_at is null and ({is_complete} or {told})
            and not exists (select 1 from refused where {same})
        """
    )
    connection.execute(
        f"""
        update rejects as known set file = refused.file
        from refused
        where entity = {name} and resolved_at is null and {same} and known.file is distinct from refused.file
        """
    )
    connection.execute(
        f"""
        insert into rejects by name
        select {name} as entity, source_record_id, occurrence, field, value_class,
            coalesce(field || ': ', '') || value_class as reason, record, record_hash,
            {literal(run_id)} as run_id, {at} as rejected_at, file
        from refused
        where not exists (
            select 1 from rejects as known where entity = {name} and resolved_at is null and {same}
        )
        order by _row, occurrence
        """
    )


def _delivered_record(connection: DuckDBPyConnection) -> str:
    """SQL for a record as it was delivered, as far as the mapping uses it."""
    names = [n for n in column_names(connection, "delivered") if not n.startswith(FLAG)]
    parts = ", ".join(f"{literal(n)}, delivered.{identifier(n)}" for n in names)
    return f"json_object({parts})" if names else "'{}'::json"
