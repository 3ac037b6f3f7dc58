"""A critical finding is told by the run whose audit saw it first, and by no other."""

from __future__ import annotations

from datetime import timedelta

from pipelines.alerts import EventKind
from pipelines.build import record_step
from pipelines.defs.outcomes import _new_findings
from pipelines.settings import Settings
from tests.unit.audit.audits import night
from tests.unit.audit.test_history import keep


def audited_by(settings: Settings, run_id: str, number: int) -> None:
    settings.build_dir.mkdir(parents=True, exist_ok=True)
    started_at = night(0) + timedelta(hours=number)
    record_step(settings, step="audit.verdict", run_id=run_id, started_at=started_at, finished_at=started_at, rows=None)
    keep(settings, number)


def test_it_is_told_once_with_its_extent_and_owner(settings: Settings) -> None:
    audited_by(settings, "first", 1)
    [event] = _new_findings(settings, "first")
    assert (event.kind, event.subject) == (
        *(EventKind.NEW_CRITICAL_FINDING, "new critical finding CRM-004:crm.contacts"),
    )
    assert "4 of 10 fail, 3 customers with 12 EUR of revenue. Owner: CRM team." in event.text
    assert _new_findings(settings, "another") == []
    audited_by(settings, "second", 2)
    assert _new_findings(settings, "second") == []  # it is known since the first


def test_a_run_that_audited_nothing_has_nothing_to_tell(settings: Settings) -> None:
    assert _new_findings(settings, "run") == []
