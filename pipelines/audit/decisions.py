"""`state/findings.jsonl`: what people decided about findings: accepted until a day, or taken back. Only ever appended.

Add here what may be decided about a finding. What a decision does is in `findings`. An acceptance never opens the gate:
a critical rule that fails is approved for one run (`approvals`), or it refuses.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from pipelines.audit.approvals import read_reason
from pipelines.errors import ConfigurationError
from pipelines.files import append_line

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.audit.findings import Finding
    from pipelines.settings import Settings

MOST_DAYS = 366  # what is accepted for longer is a threshold of the rule, and belongs there


@dataclass(frozen=True)
class Decision:
    """One line. `until` is the last day of an acceptance, None when it is taken back; `failed_count` what was seen."""

    finding_id: str
    author: str
    reason: str
    until: date | None
    failed_count: int | None
    decided_at: datetime


def read_decisions(settings: Settings) -> list[Decision]:
    """All decisions, oldest first. A line that a killed writer left half is none."""
    try:
        lines = _file(settings).read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []
    decisions = []
    for line in lines:
        try:
            facts = json.loads(line)
        except ValueError:
            continue
        until = date.fromisoformat(facts.pop("until")) if facts["until"] else facts.pop("until")
        decided_at = datetime.fromisoformat(facts.pop("decided_at"))
        decisions.append(Decision(**facts, until=until, decided_at=decided_at))
    return decisions


def decide(
    settings: Settings,
    findings: Sequence[Finding],
    name: str,
    *,
    author: str | None,
    reason: str | None,
    until: date | None,
    now: datetime,
    takes_back: bool = False,
) -> Decision:
    """Accept a finding until a day, or take its acceptance back, and keep who said so and why.

    Args:
        findings: those there are.
        name: id of the finding.
        now: UTC, the moment of the decision.

    Raises:
        ConfigurationError: there is no such finding, it is closed, or something is missing or too much.
    """
    wanted = name.strip().lower()
    finding = next((f for f in findings if f.id.lower() == wanted), None)
    problems = []
    if finding is None or finding.closed_at is not None:
        there = ", ".join(f.id for f in findings if f.closed_at is None) or "none"
        problems.append(f"finding: no finding '{name[:80]}' is open; open are: {there}.")
    if not (author or "").strip():
        problems.append("author: say who decides; it is kept in state/ and not published.")
    if takes_back:
        until = None
    elif until is None:
        problems.append("until: name the last day of the acceptance, like 2026-12-31.")
    elif not now.date() <= until or (until - now.date()).days > MOST_DAYS:
        problems.append(
            f"until: {until} is not between today and a year from now; what stays longer is a threshold of the rule."
        )
    text, problem = read_reason(reason)
    if problem:
        problems.append(problem)
    if problems or finding is None:
        raise ConfigurationError(problems)
    decision = Decision(finding.id, " ".join(str(author).split()), text, until, finding.failed_count, now)
    facts = {**decision.__dict__, "until": until.isoformat() if until else None, "decided_at": now.isoformat()}
    append_line(_file(settings), facts)
    _file(settings).chmod(0o600)  # it names people
    return decision


def _file(settings: Settings) -> Path:
    return settings.state_dir / "findings.jsonl"
