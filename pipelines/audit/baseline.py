"""What the sources delivered and what would be published, in figures, beside those of the published version.

Add here a figure that rules compare with the published version. How much of a change is too much is said by the
rules; nothing here judges. Shares and counts only: a value of a record must not come here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipelines.entities import ENTITIES, SYSTEM_COLUMNS, Entity, Type
from pipelines.keys import RECORD_KEY_PREFIX
from pipelines.warehouse import identifier, literal, names_of_tables

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.build import Build
    from pipelines.configuration import Configuration, SourceConfig
    from pipelines.settings import Settings

# How values spread is looked at in about so many records of a larger table: what rules ask of it are percents of all.
# What is counted is counted in all records.
SAMPLE_RECORDS = 10_000
BUCKETS = 16
DAYS = 28  # four weeks: as many Mondays as Sundays
# Nobody expects these to be filled.
SELDOM = frozenset({"deleted_at", "merged_into_record_id"})
_NUMBERS = frozenset({Type.DECIMAL, Type.INTEGER})
# When something happened does not change afterwards: the key and the moment of what is published.
MOMENTS = {
    "marts.orders": ("order_key", "ordered_at"),
    "marts.tickets": ("ticket_key", "created_at"),
    "marts.invoices": ("invoice_key", "invoiced_at"),
    "marts.returns": ("return_key", "returned_at"),
}


def write_baseline(
    connection: DuckDBPyConnection, settings: Settings, configuration: Configuration, build: Build
) -> dict[str, int]:
    """Write `meta.source_profile` and `meta.figures` of the open build; returns rows by table.

    `meta.source_profile` has one row per source, entity and column that is mapped or filled. Its records are those the
    source did not delete. Columns beginning with `base_` are what the published version says; null without one.

        filled_share: records with a value; distinct_share: different values among the filled ones; top_share: the most
            frequent value among the filled ones.
        figure: the mean of a number, the share of true; midnight_share: times without a time of day.
        newest_date: of a time; null for a date, which may be somebody's birth date. recent_count and recent_day_count:
            records of the 28 days up to it, and days among them with a record.
        last_day_count: records of the last whole day before the build; usual_day_count: of the four weeks before it the
            mean of the same weekday or that of all days, whichever is less; day_spread: variance over mean of these
            days, at least the 1 that is chance alone.
        value_buckets: how filled values spread over 16 buckets: texts by a hash, times by hour, dates by day of the
            year, numbers by magnitude. form_buckets: texts by a hash of their form, without letters and digits.
        value_shift, form_shift: half of the summed differences of the buckets, 0 to 1 (total variation distance).

    `meta.figures` has one row per figure of what would be published, with `base_value`.
    """
    connection.execute("create schema if not exists meta")
    connection.execute(f"create or replace temp table profile_now ({_PROFILE})")
    for table, columns in _PARTS.items():
        connection.execute(f"create or replace temp table {table} ({columns})")
    connection.execute(
        "create or replace temp table last_day as select (as_of - interval 1 day)::date as last_day from config.build"
    )
    for entity in ENTITIES.values():
        _list_mapped_columns(connection, configuration, entity)
    profiled = [parts for entity in ENTITIES.values() if (parts := _parts_of_entity(connection, entity))]
    for table, query in _OF_ENTITY.items():  # all entities in one statement, which uses all cores and is planned once
        if profiled:
            every = " union all ".join(f"(from ({query.format(**parts)}))" for parts in profiled)
            connection.execute(f"insert into {table} {every}")
    connection.execute(_PROFILED.format(buckets=_bucket_lists()))
    connection.execute(f"create or replace temp table profile_base ({_PROFILE})")
    connection.execute("create or replace temp table figures_base (figure text, part text, value double)")
    with _published(connection, settings, build) as tables:
        if known := tables.get("meta.source_profile", set()) & _PROFILE_TYPES.keys():  # an older version may know fewer
            names = ", ".join(sorted(known))
            connection.execute(f"insert into profile_base by name select {names} from base.meta.source_profile")
        if "meta.figures" in tables:
            connection.execute("insert into figures_base select figure, part, value from base.meta.figures")
        connection.execute(f"create or replace temp table figures_now as {_figures_query(connection)}")
        for table in MOMENTS:
            if tables.get(table, set()).issuperset(MOMENTS[table]):
                connection.execute(_redated_query(table))
    connection.execute(_COMPARED_PROFILE)
    connection.execute(_COMPARED_FIGURES)
    for table in (*_PARTS, "last_day", "profile_now", "profile_base", "figures_now", "figures_base"):
        connection.execute(f"drop table {table}")
    return {table: _count(connection, f"meta.{table}") for table in ("source_profile", "figures")}


@contextmanager
def _published(connection: DuckDBPyConnection, settings: Settings, build: Build) -> Iterator[dict[str, set[str]]]:
    """The published version as catalog `base`, with the columns of its tables by `schema.table`; none without one."""
    file = settings.versions_dir / (build.base_version or "") / "warehouse.duckdb"
    if build.base_version is None or not file.exists():
        yield {}
        return
    connection.execute(f"attach {literal(file)} as base (read_only)")
    try:
        columns: dict[str, set[str]] = {}
        for table, column in connection.execute(
            "select schema_name || '.' || table_name, column_name from duckdb_columns() where database_name = 'base'"
        ).fetchall():
            columns.setdefault(table, set()).add(column)
        yield columns
    finally:
        connection.execute("detach base")


def _list_mapped_columns(connection: DuckDBPyConnection, configuration: Configuration, entity: Entity) -> None:
    """Insert into `profile_now` the columns that sources map."""
    for source in configuration.sources:
        mapped = _mapped_columns(source, entity) & _profiled_columns(entity).keys()
        if mapped:
            rows = [(source.name, entity.name, name) for name in sorted(mapped)]
            marks = ", ".join(f"({', '.join(map(literal, row))})" for row in rows)
            connection.execute(f"insert into profile_now (source_system, entity, column_name) values {marks}")


def _profiled_columns(entity: Entity) -> dict[str, Type]:
    return {c.name: c.type for c in (*entity.columns, *SYSTEM_COLUMNS) if c.type is not Type.JSON}


def _parts_of_entity(connection: DuckDBPyConnection, entity: Entity) -> dict[str, str] | None:
    """What the queries of `_OF_ENTITY` say of this entity; None when nothing was delivered."""
    table, columns = f"raw.{entity.table}", _profiled_columns(entity)
    row_count = _count(connection, table)
    if not row_count:
        return None
    moments = [identifier(name) for name, type_ in columns.items() if type_ is Type.TIMESTAMP]
    return {
        "table": table,
        "entity": literal(entity.name),
        "sampled": f"and {is_sampled(row_count)}" if row_count > SAMPLE_RECORDS else "",
        "kinds": ", ".join(f"({literal(name)}, {literal(_kind(type_))})" for name, type_ in columns.items()),
        "names": ", ".join(map(identifier, columns)),
        "counts": _counts_by_source(connection, table, columns),
        "texts": ", ".join(f"{identifier(name)}::text as {identifier(name)}" for name in columns),
        "moments": ", ".join(moments),
        "days": ", ".join(_recent_days(connection, table, moments)),
    }


def _recent_days(connection: DuckDBPyConnection, table: str, moments: Sequence[str]) -> Iterator[str]:
    """SQL of each column of moments as days, null before the four weeks that any source is looked at in."""
    newest = ", ".join(f"max({name})::date as {name}" for name in moments)
    limits = ", ".join(f"least(min({name}) - {DAYS - 1}, any_value(last_day) - {DAYS})" for name in moments)
    [found] = connection.execute(
        f"select {limits} from (select {newest} from {table} where deleted_at is null group by source_system), last_day"
    ).fetchall()
    for name, limit in zip(moments, found, strict=True):
        yield f"case when {name} >= {literal(limit)}::date then {name}::date end as {name}"


def _counts_by_source(connection: DuckDBPyConnection, table: str, columns: Iterable[str]) -> str:
    """SQL that counts records and filled values of each source: of one by itself in half of the time of groups."""
    counts = ", ".join(f"count({identifier(name)}) as {identifier(name)}" for name in columns)
    sources = connection.execute(f"select distinct source_system from {table} order by all").fetchall()
    return " union all ".join(
        f"select {literal(source)} as source_system, count(*) as record_count, {counts} from {table} "
        f"where source_system = {literal(source)} and deleted_at is null"
        for (source,) in sources
    )


def is_sampled(row_count: int) -> str:
    """SQL that chooses `SAMPLE_RECORDS` of so many, always the same ones: those with the smallest keys.

    Keys are hashes, so that is a fair sample. The engine compares keys before it reads anything else of a record.
    """
    share = SAMPLE_RECORDS / row_count
    return f"record_key < {literal(f'{RECORD_KEY_PREFIX}{int(share * 16**16):016x}')}"


def _kind(type_: Type) -> str:
    return "number" if type_ in _NUMBERS else type_.name.lower()


def _mapped_columns(source: SourceConfig, entity: Entity) -> set[str]:
    """Canonical columns that sources.yml fills from a column of the source's, also those of flat order lines."""
    found: set[str] = set()
    for name, config in source.entities.items():
        canonical = source.find_entity(name)
        if canonical == entity:
            found |= config.columns.keys()
        if name == "order_lines" and (entity.role, entity.name) == ("shop", "orders"):
            found |= {c.removeprefix("order_") for c in config.columns if c.startswith("order_")}
    return found - SELDOM


