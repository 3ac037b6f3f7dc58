"""One critical rule that somebody lets one run be published against, with the reason.

Change here what may be approved and how it is kept. What an approved result means for the verdict is in `results`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipelines.audit.results import RuleResult, Status
from pipelines.errors import ConfigurationError
from pipelines.files import append_line

if TYPE_CHECKING:
    from datetime import datetime

    from pipelines.audit.rules import Rule
    from pipelines.build import Build
    from pipelines.settings import Settings

MOST_LETTERS = 500
NAMES_SOMEBODY = re.compile(r"@[\w-]+(\.[\w-]+)*\.[A-Za-z]{2,}|(\+|\b0)[0-9]([ ()/-]?[0-9]){5,}")


@dataclass(frozen=True)
class Approval:
    """`rule_id` as in the catalogue; `reason` is published with the version, so it names nobody."""

    rule_id: str
    reason: str


def read_approval(rule: str | None, reason: str | None, rules: Sequence[Rule]) -> Approval | None:
    """The approval that was asked for, None when none was; a rule may be named `ide_010` or IDE-010.

    Raises:
        ConfigurationError: there is no such rule, it cannot be approved, or the reason is missing.
    """
    if rule is None and reason is None:
        return None
    allowed = [r.display_id for r in rules if r.is_approvable]
    wanted = (rule or "").strip().lower().replace("-", "_")
    if wanted not in {r.id for r in rules if r.is_approvable}:
        is_known = wanted in {r.id for r in rules}
        what = "this rule can be approved by nobody" if is_known else "there is no such rule"
        raise ConfigurationError([f"approve: {what}; one that may be approved for one run: {', '.join(allowed)}."])
    text, problem = read_reason(reason)
    if problem:
        raise ConfigurationError([problem])
    return Approval(wanted, text)


def read_reason(reason: str | None) -> tuple[str, str | None]:
    """A reason that is going to be published, in one line, and what is wrong with it, None when nothing is."""
    text = " ".join((reason or "").split())
    if not text or len(text) > MOST_LETTERS:
        return text, f"reason: say why in 1 to {MOST_LETTERS} letters; it is published with the version."
    if NAMES_SOMEBODY.search(text):
        return text, "reason: it holds an e-mail address or a phone number; it is published, so name nobody."
    return text, None


def approve(results: Sequence[RuleResult], approval: Approval | None) -> list[RuleResult]:
    """The results, those of the approved rule that failed with the reason; one that could not run is never approved."""
    return [
        replace(r, approved_because=approval.reason)
        if approval and r.rule_id == approval.rule_id and r.status is Status.FAILED
        else r
        for r in results
    ]


def keep_approvals(settings: Settings, build: Build, results: Sequence[RuleResult], at: datetime) -> None:
    """Append to `state/approvals.jsonl` which results were approved for this build; versions go, this stays."""
    for result in results:
        if result.approved_because is not None:
            facts = {
                "at": at.isoformat(),
                "build_id": build.build_id,
                "version": build.version,
                "rule": result.display_id,
                "object": result.object,
                "failed": result.failed_count,
                "of": result.element_count,
                "reason": result.approved_because,
            }
            append_line(settings.state_dir / "approvals.jsonl", facts)
