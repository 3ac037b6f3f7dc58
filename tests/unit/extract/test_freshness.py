"""A source is stale when its newest load is older than it may be."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from pipelines.configuration import Configuration
from pipelines.extract import find_stale_sources
from pipelines.settings import Settings
from pipelines.warehouse import connect

NOW = datetime.fromisoformat("2026-11-29T12:00:00")


def _load(settings: Settings, source: str, *ages: timedelta) -> None:
    Path(settings.landing_dir).mkdir(parents=True, exist_ok=True)
    with connect(settings.landing_file(source), settings) as connection:
        connection.execute("create table loads (loaded_at timestamp)")
        for age in ages:
            connection.execute("insert into loads values (?)", [NOW - age])


def test_a_source_is_stale_when_its_newest_load_is_too_old(settings: Settings, configuration: Configuration) -> None:
    limit = configuration.source("crm").max_age_days
    _load(settings, "crm", timedelta(days=30), timedelta(days=limit, seconds=1))
    _load(settings, "shop", timedelta(days=30), timedelta(days=limit))
    _load(settings, "support")
    [stale] = find_stale_sources(settings, configuration, NOW)
    assert (stale.name, stale.loaded_at, stale.max_age_days) == ("crm", NOW - timedelta(days=limit, seconds=1), limit)
