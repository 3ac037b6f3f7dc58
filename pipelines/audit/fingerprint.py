"""Which files exactly were audited: their size and SHA-256, which the verdict records and the gate asks for again.

The SHA-256 of the build is that of the list of its files with theirs, so that publishing, which copies some of them,
can prove each copy as it makes it.

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


class FileHash(NamedTuple):
    """What is in a file."""

    size: int
    sha256: str


def fingerprint(settings: Settings) -> tuple[int, str]:
    """Size in bytes of the audited files of the build, and SHA-256 of the list of them: `<sha256>  <name>` a line."""
    files = hash_files(settings)
    listed = "".join(f"{found.sha256}  {file.name}\n" for file, found in files.items())
    return sum(found.size for found in files.values()), hashlib.sha256(listed.encode()).hexdigest()


def hash_files(settings: Settings) -> dict[Path, FileHash]:
    """Size and SHA-256 of each audited file of the build, its own and then its parts, without any log.

    The audit asks, and publishing several times. Of files that were not changed since, a process reads the content
    once: at a million customers that are ten gigabytes. Large files that were changed a moment ago are waited for.
    """
    write_logs_back(settings)
    states = tuple(_state_of(file) for file in _files(settings))
    size = sum(state.size for state in states)
    unsettled = SETTLED_SECONDS - (time.time_ns() - max((state.changed_ns for state in states), default=0)) / 1e9
    remembers = unsettled <= 0 or size >= LARGE
    if remembers:
        time.sleep(max(unsettled, 0))
    hash_file = _hash_once if remembers else _hash
    return {state.path: FileHash(state.size, hash_file(state)) for state in states}


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


def _hash(state: _State) -> str:
    with state.path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


_hash_once = lru_cache(maxsize=16)(_hash)
