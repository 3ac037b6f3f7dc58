"""Findings: what rules found wrong, with a life over versions and refused builds, until it is mended or accepted.

Add here what happens to a finding over time. A finding is one rule on one object; it opens when the rule is not met,
closes when it is met, reopens when it is not met again. What audits found comes from `history`, what people decided
from `decisions`; nothing here runs a rule or touches a file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from pipelines.audit.decisions import Decision
from pipelines.audit.results import Severity, Status, display_rule_id

if TYPE_CHECKING:
    from pipelines.audit.history import Audit, History, PastResult, RuleText

# An acceptance is for what was seen: when more than this many times as much fails, the finding is open again.
ACCEPTED_GROWTH = 2.0


class State(StrEnum):
    """`accepted`: somebody said why it stays, for a time; it is on no list of work meanwhile."""

    OPEN = "open"
    REOPENED = "reopened"
    ACCEPTED = "accepted"
    CLOSED = "closed"


class Trend(StrEnum):
    """How the share that fails moved since the audit before."""

    NEW = "new"
    RISING = "rising"
    FALLING = "falling"
    STEADY = "steady"
    GONE = "gone"


@dataclass(frozen=True)
class Finding:
    """One rule that is, or was, not met on one object. Moments are UTC.

    Attributes:
        id: `CRM-004:crm.contacts`, for ever.
        state: as of the last audit and the decisions until now.
        status: what the rule said when it was last not met.
        first_seen_at, first_seen_version: the audit that found it first; the version is None when it refused.
        last_seen_at, last_seen_version: the audit that found it last.
        opened_at: since when it is open without interruption, the last time.
        closed_at: the audit that found it mended, or its rule gone; None unless closed.
        seen_count: audits that found it. reopened_count: how often it came back.
        failed_count, element_count: of the last audit that found it.
        previous_failed_count: of the audit before the last one; None when that one did not look.
        customers_affected, revenue_affected: at least; None where keys do not lead to customers.
        accepted: the decision that holds, None when none does.
    """

    id: str
    rule_id: str
    object: str
    text: RuleText
    state: State
    status: Status
    first_seen_at: datetime
    first_seen_version: str | None
    last_seen_at: datetime
    last_seen_version: str | None
    opened_at: datetime
    closed_at: datetime | None
    seen_count: int
    reopened_count: int
    failed_count: int | None
    element_count: int | None
    previous_failed_count: int | None
    trend: Trend
    customers_affected: int | None
    revenue_affected: float | None
    accepted: Decision | None

    @property
    def display_id(self) -> str:
        return display_rule_id(self.rule_id)

    @property
    def severity(self) -> Severity:
        return Severity(self.text.severity)

    @property
    def needs_work(self) -> bool:
        return self.state in (State.OPEN, State.REOPENED)


def finding_id(rule_id: str, name: str) -> str:
    return f"{display_rule_id(rule_id)}:{name}"


@dataclass
class _Life:
    """What is known of one finding while the audits go by."""

    first: Audit
    last: Audit
    opened: Audit
    found: PastResult
    closed_at: datetime | None = None
    seen_count: int = 1
    reopened_count: int = 0
    counts: list[PastResult | None] = field(default_factory=list)


def follow_findings(history: History, decisions: Sequence[Decision], now: datetime) -> list[Finding]:
    """Every finding there ever was, as of the last audit; what needs work first, most revenue first.

    Args:
        now: decides which acceptances are still in force.
    """
    lives: dict[tuple[str, str], _Life] = {}
    for audit in history.audits:
        looked_at = {(r.rule_id, r.object): r for r in history.results[audit.build_id]}
        for key, result in looked_at.items():
            life = lives.get(key)
            if not result.is_unmet:
                if life is not None:
                    life.closed_at = life.closed_at or audit.audited_at
                    life.counts.append(result)
            elif life is None:
                lives[key] = _Life(audit, audit, audit, result, counts=[result])
            else:
                if life.closed_at is not None:
                    life.opened, life.closed_at = audit, None
                    life.reopened_count += 1
                life.last, life.found, life.seen_count = audit, result, life.seen_count + 1
                life.counts.append(result)
        if audit.is_complete:
            for key in lives.keys() - looked_at.keys():  # the rule, or what it was checked on, is gone
                lives[key].closed_at = lives[key].closed_at or audit.audited_at
                lives[key].counts.append(None)
    findings = [_finding(key, life, history, decisions, now) for key, life in lives.items()]
    return sorted(findings, key=_urgency)


def _finding(
    key: tuple[str, str], life: _Life, history: History, decisions: Sequence[Decision], now: datetime
) -> Finding:
    rule_id, name = key
    found = life.found
    before = life.counts[-2] if len(life.counts) > 1 else None
    accepted = _acceptance(finding_id(*key), found, decisions, now) if life.closed_at is None else None
    if life.closed_at is not None:
        state = State.CLOSED
    elif accepted is not None:
        state = State.ACCEPTED
    else:
        state = State.REOPENED if life.reopened_count else State.OPEN
    return Finding(
        id=finding_id(*key),
        rule_id=rule_id,
        object=name,
        text=history.texts[key],
        state=state,
        status=found.status,
        first_seen_at=life.first.audited_at,
        first_seen_version=life.first.version,
        last_seen_at=life.last.audited_at,
        last_seen_version=life.last.version,
        opened_at=life.opened.audited_at,
        closed_at=life.closed_at,
        seen_count=life.seen_count,
        reopened_count=life.reopened_count,
        failed_count=found.failed_count,
        element_count=found.element_count,
        previous_failed_count=before.failed_count if before else None,
        trend=_trend(life, before),
        customers_affected=found.customers_affected,
        revenue_affected=found.revenue_affected,
        accepted=accepted,
    )


def _trend(life: _Life, before: PastResult | None) -> Trend:
    if life.closed_at is not None:
        return Trend.GONE
    if before is None or not before.is_unmet:
        return Trend.NEW
    was, now = _share(before), _share(life.found)
    if was is None or now is None or was == now or before.failed_count == life.found.failed_count:
        return Trend.STEADY  # the same few among more records are no progress
    return Trend.RISING if now > was else Trend.FALLING


def _share(result: PastResult) -> float | None:
    if result.failed_count is None:
        return None
    return result.failed_count / result.element_count if result.element_count else float(result.failed_count)


def _acceptance(name: str, found: PastResult, decisions: Sequence[Decision], now: datetime) -> Decision | None:
    """The last decision about a finding, if it accepts it, is not over, and not much more fails than was accepted."""
    last = next((d for d in reversed(decisions) if d.finding_id == name), None)
    if last is None or last.until is None or now.date() > last.until:
        return None
    if found.failed_count is not None and last.failed_count is not None:
        return last if found.failed_count <= ACCEPTED_GROWTH * max(1, last.failed_count) else None
    return last


_STATES = (State.OPEN, State.REOPENED, State.ACCEPTED, State.CLOSED)
_SEVERITIES = tuple(Severity)


def _urgency(f: Finding) -> tuple[int | float | str, ...]:
    """What needs work, then what was accepted, then what is closed; in each the critical, then most revenue first."""
    return (
        max(0, _STATES.index(f.state) - 1),
        _SEVERITIES.index(f.severity),
        -(f.revenue_affected or 0),
        -(f.failed_count or 0),
        f.id,
    )
