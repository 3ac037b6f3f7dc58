"""One run at a time: the lock of a data folder, between processes that live, die and leave orphans."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipelines import lock
from pipelines.errors import BuildError, LockedError
from pipelines.settings import PROJECT_DIR, Settings

HOLDER = """
import sys, time
from pipelines.lock import hold
from pipelines.settings import Settings
with hold(Settings.from_environment()):
    print("held", flush=True)
    time.sleep(60)
"""
# A run whose step is a process of its own, as the multiprocess executor starts it.
HOLDER_WITH_STEP = """
import multiprocessing, sys, time
from pipelines.lock import hold
from pipelines.settings import Settings
from tests.unit.test_lock import work_as_step
if __name__ == "__main__":
    with hold(Settings.from_environment()):
        step = multiprocessing.get_context("spawn").Process(target=work_as_step)
        step.start()
        time.sleep(60)
"""
PROBE = """
import time
from pipelines.lock import is_held
from pipelines.settings import Settings
print("probing", flush=True)
until = time.monotonic() + 2
while time.monotonic() < until:
    is_held(Settings.from_environment())
"""


def work_as_step() -> None:
    """What a step process does: take its share of the lock and write for a long time."""
    assert lock.join(Settings.from_environment())
    print(os.getpid(), flush=True)
    time.sleep(60)


@contextmanager
def running(settings: Settings, code: str, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process that runs `code` on the same data folder, and the first line it says."""
    script = tmp_path / "child.py"
    script.write_text(code)
    environment = {
        **os.environ,
        "KUNDENSTAMM_DATA_DIR": str(settings.data_dir),
        "PYTHONPATH": str(PROJECT_DIR),
    }
    process = subprocess.Popen(
        [sys.executable, str(script)], cwd=PROJECT_DIR, env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait(timeout=30)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_second_run_is_refused_with_a_sentence_and_works_after_the_first(settings: Settings, tmp_path: Path) -> None:
    with running(settings, HOLDER, tmp_path) as (holder, said):
        assert said == "held"
        assert lock.is_held(settings)
        with pytest.raises(LockedError, match=f"process {holder.pid}, since .* nothing was done"), lock.hold(settings):
            pass
        assert lock.died_since(settings) is None
        holder.send_signal(signal.SIGKILL)
        holder.wait(timeout=30)
        assert not lock.is_held(settings)
        assert lock.died_since(settings) is not None
        with lock.hold(settings):
            assert lock.held_by_this_process(settings)
            assert lock.died_since(settings) is None
        assert lock.died_since(settings) is None


def test_an_orphaned_step_keeps_the_lock_while_it_lives(settings: Settings, tmp_path: Path) -> None:
    with running(settings, HOLDER_WITH_STEP, tmp_path) as (holder, step):
        holder.kill()
        holder.wait(timeout=30)
        try:
            assert lock.is_held(settings)
            with pytest.raises(LockedError), lock.hold(settings):
                pass
        finally:
            os.kill(int(step), signal.SIGKILL)
        wait_until(lambda: not lock.is_held(settings))


def test_a_step_whose_run_was_replaced_is_refused(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with lock.hold(settings):
        stale = "the token of a run that is gone"
        reader, writer = multiprocessing.Pipe(duplex=False)
        monkeypatch.setenv(lock.TOKEN_VARIABLE, stale)
        step = multiprocessing.get_context("spawn").Process(target=_try_to_join, args=(settings, writer))
        step.start()
        assert reader.poll(60)
        assert "Another run is working" in reader.recv()
        step.join(30)


def _try_to_join(settings: Settings, answer: multiprocessing.connection.Connection) -> None:
    try:
        answer.send(str(lock.join(settings)))
    except LockedError as error:
        answer.send(str(error))


def test_the_lock_is_re_entrant_within_a_process(settings: Settings) -> None:
    with lock.hold(settings):
        with lock.hold(settings):
            assert lock.held_by_this_process(settings)
        assert lock.held_by_this_process(settings)
        assert not lock.is_held(settings), "its own lock is not another's"
        assert not lock.join(settings)
    assert not lock.held_by_this_process(settings)
    assert lock.TOKEN_VARIABLE not in os.environ


def test_the_lock_is_free_after_a_run_that_failed(settings: Settings) -> None:
    with pytest.raises(ZeroDivisionError), lock.hold(settings):
        raise ZeroDivisionError
    assert not lock.held_by_this_process(settings)
    with lock.hold(settings):
        pass


def test_two_data_folders_have_two_locks(settings: Settings, tmp_path: Path) -> None:
    other = Settings.from_environment({"KUNDENSTAMM_DATA_DIR": str(tmp_path / "other")})
    with lock.hold(settings), lock.hold(other):
        assert lock.held_by_this_process(settings)
        assert lock.held_by_this_process(other)


def test_looking_creates_nothing(settings: Settings) -> None:
    assert not lock.is_held(settings)
    assert not settings.data_dir.exists()


def test_somebody_who_looks_all_the_time_does_not_keep_a_run_from_starting(settings: Settings, tmp_path: Path) -> None:
    with lock.hold(settings):
        pass
    with running(settings, PROBE, tmp_path) as (_, said):
        assert said == "probing"
        for _ in range(50):
            with lock.hold(settings):
                pass


def test_a_data_folder_that_cannot_be_made_is_a_sentence(settings: Settings) -> None:
    settings.data_dir.write_text("a file is in its place")
    with pytest.raises(BuildError, match="cannot be written"), lock.hold(settings):
        pass
