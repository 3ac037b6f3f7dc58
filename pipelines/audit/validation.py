"""Validate rules in the worker process: start it early, hand it jobs, end it.

Add here what concerns the process as a process. The import of Great Expectations takes 5 to 12 seconds: `warm_up`
some steps before the audit lets it happen while the run computes.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import selectors
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipelines.settings import PROJECT_DIR, QUIET_ENVIRONMENT, Settings

IMPORT_SECONDS = 300  # the import takes 5 to 12 seconds on two free cores, far longer on a starved machine
ANSWER_SECONDS = 3600  # the longest that all rules of one object may take
END_SECONDS = 10


@dataclass(frozen=True)
class Outcome:
    """What a rule found on an object. `was_run` is False when the check itself broke; then there are no figures.

    `key_name` and `keys` are those of `naming.NamedRows`, where a rule names what fails.
    """

    was_run: bool
    success: bool = False
    row_count: int | None = None
    element_count: int | None = None
    failed_count: int | None = None
    observed: float | None = None
    key_name: str | None = None
    keys: Sequence[tuple[str, str | None]] = ()


@dataclass(frozen=True)
class CheckedObject:
    """Rows of the warehouse and the rules to check on them, each as `gx.validate_object` takes it."""

    name: str
    query: str
    rules: Sequence[Mapping[str, Any]]


class WorkerDiedError(Exception):
    """The worker ended or fell silent."""


class Worker:
    """One process that has imported, or is importing, Great Expectations. Holds no file open between jobs."""

    def __init__(self) -> None:
        # A process of its own, not a fork of this one: it must not import this program's main module again.
        self._process = subprocess.Popen(
            [sys.executable, "-m", "pipelines.audit.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=PROJECT_DIR,
            env={**os.environ, **QUIET_ENVIRONMENT, "TZ": "UTC"},  # DuckDB's time zone is that of the process
            start_new_session=True,  # an interrupt at the terminal is the parent's to handle
        )
        self._is_ready = False
        self._buffer = b""

    @property
    def pid(self) -> int:
        return self._process.pid

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def run(self, settings: Settings, objects: Sequence[CheckedObject]) -> Iterator[Mapping[str, Any]]:
        """The answers to one job, one per object and in their order; after the last the file is released.

        Raises:
            WorkerDiedError: at the first answer that does not come.
        """
        if not self._is_ready:
            self._read(IMPORT_SECONDS)
            self._is_ready = True
        limits = {name: str(value) if isinstance(value, Path) else value for name, value in asdict(settings).items()}
        job = {"settings": limits, "objects": [asdict(o) for o in objects]}
        self._write(json.dumps(job, default=str).encode() + b"\n")
        for _ in objects:
            yield self._read(ANSWER_SECONDS)
        self._read(ANSWER_SECONDS)

    def close(self) -> None:
        """End the process and wait for it, so that nothing is left behind."""
        if self._process.stdin:
            with contextlib.suppress(BrokenPipeError):  # it died with a job still on the way to it
                self._process.stdin.close()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()

    def _write(self, line: bytes) -> None:
        try:
            assert self._process.stdin  # noqa: S101  a pipe, as opened above
            self._process.stdin.write(line)
            self._process.stdin.flush()
        except OSError:
            raise WorkerDiedError from None

    def _read(self, seconds: float) -> Mapping[str, Any]:
        stream = self._process.stdout
        assert stream  # noqa: S101  a pipe, as opened above
        with selectors.DefaultSelector() as selector:
            selector.register(stream, selectors.EVENT_READ)
            while b"\n" not in self._buffer:
                if not selector.select(seconds):
                    raise WorkerDiedError
                chunk = os.read(stream.fileno(), 1 << 16)
                if not chunk:
                    raise WorkerDiedError
                self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        return answer


_guard = threading.RLock()
_warm: Worker | None = None


def warm_up() -> None:
    """Start importing in the background, unless a worker is there. It ends with this process at the latest."""
    global _warm
    with _guard:
        if _warm is None or not _warm.is_alive():
            cool_down()
            _warm = Worker()


def cool_down() -> None:
    """End the warm worker, if there is one."""
    global _warm
    with _guard:
        if _warm is not None:
            _warm.close()
            _warm = None


atexit.register(cool_down)


def validate(settings: Settings, objects: Sequence[CheckedObject]) -> dict[str, Outcome]:
    """Check every rule on its object in the open build.

    No connection to the build may be open in this process for writing. A worker that dies leaves the rules it had not
    answered as not run; it is never waited for without end.

    Args:
        settings: names the build and its limits.
        objects: the objects; the keys of their rules are unique over all of them.

    Returns:
        One outcome per key.
    """
    outcomes = {rule["key"]: Outcome(was_run=False) for checked in objects for rule in checked.rules}
    if not objects:
        return outcomes
    with _guard:
        warm_up()
        assert _warm  # noqa: S101  warm_up made one
        try:
            for answer in _warm.run(settings, objects):
                for key, found in answer["results"].items():
                    if "error" not in found:
                        outcomes[key] = Outcome(was_run=True, row_count=answer["row_count"], **found)
        except WorkerDiedError:
            cool_down()
    return outcomes
