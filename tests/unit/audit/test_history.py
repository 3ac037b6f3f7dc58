"""What audits found is kept for ever, of every build the last audit, and read back as it was."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from pipelines.audit import Severity, Status, Verdict, VerdictStatus
from pipelines.audit.history import FULL_AUDITS, keep_audit, read_history
from pipelines.audit.impact import Impact
from pipelines.audit.scorecard import Measure, score_build
from pipelines.settings import Settings
from tests.unit.audit.audits import night
from tests.unit.audit.test_scorecard import RESULT
from tests.unit.unify.world import BUILD

MET = replace(RESULT, rule_id="crm_001", status=Status.PASSED, failed_count=0)


def keep(settings: Settings, number: int, *, build_id: str | None = None, failed: int = 4) -> None:
    verdict = Verdict(
        build_id=build_id or f"build-{number}",
        version=None,
        status=VerdictStatus.REFUSED,
        config_digest="digest",
        warehouse_bytes=1,
        warehouse_sha256="",
        ran_at=night(0) + timedelta(hours=number),
        results=(replace(RESULT, severity=Severity.CRITICAL, failed_count=failed), MET),
    )
    keep_audit(
        settings,
        replace(BUILD, build_id=verdict.build_id),
        verdict,
        is_complete=True,
        model_version="model",
        figures={"customers": float(number)},
        impacts={("crm_004", "crm.contacts"): Impact(3, 12.5)},
        scores=score_build([Measure("crm", "contacts", "email", "validity", 10, 6, 1.0)]),
    )


def test_an_audit_is_read_back_as_it_was_kept(settings: Settings) -> None:
    assert read_history(settings).audits == ()
    keep(settings, 1)
    history = read_history(settings)
    [audit] = history.audits
    assert (audit.build_id, audit.version, audit.status, audit.model_version) == ("build-1", None, "refused", "model")
    assert (audit.figures, audit.is_complete) == ({"customers": 1.0}, True)
    met, unmet = history.results["build-1"]
    assert (met.rule_id, met.is_unmet, met.customers_affected) == ("crm_001", False, None)
    assert (unmet.rule_id, unmet.failed_count, unmet.customers_affected, unmet.revenue_affected) == (
        *("crm_004", 4, 3, 12.5),
    )
    assert history.texts["crm_004", "crm.contacts"].severity == "critical"
    assert ("crm_001", "crm.contacts") not in history.texts
    assert history.scores["build-1"]["total", None, None, None] == 0.6
    assert (settings.state_dir / "audits.duckdb").stat().st_mode & 0o777 == 0o600


def test_a_build_that_is_audited_again_counts_once_by_its_last_audit(settings: Settings) -> None:
    keep(settings, 1)
    keep(settings, 2, build_id="build-1", failed=2)
    history = read_history(settings)
    [audit] = history.audits
    assert audit.figures == {"customers": 2.0}
    assert [r.failed_count for r in history.results["build-1"]] == [0, 2]


def test_of_long_ago_only_what_was_ever_not_met_is_read(settings: Settings) -> None:
    for number in range(FULL_AUDITS + 2):
        keep(settings, number)
    history = read_history(settings)
    assert len(history.audits) == FULL_AUDITS + 2
    assert [r.rule_id for r in history.results["build-0"]] == ["crm_004"]
    assert [r.rule_id for r in history.results["build-2"]] == ["crm_001", "crm_004"]
    assert "build-0" not in history.scores
