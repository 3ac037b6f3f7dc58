"""The run lock: "a run is active" means that a process holds the flock on the data folder's `lock` file, nothing else.

Add here what decides who may write into the data folder. What a run does while it holds the lock belongs to the stages.

The holder first takes the lock exclusively, which proves that nobody else works here, and then keeps it shared. Step
processes of a multiprocess run `join` it: each takes a share of its own, so that the lock stays held while an orphaned
step still writes after its parent was killed, and is free the moment the last of them is gone. The token in the
environment proves that a process was started by the holder; nobody else ever asks for a share. File descriptors are not
inherited by programs a run starts, so a left-over child that is no step never keeps the lock.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.errors import BuildError, LockedError

if TYPE_CHECKING:
    from pipelines.settings import Settings

TOKEN_VARIABLE = "KUNDENSTAMM_LOCK_TOKEN"  # noqa: S105 - the name of a variable
PATIENCE_SECONDS = 0.5  # `is_held` holds the lock for an instant; a run must not be refused because somebody looked


@dataclass
class _Held:
    descriptor: int
    depth: int


_held: dict[Path, _Held] = {}
_guard = threading.Lock()


@contextmanager
def hold(settings: Settings) -> Iterator[None]:
    """Hold the run lock of the data folder. Re-entrant within a process, also in a step process that joined.

    Raises:
        LockedError: another run is working in this data folder.
        BuildError: the data folder cannot be written.
    """
    file = settings.lock_file
    with _guard:
        if file in _held:
            _held[file].depth += 1
        else:
            _held[file] = _Held(_take_exclusively(file), 1)
    try:
        yield
    finally:
        with _guard:
            _held[file].depth -= 1
            if not _held[file].depth:
                os.environ.pop(TOKEN_VARIABLE, None)
                descriptor = _held.pop(file).descriptor
                os.ftruncate(descriptor, 0)  # whoever finds a holder in a free lock knows that it died
                fcntl.flock(descriptor, fcntl.LOCK_UN)
                os.close(descriptor)


def join(settings: Settings) -> bool:
    """Take a share of the lock that the run which started this process holds, until this process ends.

    Returns:
        Whether this process is a step of a run and has its share now; False for every other process.

    Raises:
        LockedError: the run that started this process is gone and another one took its place.
    """
    file = settings.lock_file
    token = os.environ.get(TOKEN_VARIABLE)
    with _guard:
        if token is None or file in _held or not file.exists():
            return False
        descriptor = os.open(file, os.O_RDWR)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise LockedError(_sentence(file)) from None
        if _read_holder(file).get("token") != token:
            os.close(descriptor)
            raise LockedError(_sentence(file))
        _held[file] = _Held(descriptor, 1)  # never released: the kernel does it when the process ends
        return True


def held_by_this_process(settings: Settings) -> bool:
    """Whether this process holds the lock, as the run or as a step of it."""
    return settings.lock_file in _held


def is_held(settings: Settings) -> bool:
    """Whether another process is working in this data folder. Nothing is created or kept."""
    if held_by_this_process(settings):
        return False
    try:
        descriptor = os.open(settings.lock_file, os.O_RDONLY)
    except OSError:  # no data folder, no run yet, or a folder nobody may look into
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def died_since(settings: Settings) -> datetime | None:
    """When the last holder took the lock (UTC), if its process ended without giving it back; else None."""
    if held_by_this_process(settings) or is_held(settings):
        return None
    since = _read_holder(settings.lock_file).get("since")
    try:
        return datetime.fromisoformat(str(since)).astimezone(UTC).replace(tzinfo=None)
    except ValueError:  # nobody is named there
        return None


def _take_exclusively(file: Path) -> int:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise BuildError(
            f"The data folder {file.parent} cannot be written ({error.strerror}); make it a folder that this user may "
            f"write, or name another one with --data."
        ) from None
    try:
        _wait_for(descriptor, fcntl.LOCK_EX, file)
        token = secrets.token_hex(8)
        holder = {"pid": os.getpid(), "token": token, "since": datetime.now(UTC).isoformat(timespec="seconds")}
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(holder).encode(), 0)
        # Not atomic: whoever gets in between holds it exclusively, and this request fails as it should.
        _wait_for(descriptor, fcntl.LOCK_SH, file)
        if _read_holder(file).get("token") != token:
            raise LockedError(_sentence(file))
    except BaseException:
        os.close(descriptor)
        raise
    os.environ[TOKEN_VARIABLE] = token
    return descriptor


def _wait_for(descriptor: int, kind: int, file: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise LockedError(_sentence(file)) from None
            time.sleep(0.02)


def _read_holder(file: Path) -> dict[str, object]:
    try:
        holder = json.loads(file.read_text())
    except (OSError, ValueError):
        return {}
    return holder if isinstance(holder, dict) else {}


def _sentence(file: Path) -> str:
    holder = _read_holder(file)
    who = f" (process {holder['pid']}, since {holder['since']})" if {"pid", "since"} <= holder.keys() else ""
    return (
        f"Another run is working in the data folder {file.parent}{who}; nothing was done. "
        f"Wait for it to end, or end it, then start again."
    )
