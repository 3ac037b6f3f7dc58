"""Unite the landings of all sources into schema `raw` of the build: canonical columns, keyed references, no raw text.

Add here what every later stage needs of a landed row. What depends on one source's way of writing belongs into landing;
what is told of superseded rows is in `past`, what became of every delivered record in `tallies`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from pipelines.configuration import Configuration, SourceConfig
from pipelines.entities import ENTITIES, SYSTEM_COLUMNS, Column, Entity
from pipelines.extract.landings import Landing, attached_landings, landings_of, referred_entity
from pipelines.extract.past import employments_query, person_history_query
from pipelines.extract.tallies import EMPTY_QUARANTINE, reconciliation_query, rejects_query
from pipelines.keys import record_key, use_secret
from pipelines.settings import Settings
from pipelines.tables import write_table
from pipelines.warehouse import identifier, literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def build_raw(
    connection: DuckDBPyConnection,
    settings: Settings,
    configuration: Configuration,
    *,
    tables: Collection[str] | None = None,
    since: Mapping[str, datetime] | None = None,
) -> dict[str, int]:
    """Create the tables of schema `raw` from the landings of the configured sources, switched-off ones included.

    Args:
        connection: open on the build, with the right to write.
        settings: where the landings are.
        configuration: the sources; landings of sources it no longer names are not used (see `find_removed_sources`).
        tables: names without schema (`crm_contacts`, ..., `person_history`, `rejects`, `reconciliation`, `quarantine`);
            all when None.
        since: per source, the `loaded_at` up to which loads are already in a published version; later ones are summed.

    Returns:
        Row count by table.

    Raises:
        SourceError: when a landing belongs to another company.
    """
    use_secret(connection, settings)
    connection.execute("create schema if not exists raw")
    with attached_landings(connection, settings, configuration) as landed:
        queries = {e.table: _entity_query(e, configuration, landed) for e in ENTITIES.values()}
        queries["employments"] = employments_query(configuration, landed)
        queries["person_history"] = person_history_query(configuration, landed)
        queries["rejects"] = rejects_query(configuration, landed)
        queries["quarantine"] = EMPTY_QUARANTINE
        queries["reconciliation"] = reconciliation_query(configuration, landed, since or {})
        counts = {}
        for table, query in queries.items():
            if tables is None or table in tables:
                counts[table] = write_table(connection, f"raw.{identifier(table)}", query)
    return counts


def find_removed_sources(settings: Settings, configuration: Configuration) -> list[str]:
    """Sources that were landed once and are no longer in sources.yml; their rows are not used."""
    known = {s.name for s in configuration.sources}
    return sorted(f.stem for f in settings.landing_dir.glob("*.duckdb") if f.stem not in known)


def _entity_query(entity: Entity, configuration: Configuration, landed: Mapping[str, Landing]) -> str:
    selects = []
    for source, landing in landings_of(configuration, entity, landed):
        columns = _columns(entity, source, configuration, landing.columns[entity.name])
        selects.append(f"select {', '.join(columns)} from {landing.table(entity.name)}")
    if not selects:
        columns = _columns(entity, None, configuration, ())
        return f"select {', '.join(columns)} where false"
    return " union all ".join(selects)


def _columns(
    entity: Entity, source: SourceConfig | None, configuration: Configuration, present: Collection[str]
) -> list[str]:
    """The columns of a raw table in their fixed order, from the landing of one source or all empty."""
    name = literal(source.name) if source else "null"

    def own(column: Column) -> str:
        if column.name not in present:
            return f"null::{column.type} as {identifier(column.name)}"
        return f"{identifier(column.name)}::{column.type} as {identifier(column.name)}"

    def keyed(column: Column, target: tuple[str, str] | None, key_column: str) -> str:
        if target is None or column.name not in present:
            return f"null::VARCHAR as {identifier(key_column)}"
        key = record_key(literal(target[0]), literal(target[1]), identifier(column.name))
        return f"{key} as {identifier(key_column)}"

    record_id, created, updated, _, merged = SYSTEM_COLUMNS
    itself = (source.name, entity.name) if source else None
    columns = [keyed(record_id, itself, "record_key"), f"{name}::VARCHAR as source_system", own(record_id)]
    columns += [own(column) for column in entity.columns]
    for column in entity.columns:
        if column.key_column:
            target = referred_entity(entity, column, source, configuration) if source else None
            columns.append(keyed(column, target, column.key_column))
    gone = "coalesce(deleted_at, _absent_since)" if source else "null"
    columns += [own(created), own(updated), f"{gone}::TIMESTAMP as deleted_at", own(merged)]
    columns.append(keyed(merged, itself, "merged_into_record_key"))
    carried = {"identifiers": "JSON", "custom": "JSON", "_loaded_at": "TIMESTAMP", "_run_id": "VARCHAR"}
    return columns + [f"{n if source else 'null'}::{kind} as {n}" for n, kind in carried.items()]
