"""A run whose events cannot be written ends with a sentence."""

from __future__ import annotations

import resource

import pytest

from pipelines.defs.launch import execute_nightly, prepare_instance
from pipelines.errors import WarehouseError
from pipelines.settings import Settings

SMALL_FILE = 200_000  # bytes: less than the events of a run take


def test_a_full_disk_below_the_log_of_the_run_is_a_sentence(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DAGSTER_HOME", "KUNDENSTAMM_DATA_DIR", "KUNDENSTAMM_CONFIG_DIR"):
        monkeypatch.setenv(name, "")  # given back after the test
    prepare_instance(settings)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (SMALL_FILE, hard))
    try:
        with pytest.raises(WarehouseError, match=r"log of the run in .* cannot be written .* start again"):
            execute_nightly({}, [].append)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
