"""Temp folders go with their user, also one that was killed, whatever process has its number since."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.errors import WarehouseError
from pipelines.publish import clean_up
from pipelines.scratch import remove_abandoned, scratch_folder
from pipelines.settings import Settings

USER = """
import sys, time
from pathlib import Path
from pipelines.scratch import scratch_folder
with scratch_folder(Path(sys.argv[1])) as folder:
    (folder / "spilled").write_text("personal")
    print(folder, flush=True)
    time.sleep(60)
"""


def start_user(parent: Path) -> tuple[subprocess.Popen[str], Path]:
    """A process that works in a temp folder of its own, and that folder."""
    process = subprocess.Popen([sys.executable, "-c", USER, str(parent)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_what_a_killed_process_left_is_removed_and_what_is_in_use_stays(settings: Settings) -> None:
    killed, left = start_user(settings.temp_dir)
    killed.send_signal(signal.SIGKILL)
    killed.communicate(timeout=60)
    # Named like the folder of a living process, as after its number was given to another one.
    reused = left.rename(left.with_name(f"duckdb-{os.getpid()}-x"))
    other, in_use = start_user(settings.temp_dir)
    try:
        with scratch_folder(settings.temp_dir) as own:
            clean_up(settings)
            assert own.exists()
            assert in_use.exists()
            assert not reused.exists()
    finally:
        other.kill()
        other.communicate(timeout=60)
    clean_up(settings)
    assert list(settings.temp_dir.iterdir()) == []


def test_a_file_that_was_left_is_removed_too(tmp_path: Path) -> None:
    (tmp_path / "tmp12345").write_text("personal")
    remove_abandoned(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_temp_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(WarehouseError, match=r"temp folder .* cannot be written"), scratch_folder(tmp_path / "file"):
        pass
