"""Every figure of a build that is compared with earlier versions, and where those are kept.

Add a figure here when an unusual one should be looked at. A figure counts or sums many records; a value of a record
must not come here. What is usual is in `bands`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.audit.bands import Band, Kind, Point
from pipelines.warehouse import connect, literal, names_of_tables

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from pipelines.audit.results import RuleResult
    from pipelines.settings import Settings

RECORDS, EMPTY_FIELDS, RULES, REVENUE, IDENTITY = "records", "empty_fields", "rule_shares", "revenue", "identity"
FAILURES = "failures"  # compared with the published version alone, so they are in no history
SOURCES = "sources.entities"  # stands for every entity of every source
# What the figures of a family are about, as a rule names it.
FAMILIES = {
    RECORDS: SOURCES,
    EMPTY_FIELDS: SOURCES,
    RULES: "audit.rule_results",
    REVENUE: "marts.orders",
    IDENTITY: "identity.diff",
    FAILURES: "audit.rule_results",
}


@dataclass(frozen=True)
class Metric:
    """One figure of a build.

    Attributes:
        family: which rule judges it.
        object: `<source>.<entity>` or `<schema>.<table>`.
        part: what of the object, e.g. the name of a column.
        band: where it was expected, None after too few versions.
        known: versions of the same weekday that the band is learned from.
    """

    family: str
    object: str
    part: str
    kind: Kind
    value: float
    band: Band | None = None
    known: int = 0
    is_unusual: bool = False

    @property
    def key(self) -> tuple[str, str, str]:
        return self.family, self.object, self.part


def day_of(as_of: datetime, zone: ZoneInfo) -> date:
    """The company's day of a moment in UTC."""
    return as_of.replace(tzinfo=UTC).astimezone(zone).date()


def collect_metrics(settings: Settings, results: Sequence[RuleResult]) -> list[Metric]:
    """The figures of the open build; those of tables that were not built are left out."""
    metrics = [
        Metric(RULES, FAMILIES[RULES], f"{r.rule_id} {r.object}", Kind.SHARE, (r.failed_count or 0) / r.element_count)
        for r in results
        if r.element_count
    ]
    with connect(settings.build_warehouse, settings, read_only=True) as connection:
        there = names_of_tables(connection)
        for table, query in _QUERIES.items():
            if table in there:
                metrics += [
                    Metric(family, object_, part, Kind(kind), float(value))
                    for family, object_, part, kind, value in connection.execute(query).fetchall()
                ]
    return sorted(metrics, key=lambda metric: metric.key)


# By the table that must be there: family, object, part, kind and value of each figure.
_QUERIES = {
    "meta.source_profile": f"""
        select '{EMPTY_FIELDS}', source_system || '.' || entity, column_name, 'share', 1 - filled_share
        from meta.source_profile where record_count > 0
    """,
    "raw.reconciliation": f"""
        with reconciled as (
            select source_system || '.' || entity as object, * from raw.reconciliation where is_enabled
        )
        select '{RECORDS}', object, 'records', 'stock', landed_count from reconciled
        union all
        select '{RECORDS}', object, 'delivered records', 'flow', latest_delivered_count from reconciled
        union all
        select '{RECORDS}', object, 'share of rejected records', 'share', latest_rejected_count / latest_delivered_count
        from reconciled where latest_delivered_count > 0
        union all
        select '{RECORDS}', object, 'share of records set aside', 'share', quarantined_count / landed_count
        from reconciled where landed_count > 0
    """,
    # The last day that is over. A source and currency without an order on it had none.
    "marts.orders": f"""
        with last_day as (
            select (timezone(time_zone, timezone('UTC', as_of)))::date - 1 as day from config.build
        ),
        sums as (
            select concat_ws(' ', source_system, currency) as part,
                coalesce(sum(revenue_amount) filter (ordered_date = day), 0) as revenue,
                count(*) filter (ordered_date = day) as orders
            from marts.orders cross join last_day group by all
        )
        select '{REVENUE}', 'marts.orders', 'revenue ' || part, 'flow', revenue from sums
        union all
        select '{REVENUE}', 'marts.orders', 'orders ' || part, 'flow', orders from sums
    """,
    "identity.diff": f"""
        with counts as (unpivot (
            select customers_now as customers, records_now as records from identity.diff
        ) on customers, records into name part value count),
        shares as (unpivot (
            select created / nullif(customers_now, 0) as created, merged / nullif(customers_before, 0) as merged,
                split / nullif(customers_before, 0) as split, joined / nullif(customers_before, 0) as joined,
                gone / nullif(customers_before, 0) as gone, moved_records / nullif(records_before, 0) as moved_records,
                held_by_one_edge / nullif(customers_now, 0) as held_by_one_edge
            from identity.diff
        ) on columns(*) into name part value share)
        select '{IDENTITY}', 'identity.diff', part, 'stock', count from counts
        union all
        select '{IDENTITY}', 'identity.diff', 'share ' || part, 'share', share from shares where share is not null
    """,
    "identity.links": f"""
        select '{IDENTITY}', 'identity.diff', 'links ' || method, 'stock', count(*) from identity.links group by method
    """,
}


KEPT = timedelta(
    days=400
)  # of the history in a version: every day of last year has its own beside it; the state has all
HISTORY = (
    "version text, day date, metric text, object text, part text, kind text, value double, "
    "lower double, upper double, known_count bigint, is_unusual boolean"
)


def as_row(metric: Metric, version: str, day: date) -> tuple[Any, ...]:
    """The row of `audit.metrics`."""
    band = (metric.band.lower, metric.band.upper) if metric.band else (None, None)
    measured = (metric.family, metric.object, metric.part, metric.kind.value, metric.value)
    return (version, day, *measured, *band, metric.known, metric.is_unusual)


def as_points(rows: Sequence[tuple[Any, ...]]) -> Mapping[tuple[str, str, str], list[Point]]:
    """Rows of `audit.metrics` as the history of each figure, in their order."""
    history: dict[tuple[str, str, str], list[Point]] = {}
    for _, day, metric, object_, part, _, value, *_ in rows:
        history.setdefault((metric, object_, part), []).append(Point(day, value))
    return history


def read_rows(settings: Settings, since: date) -> list[tuple[Any, ...]]:
    """The rows of `state/metrics.duckdb` from a day on, in the order of the versions."""
    if not state_file(settings).exists():
        return []
    with connect(state_file(settings), settings, read_only=True) as connection:
        return connection.execute(
            "from metrics where day >= ? order by version, metric, object, part", [since]
        ).fetchall()


def state_file(settings: Settings) -> Path:
    """Where the figures of every version ever published are."""
    return settings.state_dir / "metrics.duckdb"


def keep_metrics(settings: Settings) -> None:
    """Copy the figures of the current version that the state does not have; doing it twice changes nothing."""
    published = settings.current / "warehouse.duckdb"
    if not published.exists():
        return
    settings.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with connect(state_file(settings), settings, attach={"published": published.resolve()}) as connection:
        connection.execute(f"create table if not exists metrics ({HISTORY})")
        has_metrics = connection.execute(
            "select 1 from duckdb_tables() where database_name = 'published' and schema_name = 'audit' "
            "and table_name = 'metrics'"
        ).fetchone()
        if has_metrics:
            connection.execute(
                f"insert into metrics by name select * from published.audit.metrics "
                f"where version = {literal(settings.current.resolve().name)} "
                f"and version not in (select version from metrics)"
            )
    state_file(settings).chmod(0o600)