def _bucket_lists() -> str:
    return ",\n".join(
        f"[{', '.join(f'coalesce(sum(n) filter ({bucket} = {i}), 0)' for i in range(BUCKETS))}]::double[] as {bucket}s"
        for bucket in ("value_bucket", "form_bucket")
    )


def _figures_query(connection: DuckDBPyConnection) -> str:
    """SQL of every figure; those of tables that were not built are left out."""
    there = names_of_tables(connection)
    parts = [
        f"select 'rows' as figure, {literal(table)} as part, count(*)::double as value from {table}"
        for table in sorted(there)
        if table.startswith(("marts.", "activation."))
    ]
    parts += [query for table, query in _FIGURES if table in there]
    return " union all ".join(parts) or "select null::text as figure, null::text as part, null::double as value limit 0"


def _redated_query(table: str) -> str:
    """SQL that adds figure `redated`: records by source that happened at another moment than was published."""
    key, moment = MOMENTS[table]
    return (
        f"insert into figures_now select 'redated', now.source_system || '.' || {literal(table.split('.')[1])}, "
        f"count(*) filter (now.{moment} <> before.{moment}) "
        f"from {table} as now inner join base.{table} as before using ({key}) group by now.source_system"
    )


def _count(connection: DuckDBPyConnection, table: str) -> int:
    return int(connection.execute(f"select count(*) from {table}").fetchall()[0][0])


