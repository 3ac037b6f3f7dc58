"""What the audit found: a result per rule and object, and the verdict over all of them.

Add a status or a field here when every reader of results needs it. Nothing here runs a rule or touches a file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Severity(StrEnum):
    """What a rule that is not met does: refuse the version, publish it with a warning, or inform."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


class Status(StrEnum):
    """The closed set. `failed` is a critical rule that is not met, `warned` any other.

    `not_applicable`: there was nothing to check. `not_run`: the check itself broke, which never counts as passed.
    """

    PASSED = "passed"
    FAILED = "failed"
    WARNED = "warned"
    NOT_APPLICABLE = "not_applicable"
    NOT_RUN = "not_run"


UNMET = (Status.FAILED, Status.NOT_RUN, Status.WARNED)  # the worst first


class VerdictStatus(StrEnum):
    PASSED = "passed"
    PASSED_WITH_WARNINGS = "passed_with_warnings"
    REFUSED = "refused"


@dataclass(frozen=True)
class RuleResult:
    """One rule on one object. Counts only, never a value of a record.

    Attributes:
        object: what was checked: `<source>.<entity>` or `<schema>.<table>`.
        element_count: elements that were judged, or None when unknown.
        failed_count: elements that do not meet the rule; 1 for a statement about the object as a whole.
        threshold: the largest share of failing elements that still meets the rule, 0 to 1.
        observed: the share that failed, or the figure a rule about the whole object is about.
        ran_at: UTC without zone.
        note: what the counts do not say, e.g. how much history is missing.
        approved_because: why somebody lets this run be published although a critical rule failed.
        rule_digest: of the whole rule as it was when it ran, see `Rule.digest`.
    """

    suite: str
    rule_id: str
    object: str
    dimension: str
    severity: Severity
    status: Status
    element_count: int | None
    failed_count: int | None
    threshold: float | None
    observed: float | None
    owner: str
    description: str
    description_de: str
    remedy: str
    remedy_de: str
    ran_at: datetime
    approved_because: str | None = None
    note: str | None = None
    rule_digest: str | None = None

    @property
    def display_id(self) -> str:
        return display_rule_id(self.rule_id)

    @property
    def refuses(self) -> bool:
        """Whether this result alone forbids publishing."""
        if self.severity is not Severity.CRITICAL:
            return False
        is_approved = self.approved_because is not None
        return self.status is Status.NOT_RUN or (self.status is Status.FAILED and not is_approved)


@dataclass(frozen=True)
class Verdict:
    """The audit of one build: over exactly the file whose size and SHA-256 are recorded.

    Attributes:
        version: name of the version that may be published, None when refused.
        results: ordered by suite, rule and object.
    """

    build_id: str
    version: str | None
    status: VerdictStatus
    config_digest: str
    warehouse_bytes: int
    warehouse_sha256: str
    ran_at: datetime
    results: tuple[RuleResult, ...]

    @property
    def status_counts(self) -> Mapping[str, int]:
        """Results per status; every status is there."""
        found = Counter(r.status for r in self.results)
        return {status.value: found[status] for status in Status}

    @property
    def critical_failed_count(self) -> int:
        return sum(r.refuses for r in self.results)


def judge(results: Sequence[RuleResult]) -> VerdictStatus:
    """Refused when a critical rule refuses; with warnings when one was approved or a warning rule is not met."""
    if not results or any(r.refuses for r in results):
        return VerdictStatus.REFUSED
    if any(r.severity is not Severity.INFO and r.status in UNMET for r in results):
        return VerdictStatus.PASSED_WITH_WARNINGS
    return VerdictStatus.PASSED


def status_of(met: bool, severity: Severity) -> Status:
    if met:
        return Status.PASSED
    return Status.FAILED if severity is Severity.CRITICAL else Status.WARNED


def display_rule_id(rule_id: str) -> str:
    """`crm_004` as people read it: `CRM-004`."""
    return rule_id.upper().replace("_", "-")
