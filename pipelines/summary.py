"""The short table a run ends with: what was read, what became of it, what the audit said, where it is."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from pipelines.audit import Verdict, load_verdict
from pipelines.publish import read_status, reader_command
from pipelines.resolve import tell_outcomes
from pipelines.settings import Settings
from pipelines.warehouse import connect

FIGURES = {
    "corrected values": "select count(*) from clean.corrections where status = 'applied'",
    "customers": "select count(*) from marts.customers",
    "person records": "select count(*) from identity.members",
    "merged records": "select count(*) - count(distinct customer_id) from identity.members",
    "refused links": "select count(*) from identity.refused_links",
    "decisions of people": "select count(*) from identity.overrides where status = 'in_force'",
    "audience members": "select count(*) from activation.audience_members",
}

SHOWN = 10  # lines of overrides.csv that a run complains about on the screen


def print_summary(console: Console, settings: Settings) -> None:
    """Print what the open build holds, its verdict and, when it is published, how to query it."""
    table = Table(show_header=False, box=None, pad_edge=False)
    with connect(settings.build_warehouse, settings, read_only=True) as connection:
        sources = connection.execute(
            "select source_system, bool_and(is_enabled), sum(delivered_count), sum(rejected_count), max(load_count), "
            "max(failed_at) is not null, min(loaded_at) "
            "from raw.reconciliation group by all order by all"
        ).fetchall()
        for source, is_enabled, delivered, rejected, loads, has_failed, loaded_at in sources:
            note = f"{int(rejected or 0):,} rejected" + (f", in {loads} loads" if (loads or 0) > 1 else "")
            if not is_enabled:
                note = "switched off; the last landed rows are kept"
            elif has_failed:
                note = f"could not be loaded; what was landed by {loaded_at:%Y-%m-%d %H:%M} UTC is used"
            table.add_row(f"read from {source}", f"{int(delivered or 0):,}", note)
        for label, query in FIGURES.items():
            row = connection.execute(query).fetchone()
            table.add_row(label, f"{int(row[0]) if row else 0:,}", "")
        told = tell_outcomes(connection)
    verdict = load_verdict(settings)
    if verdict is not None:
        for suite, counts in _by_suite(verdict).items():
            table.add_row(f"audit of {suite}", str(sum(counts.values())), _in_words(counts))
    console.print(table)
    for sentence in told[:SHOWN]:
        console.print(sentence, markup=False)
    if len(told) > SHOWN:
        console.print(f"And {len(told) - SHOWN} further lines of overrides.csv; all are in the report.")
    status = read_status(settings)
    for line in status.lines():
        console.print(line, markup=False)
    if status.current is not None:
        console.print(f"Query it:  {reader_command(settings)}", markup=False)


def _by_suite(verdict: Verdict) -> dict[str, dict[str, int]]:
    suites: dict[str, dict[str, int]] = {}
    for result in verdict.results:
        counts = suites.setdefault(result.suite, {})
        counts[result.status] = counts.get(result.status, 0) + 1
    return suites


def _in_words(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {status.replace('_', ' ')}" for status, count in sorted(counts.items()))
