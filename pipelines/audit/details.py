"""What an audit says beside its results: whom failures concern, scores, findings; kept for ever, and as tables.

Add here what is derived from the results of a whole audit. What it means is in the modules that are called.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pipelines.audit.decisions import read_decisions
from pipelines.audit.figures import read_figures, read_model_version
from pipelines.audit.findings import Finding, follow_findings
from pipelines.audit.history import FULL_AUDITS, Audit, History, keep_audit, read_history
from pipelines.audit.impact import Impact, measure_impacts
from pipelines.audit.scorecard import Score, measure_fields, measure_results, score_build
from pipelines.audit.store import DetailTable
from pipelines.warehouse import connect, insert_rows

if TYPE_CHECKING:
    from pipelines.audit.results import Verdict
    from pipelines.audit.rules import Rule
    from pipelines.build import Build
    from pipelines.settings import Settings

_FINDINGS = """
    build_id text, version text, finding_id text, rule_id text, object text, suite text, dimension text, severity text,
    state text, owner text, description text, description_de text, remedy text, remedy_de text,
    first_seen_at timestamp, first_seen_version text, last_seen_at timestamp, last_seen_version text,
    opened_at timestamp, closed_at timestamp, seen_count bigint, reopened_count bigint, failed_count bigint,
    element_count bigint, previous_failed_count bigint, trend text, customers_affected bigint,
    revenue_affected_amount_base decimal(18, 4), accepted_because text, accepted_until date
"""
_SCORECARD = """
    build_id text, version text, audited_at timestamp, level text, scope text, entity text, field text, dimension text,
    element_count bigint, good_count bigint, measure_count bigint, weight double, score double, previous_score double
"""


@dataclass(frozen=True)
class Details:
    """What one audit adds to its results.

    Attributes:
        impacts: by rule and object.
        figures: key figures of the build.
        scores: the scorecard.
        history: all audits, this one last.
        findings: every finding there ever was, as of this audit.
    """

    impacts: Mapping[tuple[str, str], Impact]
    figures: Mapping[str, float]
    scores: Sequence[Score]
    history: History
    findings: Sequence[Finding]


def follow_audit(
    settings: Settings,
    build: Build,
    verdict: Verdict,
    rules: Sequence[Rule],
    *,
    customers: Sequence[tuple[str, str, str]],
    is_complete: bool,
) -> Details:
    """Score the build, keep the audit, and tell what became of every finding.

    Args:
        rules: those that were run.
        customers: rule, object and customer of every failing row that is known to be a customer's.
        is_complete: these are all rules of the catalogue.
    """
    with connect(settings.build_warehouse, settings, read_only=True) as connection:
        impacts: dict[tuple[str, str], Impact] = {}
        if customers:
            connection.execute("create temp table failing (rule_id text, object text, customer_id text)")
            insert_rows(connection, "failing", customers)
            impacts = measure_impacts(connection, "failing")
        figures = read_figures(connection)
        model_version = read_model_version(connection)
        measures = measure_results(verdict.results, {rule.id: rule for rule in rules}) + measure_fields(connection)
    scores = score_build(measures)
    keep_audit(
        settings,
        build,
        verdict,
        is_complete=is_complete,
        model_version=model_version,
        figures=figures,
        impacts=impacts,
        scores=scores,
    )
    history = read_history(settings)
    findings = follow_findings(history, read_decisions(settings), build.as_of)
    return Details(impacts, figures, scores, history, findings)


def list_findings(settings: Settings, now: datetime) -> list[Finding]:
    """Every finding there ever was, with the decisions that hold at this moment."""
    return follow_findings(read_history(settings), read_decisions(settings), now)


def detail_tables(build: Build, verdict: Verdict, details: Details) -> list[DetailTable]:
    """Findings and scorecard as they are published."""
    head = (build.build_id, verdict.version)
    base = audit_of_base(build, details.history)
    before = details.history.scores.get(base.build_id, {}) if base else {}
    return [
        DetailTable("findings", _FINDINGS, [(*head, *_finding_row(f)) for f in details.findings]),
        DetailTable(
            "scorecard",
            _SCORECARD,
            [
                (*head, verdict.ran_at, *_score_row(s), before.get(s.place) if s.field is None else None)
                for s in details.scores
            ],
        ),
    ]


def audit_of_base(build: Build, history: History) -> Audit | None:
    """The audit of the version that was published when the build was opened; None when it is too long ago."""
    recent = history.audits[-FULL_AUDITS:]
    return next((a for a in reversed(recent) if a.version and a.version == build.base_version), None)


def _finding_row(f: Finding) -> tuple[Any, ...]:
    text = f.text
    return (
        f.id,
        f.rule_id,
        f.object,
        text.suite,
        text.dimension,
        text.severity,
        f.state.value,
        text.owner,
        text.description,
        text.description_de,
        text.remedy,
        text.remedy_de,
        f.first_seen_at,
        f.first_seen_version,
        f.last_seen_at,
        f.last_seen_version,
        f.opened_at,
        f.closed_at,
        f.seen_count,
        f.reopened_count,
        f.failed_count,
        f.element_count,
        f.previous_failed_count,
        f.trend.value,
        f.customers_affected,
        f.revenue_affected,
        f.accepted.reason if f.accepted else None,
        f.accepted.until if f.accepted else None,
    )


def _score_row(s: Score) -> tuple[Any, ...]:
    return (
        s.level,
        s.scope,
        s.entity,
        s.field,
        s.dimension,
        s.element_count,
        s.good_count,
        s.measure_count,
        s.weight,
        s.score,
    )