# Figures beside the number of rows of each table: the table they are read from, and (figure, part, value).
_FIGURES = (
    (
        "marts.orders",
        "select 'closed_month_revenue', strftime(ordered_date, '%Y-%m'), sum(revenue_amount_base)::double "
        "from marts.orders "
        "where ordered_date < date_trunc('month', (select as_of from config.build)) - interval 1 month group by all",
    ),
    (
        "marts.orders",
        "select 'orders_per_source', source_system, count(*)::double from marts.orders group by all",
    ),
    (
        "marts.customers",
        "select 'contactable', channel, count(*) filter (is_contactable)::double from (unpivot marts.customers on "
        "is_contactable_email, is_contactable_phone, is_contactable_post into name channel value is_contactable) "
        "group by all",
    ),
    (
        "marts.permissions_current",
        "select 'permissions_' || status, channel, count(*)::double from marts.permissions_current group by all",
    ),
    (
        "marts.customer_value",
        "select 'segment', coalesce(rfm_segment, 'none'), count(*)::double from marts.customer_value group by all",
    ),
    (
        "config.build",
        "select 'as_of', 'day', (as_of::date - date '1970-01-01')::double from config.build",
    ),
    (
        "raw.reconciliation",
        "select 'rejected', source_system || '.' || entity, latest_rejected_count::double from raw.reconciliation",
    ),
    (
        "raw.reconciliation",
        "select 'repeated', source_system || '.' || entity, repeated_count::double from raw.reconciliation",
    ),
    (
        "activation.exclusions",
        "select 'exclusions', reason, count(*)::double from activation.exclusions group by all",
    ),
    (
        "activation.audience_members",
        "select 'audience', audience, count(*)::double from activation.audience_members group by all",
    ),
    (
        "marts.customer_contact_points",
        "select 'contact_points', kind, count(*)::double from marts.customer_contact_points where is_valid and is_live "
        "group by all",
    ),
)

