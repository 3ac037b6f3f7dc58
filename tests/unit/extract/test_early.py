"""Sources that are landed ahead of their steps are landed as ever; what fails is left to the step."""

from __future__ import annotations

import pickle
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.configuration import Configuration, SourceConfig
from pipelines.configuration.sources import SourcesConfig
from pipelines.extract import begin_early_landings, early, end_early_landings, take_early_landing
from pipelines.extract.landing import last_load, open_landing
from pipelines.settings import Settings
from pipelines.warehouse import connect

NAMES = ("first", "second", "third")


@pytest.fixture(autouse=True)
def _ended() -> Iterator[None]:
    yield
    end_early_landings()


@pytest.fixture
def company(tmp_path: Path, configuration: Configuration) -> Configuration:
    """Three sources, each with two contacts."""
    entries = []
    for name in NAMES:
        folder = tmp_path / name
        folder.mkdir()
        (folder / "contacts.csv").write_text(f"id,email\n1,a@{name}.example\n2,b@{name}.example\n")
        entry = {"name": name, "role": "crm", "controller": configuration.company.controllers[0], "path": str(folder)}
        entries.append(
            entry | {"entities": {"contacts": {"path": "contacts.csv", "columns": {"source_record_id": "id"}}}}
        )
    return replace(configuration, sources_file=SourcesConfig.model_validate({"sources": entries}))


def begin(settings: Settings, company: Configuration) -> None:
    begin_early_landings(settings, company, company.sources, run_id="run")


def test_every_source_is_landed_and_reported_to_its_step_once(settings: Settings, company: Configuration) -> None:
    begin(settings, company)

    for name in NAMES:
        reports = take_early_landing(name)
        assert reports is not None
        assert [(r.source, r.entity, r.status, r.live_count) for r in reports] == [(name, "contacts", "loaded", 2)]
        with connect(settings.landing_file(name), settings, read_only=True) as connection:
            landed = connection.execute("select email from contacts order by source_record_id").fetchall()
            load = last_load(connection, "contacts")
        assert landed == [(f"a@{name}.example",), (f"b@{name}.example",)]
        assert load is not None
        assert load["live_count"] == 2
        assert take_early_landing(name) is None


def test_a_source_that_cannot_be_landed_is_left_to_its_step(
    settings: Settings, company: Configuration, tmp_path: Path
) -> None:
    (tmp_path / "second" / "contacts.csv").unlink()
    begin(settings, company)

    assert take_early_landing("second") is None
    assert take_early_landing("third") is not None


def test_a_source_that_nobody_lands_early_is_left_to_its_step(settings: Settings, company: Configuration) -> None:
    assert take_early_landing("first") is None
    begin_early_landings(settings, company, company.sources[:1], run_id="run")
    assert take_early_landing("third") is None


def test_what_is_being_landed_is_stopped_when_the_run_is(
    settings: Settings, company: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, ended = threading.Event(), threading.Event()

    def land_for_ever(settings: Settings, configuration: Configuration, source: SourceConfig, **_: object) -> None:
        try:
            with open_landing(settings, configuration, source) as connection:
                began.set()
                while True:
                    connection.execute("select count(*) from range(1_000_000_000_000)")
        finally:
            ended.set()

    monkeypatch.setattr(early, "load_source", land_for_ever)
    begin_early_landings(settings, company, company.sources[:1], run_id="run")
    assert began.wait(30)
    end_early_landings()

    assert ended.is_set()


# In a process of its own, because this one has imported everything already.
LAND_AND_SAY_WHAT_WAS_IMPORTED = """
import pickle, sys, threading
from pathlib import Path
from pipelines.extract.early import EarlyLandings

class Finder:
    def find_spec(self, name, path=None, target=None):
        if threading.current_thread() is not threading.main_thread():
            print(name)

settings, company = pickle.loads(Path(sys.argv[1]).read_bytes())
sys.meta_path.insert(0, Finder())
landings = EarlyLandings(settings, company, company.sources, run_id="run")
assert all(landings.take(source.name) for source in company.sources)
"""


def test_what_lands_beside_the_run_imports_nothing(settings: Settings, company: Configuration, tmp_path: Path) -> None:
    (tmp_path / NAMES[0] / "contacts.csv").write_bytes("id;email;name\n1;a@first.example;Jörg\n".encode("cp1252"))
    (tmp_path / "given").write_bytes(pickle.dumps((settings, company)))
    done = subprocess.run(
        [sys.executable, "-c", LAND_AND_SAY_WHAT_WAS_IMPORTED, tmp_path / "given"], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
