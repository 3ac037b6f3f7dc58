"""Killed while publishing, a full disk, readers through a switch: what is published stays whole throughout."""

from __future__ import annotations

import dataclasses
import signal
import time
from pathlib import Path

import duckdb
import pytest

from pipelines import warehouse
from pipelines.build import Build, is_published
from pipelines.configuration import Configuration
from pipelines.publish import clean_up, list_versions, open_reader, read_status
from pipelines.publish.history import read_outcomes
from pipelines.settings import Settings
from tests.unit.publish.builds import publish, publish_new
from tests.unit.publish.children import SPILLING_QUERY, start_child
from tests.unit.publish.test_release import assert_untouched


def ids_in_state(settings: Settings) -> int:
    file = settings.state_dir / "identity.duckdb"
    with warehouse.connect(file, settings, read_only=True) as connection:
        row = connection.execute("select count(*) from customer_id_history").fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize("phase", ["assembled", "revealed"])
def test_killed_before_the_switch_leaves_the_old_version(
    settings: Settings, configuration: Configuration, published: str, ready: Build, phase: str
) -> None:
    child = start_child(settings, "publish_open_build", phase)
    assert child.wait(timeout=60) == -signal.SIGKILL, child.stderr and child.stderr.read()

    assert [v.version for v in list_versions(settings)] == [published]
    clean_up(settings)
    assert_untouched(settings, published)
    assert ids_in_state(settings) == 3

    assert publish(settings, configuration, ready).version == list_versions(settings)[0].version == ready.version
    assert ids_in_state(settings) == 5


def test_killed_after_the_switch_is_finished_by_the_next_run(settings: Settings, ready: Build) -> None:
    child = start_child(settings, "publish_open_build", "switched")
    assert child.wait(timeout=60) == -signal.SIGKILL

    assert list_versions(settings)[0].version == ready.version
    assert list_versions(settings)[0].is_current
    assert ids_in_state(settings) == 3
    clean_up(settings)
    clean_up(settings)

    assert ids_in_state(settings) == 5
    assert is_published(settings)
    assert [o.version for o in read_outcomes(settings)].count(ready.version) == 1


@pytest.mark.parametrize(
    "largest_file",
    [pytest.param(100_000, id="in the first database"), pytest.param(10, id="before anything is written")],
)
def test_a_full_disk_leaves_the_old_version_and_a_sentence(
    settings: Settings, configuration: Configuration, published: str, ready: Build, largest_file: int
) -> None:
    child = start_child(settings, "publish_on_full_disk", largest_file)
    output, errors = child.communicate(timeout=60)

    assert child.returncode == 0, errors
    assert "disk is full" in output
    assert output.count("\n") == 1
    clean_up(settings)
    assert_untouched(settings, published)
    assert publish(settings, configuration, ready).version == ready.version


def test_five_readers_that_spill_see_whole_versions_through_a_switch(
    settings: Settings, configuration: Configuration, tmp_path: Path
) -> None:
    sizes = {publish_new(settings, configuration, customers=60_000): 60_000}
    small = dataclasses.replace(settings, memory_limit="8MB", threads=1)
    with open_reader(small) as connection:
        connection.execute("set max_temp_directory_size = '1MB'")
        with pytest.raises(duckdb.OutOfMemoryException, match="max_temp_directory_size"):
            connection.execute(SPILLING_QUERY)

    stop, logs = tmp_path / "stop", [tmp_path / f"reader-{i}" for i in range(5)]
    readers = [start_child(small, "read_until", stop, log) for log in logs]

    def wait_for(version: str) -> None:
        deadline = time.monotonic() + 120
        while not all(log.exists() and version in log.read_text() for log in logs):
            assert time.monotonic() < deadline
            assert all(reader.poll() is None for reader in readers), [r.communicate() for r in readers]
            time.sleep(0.05)

    try:
        wait_for(next(iter(sizes)))
        sizes[publish_new(settings, configuration, run="run-2", day=1, customers=60_001)] = 60_001
        wait_for(max(sizes))
    finally:
        stop.touch()
        results = [(reader.communicate(timeout=60)[1], reader.returncode) for reader in readers]

    assert results == [("", 0)] * 5
    for log in logs:
        seen = [line.split() for line in log.read_text().splitlines()]
        assert all(int(count) == sizes[version] for version, count in seen)
        assert [version for version, _ in seen] == sorted(version for version, _ in seen)


@pytest.mark.usefixtures("ready")
def test_a_failed_publication_is_told_by_the_status(settings: Settings) -> None:
    start_child(settings, "publish_on_full_disk", 100_000).communicate(timeout=60)

    lines = "\n".join(read_status(settings).lines())
    assert "The latest run failed" in lines
    assert "disk is full" in lines
