"""A rule that is met may still fail more often than in the published version, which is told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipelines.audit import RuleResult, Severity, Status
from pipelines.audit.regressions import compare_failures
from tests.unit.audit.audits import RESULT

MET = replace(
    RESULT, severity=Severity.CRITICAL, status=Status.PASSED, element_count=1000, failed_count=10, rule_digest="digest"
)
KEY = ("crm_004", "crm.contacts", "digest")


@pytest.mark.parametrize(
    ("before", "is_told"),
    [(10, False), (20, False), (7, False), (6, True), (0, True)],
    ids=["as many", "fewer", "within what a night brings", "one more", "new"],
)
def test_more_failures_than_a_night_brings_are_told(before: int, is_told: bool) -> None:
    [metric] = compare_failures([MET], {KEY: before})
    assert (metric.part, metric.value, metric.is_unusual) == ("crm_004 crm.contacts", 10, is_told)


@pytest.mark.parametrize(
    "result",
    [
        replace(MET, status=Status.FAILED),
        replace(MET, rule_digest="of another rule"),
        replace(MET, object="shop.customers"),
        replace(MET, threshold=0.0),
    ],
    ids=["it is told anyway", "another rule", "another source", "none is tolerated"],
)
def test_what_is_not_compared(result: RuleResult) -> None:
    assert compare_failures([result], {KEY: 0}) == []
