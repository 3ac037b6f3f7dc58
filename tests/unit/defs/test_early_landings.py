"""Which sources a run lands ahead of their steps: files, read as on every night."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import dagster as dg
import pytest

from pipelines import extract
from pipelines.configuration import Configuration, SourceConfig
from pipelines.defs import extract as steps
from pipelines.settings import Settings


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the sources that are landed early, in their order."""
    names: list[str] = []

    def note(_: Settings, __: Configuration, sources: Iterable[SourceConfig], *, run_id: str) -> None:
        assert run_id
        names.extend(source.name for source in sources)

    monkeypatch.setattr(extract, "begin_early_landings", note)
    return names


def begin(settings: Settings, configuration: Configuration, **run: Any) -> None:
    every_step = {steps.step_of(source) for source in configuration.sources}
    steps.begin_to_land(settings, dg.DagsterRun(job_name="nightly", **run), every_step)


def test_sources_that_are_files_are_landed_in_the_order_of_their_steps(
    settings: Settings, configuration: Configuration, begun: list[str]
) -> None:
    begin(settings, configuration)

    assert begun == sorted(s.name for s in configuration.sources if s.connector == "files" and s.enabled)
    assert len(begun) > 1


def test_a_source_whose_step_is_asked_for_something_else_is_not(
    settings: Settings, configuration: Configuration, begun: list[str]
) -> None:
    begin(settings, configuration, run_config={"ops": {"extract_crm": {"config": {"full": True}}}})

    assert begun
    assert "crm" not in begun


def test_only_sources_of_which_the_run_wants_everything_are(
    settings: Settings, configuration: Configuration, begun: list[str]
) -> None:
    shop = configuration.source("shop")
    wanted = {dg.AssetKey(["shop", name]) for name in shop.landed_entities} | {dg.AssetKey(["crm", "contacts"])}
    begin(settings, configuration, asset_selection=frozenset(wanted))

    assert begun == ["shop"]
