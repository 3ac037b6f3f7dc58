"""With an invalid configuration the night still starts, fails, and is told, as long as it is known whom to tell."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from pipelines import definitions
from pipelines.definitions import build_defs
from pipelines.errors import TransformError
from pipelines.publish.history import read_outcomes
from pipelines.settings import Settings
from tests.unit.alerting import webhook, with_alerts


def nightly_job() -> dg.JobDefinition:
    return build_defs().resolve_job_def("nightly")


def _in_environment(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUNDENSTAMM_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("KUNDENSTAMM_CONFIG_DIR", str(settings.config_dir))


def test_the_night_starts_fails_and_tells_what_is_invalid(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    received: list[dict[str, Any]] = []
    with webhook(received) as url:
        configured = with_alerts(settings, tmp_path, f"{{webhook: '{url}'}}")
        (configured.config_dir / "value.yml").write_text("top_share: 2\n")
        _in_environment(configured, monkeypatch)
        [schedule] = build_defs().schedules or []
        assert isinstance(schedule, dg.ScheduleDefinition)
        assert (schedule.job_name, schedule.cron_schedule) == ("nightly", "0 2 * * *")
        home = tmp_path / "dagster"
        home.mkdir()
        with dg.DagsterInstance.local_temp(str(home), overrides={"telemetry": {"enabled": False}}) as instance:
            assert not dg.execute_job(dg.reconstructable(nightly_job), instance=instance).success
    [outcome] = read_outcomes(settings)
    assert outcome.outcome == "failed"
    assert "value.yml, line 1" in outcome.reason
    assert [a["text"] for a in received] == [f"Kundenstamm: nightly failed\n{outcome.reason}"]


@pytest.mark.parametrize("broken", ["load_catalogue", "load_manifest"])
def test_a_night_that_does_not_start_is_told_also_with_broken_suites_or_models(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    def fail(*_: Any) -> None:
        raise TransformError("The dbt project cannot be parsed.")

    monkeypatch.setattr(definitions, broken, fail)
    now = datetime.now(ZoneInfo("Europe/Berlin"))
    received: list[dict[str, Any]] = []
    with webhook(received) as url:
        configured = with_alerts(settings, tmp_path, f"{{webhook: '{url}', start_by: '{now:%H:%M}'}}")
        company = configured.config_dir / "company.yml"
        company.write_text(f"{company.read_text()}nightly_at: '{now - timedelta(hours=1):%H:%M}'\n")
        _in_environment(configured, monkeypatch)
        sensors = {sensor.name: sensor for sensor in build_defs().sensors or []}
        assert sensors.keys() == {"dead_runs", "missed_night"}
        missed = sensors["missed_night"]
        assert isinstance(missed, dg.SensorDefinition)
        with dg.DagsterInstance.ephemeral() as instance:
            missed(dg.build_sensor_context(instance))
    assert ["did not start" in a["text"] for a in received] == [True]


def test_without_a_valid_company_there_is_nobody_to_tell_but_the_location_loads(
    settings: Settings, tmp_path: Path
) -> None:
    configured = with_alerts(settings, tmp_path, "{start_by: noon}")
    definitions_ = build_defs(configured)
    assert not definitions_.schedules
    assert [sensor.name for sensor in definitions_.sensors or []] == ["dead_runs"]
    [spec] = definitions_.resolve_all_asset_specs()
    assert "company.yml, line 3" in (spec.description or "")