_PROFILE_TYPES = {
    "source_system": "text",
    "entity": "text",
    "column_name": "text",
    "kind": "text",
    "record_count": "bigint",
    "filled_count": "bigint",
    "filled_share": "double",
    "distinct_share": "double",
    "top_share": "double",
    "figure": "double",
    "midnight_share": "double",
    "newest_date": "date",
    "recent_count": "bigint",
    "recent_day_count": "bigint",
    "last_day_count": "bigint",
    "usual_day_count": "double",
    "day_spread": "double",
    "value_buckets": "double[]",
    "form_buckets": "double[]",
}
_PROFILE = ", ".join(f"{name} {type_}" for name, type_ in _PROFILE_TYPES.items())

_PARTS = {
    "profile_counts": "source_system text, entity text, column_name text, kind text, record_count bigint, "
    "filled_count bigint",
    "profile_days": "source_system text, entity text, column_name text, day date, n bigint",
    "profile_values": "source_system text, entity text, column_name text, value text, n bigint",
}

# Records, filled values and days are counted in all records, the rest in the sample; of the days those of the four
# weeks up to the newest one, and up to the last whole day.
_OF_ENTITY = {
    "profile_counts": """
    with kinds (column_name, kind) as (values {kinds})
    select source_system, {entity}, column_name, kind, record_count, filled_count
    from (
        unpivot ({counts}) on {names} into name column_name value filled_count
    ) join kinds using (column_name)
    where filled_count > 0
    """,
    "profile_days": """
    select source_system, {entity}, column_name, day, count(*)
    from (
        unpivot (select source_system, {days} from {table} where deleted_at is null) on {moments}
        into name column_name value day
    ) group by all
    """,
    "profile_values": """
    select source_system, {entity}, column_name, value, count(*)
    from (
        unpivot (select source_system, {texts} from {table} where deleted_at is null {sampled}) on {names}
        into name column_name value value
    ) group by all
    """,
}

# One query over all entities. Values are grouped before anything costly is done with them, and buckets before they
# become lists.
_PROFILED = """
insert into profile_now by name
with described as (
    select v.*, c.kind,
        case when c.kind in ('timestamp', 'date') then try_cast(v.value as timestamp) end as moment,
        case when c.kind = 'number' then try_cast(v.value as double)
             when c.kind = 'boolean' then (v.value = 'true')::integer::double end as number
    from profile_values as v inner join profile_counts as c using (source_system, entity, column_name)
),
bucketed as materialized (
    select source_system, entity, column_name, n, moment, number,
        case
            when kind = 'timestamp' then hour(moment) * 16 // 24
            when kind = 'date' then (dayofyear(moment) - 1) * 16 // 366
            when kind = 'number' then (greatest(-3, least(12, floor(ln(abs(number) + 1e-9)))) + 3)::integer
            else (md5_number_lower(lower(trim(value))) % 16)::integer
        end as value_bucket,
        case when kind = 'text' then (md5_number_lower(
            regexp_replace(regexp_replace(value, '[a-zA-ZäöüÄÖÜß]+', 'a', 'g'), '[0-9]+', '9', 'g')
        ) % 16)::integer else 0 end as form_bucket
    from described
),
spread as (
    select source_system, entity, column_name, {buckets}
    from (
        select source_system, entity, column_name, value_bucket, form_bucket, sum(n) as n from bucketed group by all
    ) group by all
),
recent as (
    select source_system, entity, column_name, newest, sum(n) as recent_count, count(*) as recent_day_count
    from profile_days join (
        select source_system, entity, column_name, max(day) as newest from profile_days group by all
    ) using (source_system, entity, column_name)
    where day > newest - 28 group by all
),
daily as (
    select source_system, entity, column_name, coalesce(sum(n) filter (day = last_day), 0) as last_day_count,
        coalesce(sum(n) filter (day in (last_day - 7, last_day - 14, last_day - 21, last_day - 28)), 0) / 4.0
            as weekday_mean,
        coalesce(sum(n) filter (day < last_day), 0) / 28.0 as mean,
        coalesce(sum(n * n) filter (day < last_day), 0) / 28.0 as mean_square
    from profile_days cross join last_day
    where day between last_day - 28 and last_day
    group by source_system, entity, column_name
),
lately as (
    select source_system, entity, column_name, last_day_count, least(weekday_mean, mean) as usual_day_count,
        greatest(1, (mean_square - mean * mean) / nullif(mean, 0)) as day_spread
    from daily
),
summed as (
    select source_system, entity, column_name, sum(n) as sampled_count, count(*) as distinct_count,
        max(n) as top_count, sum(number * n) / nullif(sum(n) filter (number is not null), 0) as figure,
        coalesce(sum(n) filter (moment = date_trunc('day', moment)), 0) as midnight_count
    from bucketed group by all
)
select source_system, entity, column_name, kind, record_count, filled_count,
    filled_count / record_count as filled_share, distinct_count / sampled_count as distinct_share,
    top_count / sampled_count as top_share, figure,
    case when kind = 'timestamp' then midnight_count / sampled_count end as midnight_share,
    newest as newest_date, recent_count, recent_day_count, last_day_count, usual_day_count, day_spread,
    list_transform(value_buckets, lambda b: b / sampled_count) as value_buckets,
    list_transform(form_buckets, lambda b: b / sampled_count) as form_buckets
from profile_counts left join summed using (source_system, entity, column_name)
    left join spread using (source_system, entity, column_name)
    left join recent using (source_system, entity, column_name)
    left join lately using (source_system, entity, column_name)
"""

