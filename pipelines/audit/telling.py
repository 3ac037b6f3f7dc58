"""Findings and results in words, for command line, Dagster and alerts: counts, owners, remedies, never a value.

Add here how something the audit found is told. What a finding is, is in `findings`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from pipelines.audit.findings import State, Trend
from pipelines.audit.results import Status

if TYPE_CHECKING:
    from pipelines.audit.findings import Finding
    from pipelines.audit.results import RuleResult


def tell_findings(findings: Sequence[Finding], currency: str) -> Iterator[str]:
    """Two lines for each finding: what it is and how it stands, then what to do."""
    for f in findings:
        yield f"{f.id}  {f.state.value}{_since(f)}, {f.severity.value}: {tell_extent(f, currency)}"
        if f.state is State.ACCEPTED and f.accepted:
            how = f"Accepted by {f.accepted.author} until {f.accepted.until}: {f.accepted.reason}"
            yield f"    {f.text.description} {how}"
        elif f.state is State.CLOSED:
            yield f"    {f.text.description}"
        else:
            yield f"    {f.text.description} Owner: {f.text.owner}. {f.text.remedy}"


def tabulate_findings(findings: Sequence[Finding], currency: str) -> str:
    """Findings as a table of Markdown."""
    head = ("finding", "state", "severity", "extent", "owner", "remedy")
    rows = [
        (
            *(f.id, f"{f.state.value} since {f.opened_at:%Y-%m-%d}", f.severity.value),
            *(tell_extent(f, currency), f.text.owner, f.text.remedy),
        )
        for f in findings
    ]
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def tell_result(result: RuleResult) -> str:
    """What a rule found on one object: `failed, 271 of 871 fail (allowed 5.0%)`."""
    parts = [result.status.replace("_", " ")]
    if result.failed_count is not None:
        allowed = f" (allowed {result.threshold:.1%})" if result.threshold else ""
        parts.append(f"{result.failed_count:,} of {result.element_count or 0:,} fail{allowed}")
    return ", ".join([*parts, *([result.note] if result.note else [])])


def tell_none_open(found: Iterable[Finding], owner: str | None) -> str:
    """That nothing is open of this owner; whose findings are, in case the name was mistyped."""
    others = sorted({f.text.owner for f in found if f.closed_at is None} - {owner})
    if owner is None or not others:
        return "No finding is open."
    return f"No finding of {owner} is open; there are some of {', '.join(others)}."


def tell_extent(f: Finding, currency: str) -> str:
    """How much fails, whom it concerns, and which way it goes; one sentence."""
    if f.status is Status.NOT_RUN:
        return "the check could not run (see build/errors.log)."
    parts = [f"{f.failed_count or 0:,} of {f.element_count or 0:,} fail"]
    if f.trend not in (Trend.NEW, Trend.GONE):
        before = f" from {f.previous_failed_count:,}" if f.previous_failed_count is not None else ""
        parts.append(f"{f.trend.value}{before if f.trend is not Trend.STEADY else ''}")
    if f.customers_affected is not None:
        customers = "1 customer" if f.customers_affected == 1 else f"{f.customers_affected:,} customers"
        parts.append(f"{customers} with {f.revenue_affected or 0:,.0f} {currency} of revenue")
    return ", ".join(parts) + "."


def _since(f: Finding) -> str:
    if f.state is State.CLOSED and f.closed_at:
        return f" at {f.closed_at:%Y-%m-%d}, seen {_times(f.seen_count)}"
    again = f", for the {f.reopened_count + 1}. time" if f.reopened_count else ""
    return f" since {f.opened_at:%Y-%m-%d}{again}, seen {_times(f.seen_count)}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
