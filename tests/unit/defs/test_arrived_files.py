"""Files that arrive start a refresh of their source, once, and only when they are whole."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from pipelines.configuration import load_configuration
from pipelines.defs.sensors import arrived_files
from pipelines.extract import find_arrivals
from pipelines.settings import PROJECT_DIR, Settings


@pytest.fixture
def sensor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dg.SensorDefinition:
    monkeypatch.setenv("KUNDENSTAMM_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("KUNDENSTAMM_CONFIG_DIR", str(PROJECT_DIR / "config"))
    monkeypatch.setenv("KUNDENSTAMM_SAMPLE", str(tmp_path))
    (tmp_path / "support").mkdir()
    return arrived_files(load_configuration(Settings.from_environment()))


def test_a_new_delivery_is_landed_once_when_it_no_longer_grows(sensor: dg.SensorDefinition, tmp_path: Path) -> None:
    file = tmp_path / "support" / "users.jsonl"
    cursor = None

    def look() -> list[tuple[str, list[str]]]:
        nonlocal cursor
        with dg.build_sensor_context(cursor=cursor) as context:
            data = sensor.evaluate_tick(context)
        cursor = data.cursor
        return [
            (request.run_key or "", sorted(key.to_user_string() for key in request.asset_selection or []))
            for request in data.run_requests or []
        ]

    file.write_text("1")
    assert look() == []  # what lies there at first is the night's
    file.write_text("12")
    assert look() == []
    file.write_text("123")
    assert look() == []
    ((key, assets),) = look()
    assert key.startswith("support-")
    assert assets == ["support/ratings", "support/tickets", "support/users"]
    assert look() == []


def test_an_unfinished_look_at_another_source_changes_nothing() -> None:
    arrived, state = find_arrivals(
        {"a": "1", "b": "1"}, {"a": {"seen": "1", "taken": "0"}, "b": {"seen": "0", "taken": "0"}}
    )
    assert arrived == ["a"]
    assert state == {"a": {"seen": "1", "taken": "1"}, "b": {"seen": "1", "taken": "0"}}
