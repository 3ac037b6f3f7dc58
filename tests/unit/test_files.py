"""What is written reaches the disk while it is written, and nobody loses a lock by it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from pipelines import files, warehouse
from pipelines.settings import Settings

TRY_TO_LOCK = "import fcntl, sys; fcntl.lockf(open(sys.argv[1], 'r+b'), fcntl.LOCK_EX | fcntl.LOCK_NB)"
SECONDS_TO_WAIT = 30


@pytest.fixture
def flushed(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Set when a file was brought to the disk by the thread that does so all the time."""
    seen, sync = threading.Event(), os.fsync

    def sync_and_tell(descriptor: int) -> None:
        sync(descriptor)
        seen.set()

    monkeypatch.setattr(files, "FLUSH_SECONDS", 0.001)
    monkeypatch.setattr(os, "fsync", sync_and_tell)
    return seen


def test_a_file_that_is_made_meanwhile_is_brought_to_the_disk_before_it_is_closed(
    tmp_path: Path, flushed: threading.Event
) -> None:
    made = tmp_path / "made"

    with files.brought_to_disk_meanwhile([tmp_path / "never made", made]):
        made.touch()

        assert flushed.wait(SECONDS_TO_WAIT)


def test_a_database_stays_locked_after_it_was_brought_to_the_disk(
    tmp_path: Path, settings: Settings, flushed: threading.Event
) -> None:
    file = tmp_path / "some.duckdb"

    def is_free() -> bool:
        return subprocess.run([sys.executable, "-c", TRY_TO_LOCK, str(file)], capture_output=True).returncode == 0

    with warehouse.connect(file, settings) as connection:
        assert flushed.wait(SECONDS_TO_WAIT)
        connection.execute("create table t as select 1")
        assert not is_free()
    assert is_free()
