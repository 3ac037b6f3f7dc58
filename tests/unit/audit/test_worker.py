"""The worker process ends when it must, and its end is a result: not run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipelines.audit import validation
from pipelines.audit.validation import CheckedObject, Outcome, Worker, WorkerDiedError
from pipelines.settings import PROJECT_DIR, Settings

PARENT = """
import time
from pipelines.audit import validation
validation.warm_up()
print(validation._warm.pid, flush=True)
time.sleep(600)
"""


def is_running(pid: int) -> bool:
    """Whether the process is there and no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def wait_until_gone(pid: int, seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while is_running(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are looked up in /proc")
def test_the_worker_dies_with_a_parent_that_is_killed() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True, cwd=PROJECT_DIR)
    assert parent.stdout
    with parent.stdout:
        pid = int(parent.stdout.readline())
        assert is_running(pid)
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    assert wait_until_gone(pid)


def test_a_worker_that_is_closed_leaves_no_process_behind() -> None:
    worker = Worker()
    worker.close()
    assert not worker.is_alive()
    with pytest.raises(ChildProcessError):
        os.waitpid(worker.pid, os.WNOHANG)


def test_a_worker_that_is_killed_ends_the_job_instead_of_hanging(settings: Settings) -> None:
    settings.build_dir.mkdir(parents=True)
    worker = Worker()
    try:
        os.kill(worker.pid, signal.SIGKILL)
        with pytest.raises(WorkerDiedError):
            list(worker.run(settings, [CheckedObject("things", "select 1", [])]))
    finally:
        worker.close()


def test_a_worker_that_dies_with_a_job_on_the_way_to_it_is_closed_all_the_same(settings: Settings) -> None:
    settings.build_dir.mkdir(parents=True)
    worker = Worker()
    worker._is_ready = True  # it said so, a moment before
    os.kill(worker.pid, signal.SIGKILL)
    worker._process.wait()
    with pytest.raises(WorkerDiedError):
        list(worker.run(settings, [CheckedObject("things", "select 1", [])]))
    worker.close()


def test_rules_that_a_dying_worker_did_not_answer_were_not_run_and_it_is_replaced(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.build_dir.mkdir(parents=True)
    rule = {"key": "unique", "type": "expect_column_values_to_be_unique", "kwargs": {"column": "id"}}
    dying = Worker()
    monkeypatch.setattr(validation, "_warm", dying)  # the worker of the other tests stays as it is
    os.kill(dying.pid, signal.SIGSTOP)  # it cannot answer before it is killed
    killer = _kill_soon(dying.pid)
    checked = [CheckedObject("things", "select 1 as id", [rule])]
    assert validation.validate(settings, checked) == {"unique": Outcome(was_run=False)}
    assert not dying.is_alive()
    assert validation._warm is None  # the next audit starts a new one
    killer.wait()


def _kill_soon(pid: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", f"import os, time; time.sleep(0.5); os.kill({pid}, 9)"])
