"""The report of one audit: a small self-contained page for owners, with counts and never a value.

Add here what an owner must see to decide what to do next. What the figures mean is decided in `run`.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.audit.results import RuleResult, Status, Verdict
from pipelines.warehouse import connect

if TYPE_CHECKING:
    from pipelines.audit.rules import Rule
    from pipelines.build import Build
    from pipelines.settings import Settings

TEMPLATE = Path(__file__).with_name("report.html.j2")
UNMET = (Status.FAILED, Status.NOT_RUN, Status.WARNED)

# Counts beside the rules: by table of the build, (heading, query).
COUNTS = {
    "raw.reconciliation": (
        "What each source delivered",
        "select source_system as source, entity, is_enabled as enabled, delivered_count as delivered, "
        "new_count as new, changed_count as changed, unchanged_count as unchanged, revived_count as revived, "
        "rejected_count as rejected, superseded_count as superseded, repeated_count as repeated, "
        "deleted_count as deleted, quarantined_count as quarantined, loaded_at as loaded, failed_at as failed "
        "from raw.reconciliation order by source_system, entity",
    ),
    "clean.corrections": (
        "What cleaning corrected",
        "select source_system as source, entity, field, rule, status, count(*) as corrections "
        "from clean.corrections group by all order by source_system, entity, field, rule, status",
    ),
    "raw.rejects": (
        "What was rejected at landing",
        "select source_system as source, entity, field, reason, count(*) as records "
        "from raw.rejects group by all order by source_system, entity, field, reason",
    ),
    "identity.refused_links": (
        "Links between records that were refused",
        "select method, rule, reason, count(*) as links from identity.refused_links group by all "
        "order by method, rule, reason",
    ),
    "identity.diff": (
        "What changes against the published version",
        "select coalesce(base_version, 'none') as published, customers_before, customers_now, created, merged, split, "
        "joined, gone, moved_records, largest_before, largest_now, held_by_one_edge, "
        "round(100 * revenue_affected / nullif(revenue_before, 0), 1) as percent_of_revenue, "
        "round(100 * consents_affected / nullif(consents_before, 0), 1) as percent_of_permissions from identity.diff",
    ),
    "identity.overrides": (
        "What people decided in overrides.csv",
        "select kind, status, count(*) as decisions, string_agg(case when status not in ('in_force', 'inactive') then "
        "'line ' || line || coalesce(' against ' || nullif(array_to_string(conflicting_lines, ', '), ''), '') end, "
        "'; ' order by line) as lines from identity.overrides group by kind, status order by kind, status",
    ),
}


@dataclass(frozen=True)
class CountTable:
    heading: str
    columns: list[str]
    rows: list[tuple[Any, ...]]


def write_report(settings: Settings, build: Build, verdict: Verdict, rules: Sequence[Rule]) -> Path:
    """Write `build/report/index.html` from the verdict and the build; returns the file."""
    folder = settings.build_dir / "report"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    file = folder / "index.html"
    file.write_text(render_report(build, verdict, rules, _read_counts(settings)), encoding="utf-8")
    return file


def render_report(build: Build, verdict: Verdict, rules: Sequence[Rule], counts: Sequence[CountTable]) -> str:
    """The page as text. Everything from outside the template is escaped."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    suites: dict[str, list[RuleResult]] = {}
    for result in verdict.results:
        suites.setdefault(result.suite, []).append(result)
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        build=build,
        verdict=verdict,
        unmet=sorted(
            (r for r in verdict.results if r.status in UNMET),
            key=lambda r: (not r.refuses, UNMET.index(r.status), r.suite, r.rule_id, r.object),
        ),
        suites=suites,
        rules={rule.id: rule for rule in rules},
        counts=counts,
    )


def _read_counts(settings: Settings) -> list[CountTable]:
    with connect(settings.build_warehouse, settings, read_only=True) as connection:
        there = {
            name
            for (name,) in connection.execute("select schema_name || '.' || table_name from duckdb_tables()").fetchall()
        }
        tables = []
        for name, (heading, query) in COUNTS.items():
            if name in there:
                found = connection.execute(query)
                columns = [column[0] for column in found.description or []]
                tables.append(CountTable(heading, columns, found.fetchall()))
        return tables
