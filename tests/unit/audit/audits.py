"""Results of audits as a test needs them: of one rule, and which rule said what on which night of the past."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from pipelines.audit import RuleResult, Severity
from pipelines.audit.history import Audit, History, PastResult, RuleText
from pipelines.audit.results import Status

# A rule that two in five records fail, which is worth a warning.
RESULT = RuleResult(
    suite="sources",
    rule_id="crm_004",
    object="crm.contacts",
    dimension="validity",
    severity=Severity.WARNING,
    status=Status.WARNED,
    element_count=10,
    failed_count=4,
    threshold=0.05,
    observed=0.4,
    owner="CRM team",
    description="",
    description_de="",
    remedy="",
    remedy_de="",
    ran_at=datetime.fromisoformat("2026-11-01"),
)
FIRST_NIGHT = datetime.fromisoformat("2026-11-01T02:00:00")
TEXT = RuleText(
    suite="sources",
    dimension="validity",
    severity="critical",
    owner="CRM team",
    description="E-mail addresses are valid.",
    description_de="E-Mail-Adressen sind gültig.",
    remedy="Correct them.",
    remedy_de="Berichtigen.",
)
RULE = ("crm_004", "crm.contacts")


def night(number: int) -> datetime:
    return FIRST_NIGHT + timedelta(days=number)


def audit(number: int, *, is_refused: bool = False, is_complete: bool = True) -> Audit:
    return Audit(
        build_id=f"build-{number}",
        audited_at=night(number),
        version=None if is_refused else f"version-{number}",
        status="refused" if is_refused else "passed",
        as_of=night(number),
        base_version=f"version-{number - 1}",
        config_digest="digest",
        model_version="model",
        is_complete=is_complete,
        figures={"customers": 100.0 + number},
    )


def history(*nights: Mapping[tuple[str, str], int | None] | None, of: int = 100) -> History:
    """One audit a night: by rule and object how many of `of` failed, None when it could not run; None: nothing ran."""
    audits = tuple(audit(n, is_refused=bool(found and any(found.values()))) for n, found in enumerate(nights))
    results = {
        f"build-{n}": [
            PastResult(rule, name, _status(failed), of, failed, *_reach(failed))
            for (rule, name), failed in (found or {}).items()
        ]
        for n, found in enumerate(nights)
    }
    keys = {key for found in nights for key in found or {}}
    return History(audits, results, dict.fromkeys(keys, TEXT), {})


def _status(failed: int | None) -> Status:
    if failed is None:
        return Status.NOT_RUN
    return Status.FAILED if failed else Status.PASSED


def _reach(failed: int | None) -> tuple[int | None, float | None]:
    return (failed, failed * 10.0) if failed else (None, None)
