"""One warm worker and one small company for all tests of the audit; every test gets a copy of its own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.audit import Catalogue, cool_down, load_catalogue, warm_up
from pipelines.configuration import load_configuration
from pipelines.settings import PROJECT_DIR, Settings
from tests.unit.audit.small_company import build_small_company


@pytest.fixture(scope="session")
def worker() -> Iterator[None]:
    """Started first, so that it imports while the small company is built; as on a machine that is not in UTC."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "Asia/Tokyo")
        warm_up()
    yield
    cool_down()


@pytest.fixture(scope="session")
def small_company(
    worker: None,  # noqa: ARG001  it warms up
    staged_warehouse: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """The folder of a build in which every rule is met. Copy its files, do not change them."""
    root = tmp_path_factory.mktemp("company")
    settings = settings_in(root)
    settings.build_dir.mkdir(parents=True)
    shutil.copy(staged_warehouse, settings.build_warehouse)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KUNDENSTAMM_SECRET", "0" * 64)
        build_small_company(settings, load_configuration(settings))
    return settings.build_dir


@pytest.fixture(scope="session")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    return load_catalogue(load_configuration(settings_in(tmp_path_factory.mktemp("catalogue"))))


@pytest.fixture
def company(small_company: Path, settings: Settings) -> Settings:
    """Settings whose open build is a copy of the small company."""
    return copy_company(small_company, settings)


def copy_company(small_company: Path, settings: Settings) -> Settings:
    settings.build_dir.mkdir(parents=True)
    for file in small_company.glob("*.duckdb"):
        shutil.copy(file, settings.build_dir)
    return settings


def settings_in(root: Path) -> Settings:
    return Settings.from_environment(
        {
            "KUNDENSTAMM_DATA_DIR": str(root / "data"),
            "KUNDENSTAMM_CONFIG_DIR": str(PROJECT_DIR / "config"),
            "KUNDENSTAMM_MEMORY_LIMIT": "2GB",
            "KUNDENSTAMM_THREADS": "1",
        }
    )
