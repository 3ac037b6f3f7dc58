"""Unite the landings of all sources into schema `raw` of the build: canonical columns, keyed references, no raw text.

Add here what every later stage needs of a landed row. What depends on one source's way of writing belongs into landing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from pipelines.configuration import Configuration, SourceConfig
from pipelines.entities import ENTITIES, PERSON_ENTITY, SYSTEM_COLUMNS, Column, Entity
from pipelines.extract.fields import ORDER_PREFIX
from pipelines.extract.landing import IS_GONE, assert_same_company
from pipelines.extract.report import COUNT_NAMES
from pipelines.keys import record_key, use_secret
from pipelines.settings import Settings
from pipelines.tables import write_table
from pipelines.warehouse import identifier, literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

CONTACT_FIELDS = ("email", "phone", "mobile", "street", "postal_code", "city", "region", "country")
RECONCILED = tuple(n for n in COUNT_NAMES if n != "rounded")
# Also told of the latest load alone: what was refused in an earlier one may have been mended since.
LATEST = ("latest_delivered", "latest_rejected")


@dataclass(frozen=True)
class _Landing:
    """An attached landing file: its catalog, quoted, and the columns of its tables by name."""

    catalog: str
    columns: Mapping[str, frozenset[str]]

    def table(self, name: str) -> str:
        return f"{self.catalog}.{identifier(name)}"


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
    with _attached(connection, settings, configuration) as landed:
        queries = {e.table: _entity_query(e, configuration, landed) for e in ENTITIES.values()}
        queries["employments"] = _employments_query(configuration, landed)
        queries["person_history"] = _person_history_query(configuration, landed)
        queries["rejects"] = _rejects_query(configuration, landed)
        queries["quarantine"] = _EMPTY_QUARANTINE
        queries["reconciliation"] = _reconciliation_query(configuration, landed, since or {})
        counts = {}
        for table, query in queries.items():
            if tables is None or table in tables:
                counts[table] = write_table(connection, f"raw.{identifier(table)}", query)
    return counts


def find_removed_sources(settings: Settings, configuration: Configuration) -> list[str]:
    """Sources that were landed once and are no longer in sources.yml; their rows are not used."""
    known = {s.name for s in configuration.sources}
    return sorted(f.stem for f in settings.landing_dir.glob("*.duckdb") if f.stem not in known)


@contextmanager
def _attached(
    connection: DuckDBPyConnection, settings: Settings, configuration: Configuration
) -> Iterator[dict[str, _Landing]]:
    """The landings by source, of the sources that were ever landed."""
    catalogs: dict[str, str] = {}
    try:
        for source in configuration.sources:
            file = settings.landing_file(source.name)
            if file.exists():
                catalog = f"landing_{source.name}"
                connection.execute(f"attach {literal(file)} as {identifier(catalog)} (read_only)")
                catalogs[source.name] = catalog
        columns = _columns_by_table(connection)
        landed = {name: _Landing(identifier(c), columns.get(c, {})) for name, c in catalogs.items()}
        for name, landing in landed.items():
            if "meta" in landing.columns:
                row = connection.execute(f"select company from {landing.table('meta')}").fetchone()
                assert_same_company(row[0] if row else None, configuration, f"landing/{name}.duckdb")
        yield landed
    finally:
        for catalog in catalogs.values():
            connection.execute(f"detach {identifier(catalog)}")


def _columns_by_table(connection: DuckDBPyConnection) -> dict[str, dict[str, frozenset[str]]]:
    """The columns of the tables in schema `main` of every attached file, by catalog and table."""
    rows = connection.execute(
        "select database_name, table_name, list(column_name) from duckdb_columns() "
        "where schema_name = 'main' group by database_name, table_name"
    ).fetchall()
    found: dict[str, dict[str, frozenset[str]]] = {}
    for catalog, table, names in rows:
        found.setdefault(catalog, {})[table] = frozenset(names)
    return found


def _landings_of(
    configuration: Configuration, entity: Entity, landed: Mapping[str, _Landing]
) -> Iterator[tuple[SourceConfig, _Landing]]:
    """The sources that deliver an entity and have landed it, each with its landing."""
    for source in configuration.sources:
        landing = landed.get(source.name)
        if landing and entity.name in landing.columns and entity in map(source.find_entity, source.landed_entities):
            yield source, landing


def _entity_query(entity: Entity, configuration: Configuration, landed: Mapping[str, _Landing]) -> str:
    selects = []
    for source, landing in _landings_of(configuration, entity, landed):
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
            target = _referred(entity, column, source, configuration) if source else None
            columns.append(keyed(column, target, column.key_column))
    gone = "coalesce(deleted_at, _absent_since)" if source else "null"
    columns += [own(created), own(updated), f"{gone}::TIMESTAMP as deleted_at", own(merged)]
    columns.append(keyed(merged, itself, "merged_into_record_key"))
    carried = {"identifiers": "JSON", "custom": "JSON", "_loaded_at": "TIMESTAMP", "_run_id": "VARCHAR"}
    return columns + [f"{n if source else 'null'}::{kind} as {n}" for n, kind in carried.items()]


def _referred(entity: Entity, column: Column, source: SourceConfig, configuration: Configuration) -> tuple[str, str]:
    """Source and entity that a record id belongs to."""
    config, name = source.entities.get(entity.name), column.name
    if config is None:  # orders derived from flat lines
        config, name = source.entities["order_lines"], ORDER_PREFIX + column.name
    target = configuration.source(config.references.get(name, source.name))
    if column.references == "person":
        return target.name, PERSON_ENTITY[target.role]
    return target.name, str(column.references)


def _employments_query(configuration: Configuration, landed: Mapping[str, _Landing]) -> str:
    """One row per person record, company it named and period: what landing knows, superseded rows included."""
    selects = []
    for entity in (e for e in ENTITIES.values() if e.is_person):
        for source, landing in _landings_of(configuration, entity, landed):
            selects.append(_employments_of(source, entity, configuration, landing))
    if not selects:
        return (
            "select null::varchar as record_key, null::varchar as company_record_key, null::timestamp as valid_from, "
            "null::timestamp as valid_until where false"
        )
    return (
        " union all ".join(f"select * from ({query})" for query in selects)
        + " order by record_key, valid_from nulls first"
    )


def _employments_of(source: SourceConfig, entity: Entity, configuration: Configuration, landing: _Landing) -> str:
    """The periods of one entity. A period starts when the source changed the record; the first, when it was made.

    What the source says of its own changes is preferred to the time of landing, so that one delivery of everything
    tells the same as one delivery a night.
    """
    company = next(column for column in entity.columns if column.references == "companies")
    owner, companies = _referred(entity, company, source, configuration)
    company_key = record_key(literal(owner), literal(companies), "company")
    current, history = (landing.table(entity.name + suffix) for suffix in ("", "_history"))
    version = f"""
        select source_record_id, created_at, coalesce(updated_at, _valid_from) as changed_at, _valid_from,
            coalesce(deleted_at, _absent_since, case when {IS_GONE} then changed_at end) as gone_at,
            case when gone_at is null then {identifier(company.name)} end as company
    """
    return f"""
        with versions as (
            {version}, true as is_current from {current}
            union all
            {version}, false from {history}
        ),
        compared as (
            select source_record_id, company, coalesce(gone_at, changed_at) as since, is_current, _valid_from,
                min(created_at) over (partition by source_record_id) as created_at,
                row_number() over in_order as position,
                lag(company) over in_order as former_company
            from versions
            where source_record_id in (select source_record_id from versions where company is not null)
            window in_order as (partition by source_record_id order by is_current, changed_at, _valid_from)
        ),
        periods as (
            select source_record_id, company,
                case when position = 1 then created_at else since end as valid_from,
                lead(since) over (partition by source_record_id order by position) as valid_until
            from compared
            where position = 1 or company is distinct from former_company
        )
        select {record_key(literal(source.name), literal(entity.name), "source_record_id")} as record_key,
            {company_key} as company_record_key, valid_from, valid_until
        from periods
        where company is not null
    """


def _person_history_query(configuration: Configuration, landed: Mapping[str, _Landing]) -> str:
    """One row per person record and set of contact fields that it had once and has no more."""
    selects = []
    for entity in (e for e in ENTITIES.values() if e.is_person):
        for source, landing in _landings_of(configuration, entity, landed):
            selects.append(_superseded_contact_fields(entity, source.name, landing))
    if not selects:
        texts = ("record_key", "source_system", "entity", *CONTACT_FIELDS)
        columns = [f"null::varchar as {t}" for t in texts] + ["null::timestamp as valid_from"]
        return f"select {', '.join(columns)}, null::timestamp as valid_until where false"
    return " union all ".join(selects) + " order by record_key, valid_until, valid_from"


def _superseded_contact_fields(entity: Entity, source: str, landing: _Landing) -> str:
    """Until when they held is said by the version that replaced them, else by the load that landed it."""
    present = landing.columns[f"{entity.name}_history"]
    fields = ", ".join(f if f in present else f"null::varchar as {f}" for f in CONTACT_FIELDS)
    names = ", ".join(CONTACT_FIELDS)
    now_same = " and ".join(f"current_row.{f} is not distinct from ended.{f}" for f in CONTACT_FIELDS)
    current, history = (landing.table(entity.name + suffix) for suffix in ("", "_history"))
    version = f"select source_record_id, {fields}, created_at, updated_at, _valid_from"
    return f"""
        select * from (
            with versions as (
                {version}, _valid_to from {history}
                union all
                {version}, null::timestamp as _valid_to from {current}
                where source_record_id in (select source_record_id from {history})
            ),
            dated as (
                select *,
                    row_number() over versions_of_record = 1 as is_first,
                    lead(updated_at) over versions_of_record as replaced_at
                from versions
                window versions_of_record as (
                    partition by source_record_id order by _valid_from, _valid_to nulls last, updated_at, {names}
                )
            ),
            ended as (
                select source_record_id, {names},
                    min(case when is_first then created_at else coalesce(updated_at, _valid_from) end) as valid_from,
                    max(case when replaced_at > updated_at then replaced_at else _valid_to end) as valid_until
                from dated
                where _valid_to is not null and coalesce({names}) is not null
                group by source_record_id, {names}
            )
            select
                {record_key(literal(source), literal(entity.name), "source_record_id")} as record_key,
                {literal(source)}::varchar as source_system, {literal(entity.name)}::varchar as entity, {names},
                valid_from::timestamp as valid_from, valid_until::timestamp as valid_until
            from ended
            where not exists (
                select 1 from versions as current_row
                where current_row._valid_to is null and current_row.source_record_id = ended.source_record_id
                    and {now_same}
            )
        )
    """


def _rejects_query(configuration: Configuration, landed: Mapping[str, _Landing]) -> str:
    """One row per open reject: keys and reasons, no values."""
    selects = [
        f"select {literal(s.name)}::varchar as source_system, entity, "
        f"{record_key(literal(s.name), 'entity', 'source_record_id')} as record_key, "
        f"field, value_class, reason, run_id, rejected_at "
        f"from {landed[s.name].table('rejects')} "
        f"where resolved_at is null and entity in ({', '.join(literal(e) for e in s.landed_entities)})"
        for s in configuration.sources
        if s.name in landed
    ]
    if not selects:
        texts = ("source_system", "entity", "record_key", "field", "value_class", "reason", "run_id")
        return f"select {', '.join(f'null::varchar as {t}' for t in texts)}, null::timestamp as rejected_at where false"
    return " union all ".join(selects) + " order by all"


# One row per record and rule of the audit that sets it aside: filled by `audit.quarantine_records`.
_EMPTY_QUARANTINE = (
    "select null::varchar as source_system, null::varchar as entity, null::varchar as record_key, "
    "null::varchar as rule_id where false"
)


def _reconciliation_query(
    configuration: Configuration, landed: Mapping[str, _Landing], since: Mapping[str, datetime]
) -> str:
    """One row per source and entity: sums over the loads after the watermark; the latest load's own counts, amounts;
    and how many records differ from those at the watermark, whatever happened to them between.

    How many records are there and how many were set aside is counted when that is decided.
    """
    counted_later = "0::bigint as landed_count, 0::bigint as quarantined_count"
    selects = []
    for source in configuration.sources:
        for entity in source.landed_entities:
            named = (
                f"select {literal(source.name)}::varchar as source_system, {literal(entity)}::varchar as entity, "
                f"{str(source.enabled).lower()} as is_enabled, "
            )
            if source.name not in landed:
                zeros = ", ".join(f"0::bigint as {n}_count" for n in (*RECONCILED, *LATEST))
                selects.append(
                    f"{named} 0::bigint as load_count, {zeros}, 0::bigint as differing_count, "
                    f"null::timestamp as loaded_at, "
                    f"'{{}}'::json as control_amounts, null::timestamp as failed_at, {counted_later}"
                )
                continue
            after = f"loaded_at > {literal(since[source.name])}::timestamp" if source.name in since else "true"
            sums = ", ".join(
                f"coalesce(sum({n}_count) filter (where {after}), 0)::bigint as {n}_count" for n in RECONCILED
            )
            latest = ", ".join(
                f"coalesce(arg_max({n.removeprefix('latest_')}_count, load_id), 0)::bigint as {n}_count" for n in LATEST
            )
            selects.append(
                f"{named} count(*) filter (where {after}) as load_count, {sums}, {latest}, "
                f"{_differing_count(landed[source.name], entity, since.get(source.name))} as differing_count, "
                f"max(loaded_at) as loaded_at, "
                f"coalesce(arg_max(control_amounts, load_id), '{{}}')::json as control_amounts, "
                f"{_failed_at(landed[source.name], entity)} as failed_at, {counted_later} "
                f"from {landed[source.name].table('loads')} where entity = {literal(entity)}"
            )
    return " union all ".join(selects) + " order by source_system, entity"


def _differing_count(landing: _Landing, entity: str, since: datetime | None) -> str:
    """SQL: how many records say something else than they said at the watermark; one that was changed back does not."""
    if since is None or entity not in landing.columns:
        return "0::bigint"
    return f"""(
        select count(*) from {landing.table(f"{entity}_history")} as former
        inner join {landing.table(entity)} as present using (source_record_id)
        where former._valid_from <= {literal(since)}::timestamp and former._valid_to > {literal(since)}::timestamp
            and former._content is distinct from present._content
    )"""


def _failed_at(landing: _Landing, entity: str) -> str:
    """SQL beside the loads of an entity: when the source could last not be read, unless it was read since."""
    if "failures" not in landing.columns:
        return "null::timestamp"
    failed = f"(select max(failed_at) from {landing.table('failures')} where entity = {literal(entity)})"
    return f"case when max(loaded_at) is null or {failed} > max(loaded_at) then {failed} end"
