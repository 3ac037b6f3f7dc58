"""Fixtures that every test may use: settings in a folder of its own, and a small valid configuration."""

from __future__ import annotations

import gc
import os
from enum import IntEnum
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from pipelines.cli import COLLECTION
from pipelines.configuration import Configuration, load_configuration
from pipelines.settings import PROJECT_DIR, Settings
from pipelines.transform import run_dbt
from pipelines.warehouse import connect
from tests.raw_tables import create_raw_tables
from tests.sharing import make_once

SHARED_DATA = PROJECT_DIR.parent / "shared" / "data"


# Folders whose tests share what takes long to make in one process, a worker or a built warehouse.
TOGETHER = ("tests/unit/audit", "tests/unit/unify")
# Folders with files of half a minute.
LONG = ("tests/unit/extract/connectors", "tests/unit/publish", "tests/unit/resolve")


class Scheduling(LoadScopeScheduling):
    """Tests of a file, of some folders even, stay with one process, which makes their fixtures once."""

    def _split_scope(self, nodeid: str) -> str:
        file, _, test = nodeid.partition("::")
        if file.startswith("tests/integration/"):
            return f"{file}::{test.partition('[')[0]}"
        return folder if (folder := _folder(nodeid)) in TOGETHER else file


def pytest_configure() -> None:
    # How long an example takes depends on what else the machine does.
    hypothesis_settings.register_profile("untimed", deadline=None)
    hypothesis_settings.load_profile("untimed")
    gc.set_threshold(*COLLECTION)  # as in a run: little of what tests import and make is garbage


def pytest_sessionfinish() -> None:
    gc.freeze()  # as in a run: else pytest looks five times for garbage among all that was imported and made


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    config.option.loadscopereorder = False  # the order is the one below
    return Scheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long comes first, so that no worker is left alone with it in the end."""
    items.sort(key=_turn)
    if awaiting := next((item for item in items if _turn(item) == Turn.AWAITING), None):
        items.remove(awaiting)
        items.insert(0, awaiting)  # it makes the company that others await


class Turn(IntEnum):
    """Whole runs, those that await a published company, folders that stay together, long files, and all others."""

    WHOLE_RUN = 1
    AWAITING = 2
    TOGETHER = 3
    LONG = 4
    QUICK = 5


def _turn(item: pytest.Item) -> Turn:
    if item.get_closest_marker("slow"):
        return Turn.AWAITING if "published_company" in getattr(item, "fixturenames", ()) else Turn.WHOLE_RUN
    folder = _folder(item.nodeid)
    if folder in TOGETHER:
        return Turn.TOGETHER
    return Turn.LONG if folder in LONG else Turn.QUICK


def _folder(nodeid: str) -> str:
    return nodeid.partition("::")[0].rpartition("/")[0]


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all parallel test processes have in common."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base


@pytest.fixture(scope="session")
def staged_warehouse(shared_folder: Path) -> Path:
    """A build's warehouse with empty raw tables and dbt's staging views over them; copy it, do not change it."""

    def make(folder: Path) -> None:
        settings = Settings.from_environment({"KUNDENSTAMM_DATA_DIR": str(folder)})
        settings.build_dir.mkdir(parents=True)
        with connect(settings.build_warehouse, settings) as connection:
            create_raw_tables(connection, settings)
        run_dbt(settings, "run", ["staging"])

    folder = make_once(shared_folder / "staged-warehouse", make)
    return Settings.from_environment({"KUNDENSTAMM_DATA_DIR": str(folder)}).build_warehouse


@pytest.fixture(autouse=True)
def _environment_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the developer's own settings; keys are the same in every test."""
    for name in ("DATA_DIR", "CONFIG_DIR", "MEMORY_LIMIT", "THREADS", "KEEP_VERSIONS", "EXECUTOR", "SAMPLE"):
        monkeypatch.delenv(f"KUNDENSTAMM_{name}", raising=False)
    monkeypatch.setenv("KUNDENSTAMM_SECRET", "0" * 64)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.from_environment(
        {
            "KUNDENSTAMM_DATA_DIR": str(tmp_path / "data"),
            "KUNDENSTAMM_CONFIG_DIR": str(PROJECT_DIR / "config"),
            "KUNDENSTAMM_MEMORY_LIMIT": "2GB",
            "KUNDENSTAMM_THREADS": "1",  # a second thread costs more than it helps on few rows; whole runs have two
        }
    )


@pytest.fixture
def configuration(settings: Settings) -> Configuration:
    """The shipped configuration of the sample company."""
    return load_configuration(settings)


@pytest.fixture
def shared_data() -> Path:
    """Public data sets with known truth; a test that needs them is skipped where they are absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the public data sets are not beside this checkout")
    return SHARED_DATA