# A mapped column without any value has the row that was written first, and no second one.
_COMPARED_PROFILE = """
create or replace table meta.source_profile as
with counted as (
    select source_system, entity, max(record_count) as record_count from profile_now group by all
),
here as (
    select source_system, entity, column_name, max(kind) as kind,
        coalesce(max(counted.record_count), 0) as record_count,
        coalesce(max(filled_count), 0) as filled_count,
        coalesce(max(filled_share), 0) as filled_share, max(distinct_share) as distinct_share,
        max(top_share) as top_share, max(figure) as figure, max(midnight_share) as midnight_share,
        max(newest_date) as newest_date, max(recent_count) as recent_count,
        max(recent_day_count) as recent_day_count,
        max(last_day_count) as last_day_count, max(usual_day_count) as usual_day_count,
        max(day_spread) as day_spread, max(value_buckets) as value_buckets, max(form_buckets) as form_buckets
    from profile_now left join counted using (source_system, entity)
    group by source_system, entity, column_name
)
select source_system, entity, column_name, coalesce(here.kind, base.kind) as kind,
    coalesce(here.record_count, 0) as record_count, coalesce(here.filled_count, 0) as filled_count,
    coalesce(here.filled_share, 0) as filled_share,
    here.distinct_share, here.top_share, here.figure, here.midnight_share, here.newest_date,
    here.recent_count, here.recent_day_count, here.last_day_count, here.usual_day_count,
    here.day_spread,
    here.value_buckets, here.form_buckets,
    base.record_count as base_record_count, base.filled_count as base_filled_count,
    base.filled_share as base_filled_share,
    base.distinct_share as base_distinct_share, base.top_share as base_top_share, base.figure as base_figure,
    base.midnight_share as base_midnight_share, base.newest_date as base_newest_date,
    base.recent_count as base_recent_count,
    base.recent_day_count as base_recent_day_count,
    base.last_day_count as base_last_day_count, base.usual_day_count as base_usual_day_count,
    base.day_spread as base_day_spread,
    list_sum(list_transform(list_zip(here.value_buckets, base.value_buckets), lambda p: abs(p[1] - p[2]))) / 2
        as value_shift,
    list_sum(list_transform(list_zip(here.form_buckets, base.form_buckets), lambda p: abs(p[1] - p[2]))) / 2
        as form_shift
from here full outer join profile_base as base using (source_system, entity, column_name)
order by source_system, entity, column_name
"""

_COMPARED_FIGURES = """
create or replace table meta.figures as
select figure, part, coalesce(here.value, 0) as value, base.value as base_value
from figures_now as here full outer join figures_base as base using (figure, part)
order by figure, part
"""
