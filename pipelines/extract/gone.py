"""Records that a source names as deleted or merged without delivering them: they keep what was landed of them.

Add another kind of event here when a source tells of records it no longer delivers. Absence is for `changes`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipelines.entities import Entity
from pipelines.extract.landing import column_names, record_columns
from pipelines.extract.offers import Gone
from pipelines.warehouse import identifier

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def mark_gone(connection: DuckDBPyConnection, entity: Entity, gone: Sequence[Gone]) -> int:
    """Add the named records to `arrived`, as they were landed, with their end; returns how many were added.

    A record that was delivered as well is taken as delivered: live it is not gone, deleted it is told whose it became.
    The same event once more changes nothing.
    """
    if not gone:
        return 0
    arrived = column_names(connection, "arrived")
    for name, kind in (("deleted_at", "timestamp"), ("merged_into_record_id", "varchar")):
        if name not in arrived:
            connection.execute(f"alter table arrived add column {name} {kind}")
    connection.execute(
        "create or replace temp table events (source_record_id text, deleted_at timestamp, merged_into_record_id text)"
    )
    connection.execute(
        """
        insert into events
        select id, max(try_cast(regexp_replace(deleted, 'Z$', '') as timestamp)), max(merged)
        from (select unnest($1::varchar[]) as id, unnest($2::varchar[]) as deleted, unnest($3::varchar[]) as merged)
        where id is not null
        group by id
        """,
        [[g.record_id for g in gone], [g.deleted_at for g in gone], [g.merged_into for g in gone]],
    )
    connection.execute(
        """
        update arrived set merged_into_record_id = events.merged_into_record_id
        from events
        where events.source_record_id = arrived.source_record_id and arrived.deleted_at is not null
            and arrived.merged_into_record_id is null and events.merged_into_record_id is not null
        """
    )
    connection.execute("delete from events where source_record_id in (select source_record_id from arrived)")
    own = {"source_record_id", "deleted_at", "merged_into_record_id"}
    kept = [identifier(c.name) for c in record_columns(entity) if c.name not in own] + ["identifiers", "custom"]
    present = set(column_names(connection, "arrived"))
    for column in record_columns(entity):
        if column.name not in present:
            connection.execute(f"alter table arrived add column {identifier(column.name)} {column.type}")
    row = connection.execute(
        f"""
        insert into arrived by name
        select (select coalesce(max(_row), -1) from arrived) + row_number() over (order by source_record_id) as _row,
            source_record_id, {", ".join(kept)},
            coalesce(events.deleted_at, landed.deleted_at) as deleted_at,
            coalesce(events.merged_into_record_id, landed.merged_into_record_id) as merged_into_record_id,
            0 as _rounded
        from events left join {identifier(entity.name)} as landed using (source_record_id)
        """
    ).fetchone()
    connection.execute("drop table events")
    return int(row[0]) if row else 0
