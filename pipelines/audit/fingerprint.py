"""Which files exactly were audited: their size and SHA-256, which the verdict records and the gate asks for again.

What only later models read is in none of them (`warehouse.INTERIM`): no rule judges it, and none of it is published.

Add here what belongs to the identity of a build's files. What is done when they are others is decided in `gate`.
"""

from __future__ import annotations

import hashlib
import time
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pipelines.warehouse import INTERIM, build_parts, connect

if TYPE_CHECKING:
    from pipelines.settings import Settings

_CHUNK = 1 << 20  # bytes that are hashed at once
# A file is hashed again unless it was changed this long ago: within the resolution of a file system's clock two states
# of a file could bear the same time.
SETTLED_SECONDS = 2.0
LARGE = 1 << 30  # bytes that take longer to hash again than to wait until they can be remembered


class _State(NamedTuple):
    """What the file system says of a file. `changed_ns` is set by the system at every change, and by nobody else."""

    path: Path
    inode: int
    size: int
    changed_ns: int


def fingerprint(settings: Settings) -> tuple[int, str]:
    """Size in bytes and SHA-256 of the audited files of the build, its own and then its parts, without any log.

    The audit asks, and publishing twice. Of files that were not changed since, a process reads the content once: at a
    million customers that are ten gigabytes. Large files that were changed a moment ago are waited for.
    """
    write_logs_back(settings)
    states = tuple(_state_of(file) for file in _files(settings))
    size = sum(state.size for state in states)
    unsettled = SETTLED_SECONDS - (time.time_ns() - max((state.changed_ns for state in states), default=0)) / 1e9
    if unsettled > 0 and size < LARGE:
        return size, _hash(states)
    time.sleep(max(unsettled, 0))
    return size, _hash_once(states)


def write_logs_back(settings: Settings) -> None:
    """Leave nothing in a log of the build's files, so that from here on they can be read and hashed side by side."""
    for file in _files(settings):
        if file.with_name(file.name + ".wal").exists():
            with connect(file, settings) as connection:
                connection.execute("checkpoint")


def _files(settings: Settings) -> list[Path]:
    parts = [file for part, file in build_parts(settings).items() if part != INTERIM]
    return [file for file in (settings.build_warehouse, *parts) if file.exists()]


def _state_of(file: Path) -> _State:
    found = file.stat()
    return _State(file, found.st_ino, found.st_size, found.st_ctime_ns)


def _hash(states: tuple[_State, ...]) -> str:
    digest = hashlib.sha256()
    for state in states:
        with state.path.open("rb") as handle:
            while chunk := handle.read(_CHUNK):
                digest.update(chunk)
    return digest.hexdigest()


_hash_once = lru_cache(maxsize=4)(_hash)
