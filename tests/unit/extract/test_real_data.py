"""Real input: nothing in the code knows these files, only their mapping does."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelines.configuration import Configuration, load_configuration
from pipelines.extract import LoadReport, build_raw, load_source
from pipelines.settings import Settings
from pipelines.warehouse import connect

CONFIG = Path(__file__).parents[2] / "fixtures" / "real" / "config"


def land(sources: tuple[str, ...], settings: Settings) -> tuple[Settings, Configuration, list[LoadReport]]:
    settings = Settings(**{**vars(settings), "config_dir": CONFIG})
    configuration = load_configuration(settings)
    reports = []
    for source in map(configuration.source, sources):
        reports += load_source(settings, configuration, source, run_id="run", now=datetime(2026, 1, 1, tzinfo=UTC))
    settings.build_dir.mkdir(parents=True)
    return settings, configuration, reports


def test_both_sides_of_febrl_are_landed_whole(
    settings: Settings, shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUNDENSTAMM_PUBLIC_DATA", str(shared_data))
    settings, configuration, reports = land(("crm", "shop"), settings)
    assert [(r.entity, r.counts.new, r.counts.rejected) for r in reports] == [
        ("contacts", 5000, 0),
        ("customers", 5000, 0),
    ]
    assert [c.name for c in reports[0].unmapped] == ["address_2"]
    with connect(settings.build_warehouse, settings) as connection:
        build_raw(connection, settings, configuration)
        found = connection.execute(
            "select first_name, street, birth_date::varchar, country from raw.crm_contacts "
            "where source_record_id = '000a0a2241da'"
        ).fetchone()
    assert found == ("jairus", "211 igera place", "1906-02-28", "AU")
