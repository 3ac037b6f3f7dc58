"""Data folders to start from, made once and copied for each test: publishing for real takes most of a second."""

from __future__ import annotations

import dataclasses
import os
import shutil
from pathlib import Path

import pytest

from pipelines.build import Build, current_build
from pipelines.configuration import Configuration, load_configuration
from pipelines.publish import list_versions
from pipelines.settings import PROJECT_DIR, Settings
from tests.unit.publish.builds import make_build, publish_new


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """`published`: one version of three customers. `ready`: beside it an open build of five, not yet published."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KUNDENSTAMM_SECRET", "0" * 64)
        settings = Settings.from_environment(
            {
                "KUNDENSTAMM_DATA_DIR": str(tmp_path_factory.mktemp("published") / "data"),
                "KUNDENSTAMM_CONFIG_DIR": str(PROJECT_DIR / "config"),
                "KUNDENSTAMM_MEMORY_LIMIT": "1GB",
            }
        )
        configuration = load_configuration(settings, {**os.environ, "KUNDENSTAMM_SAMPLE": "nowhere"})
        publish_new(settings, configuration)
        ready = dataclasses.replace(settings, data_dir=tmp_path_factory.mktemp("ready") / "data")
        shutil.copytree(settings.data_dir, ready.data_dir, symlinks=True)
        make_build(ready, configuration, run="run-2", day=1, customers=5)
    return {"published": settings.data_dir, "ready": ready.data_dir}


@pytest.fixture
def published(settings: Settings, templates: dict[str, Path]) -> str:
    """The version that is published in the data folder of this test."""
    shutil.copytree(templates["published"], settings.data_dir, symlinks=True)
    return list_versions(settings)[0].version


@pytest.fixture
def ready(settings: Settings, configuration: Configuration, templates: dict[str, Path], published: str) -> Build:
    """The open build beside the published version, in the data folder of this test."""
    shutil.rmtree(settings.build_dir)
    shutil.copytree(templates["ready"] / "build", settings.build_dir)
    build = current_build(settings)
    assert (build.config_digest, build.base_version) == (configuration.digest, published)
    return build
