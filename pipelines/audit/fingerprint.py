"""Which files exactly were audited: their size and SHA-256, which the verdict records and the gate asks for again.

The SHA-256 of the build is that of the list of its files with theirs, so that publishing, which copies some of them,
can prove each copy as it makes it.

What only later models read is in none of them (`warehouse.INTERIM`): no rule judges it, and none of it is published.

Add here what belongs to the identity of a build's files. What is done when they are others is decided in `gate`.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines import hashes
from pipelines.warehouse import INTERIM, build_parts, connect

if TYPE_CHECKING:
    from pipelines.settings import Settings


def fingerprint(settings: Settings) -> tuple[int, str]:
    """Size in bytes of the audited files of the build, and SHA-256 of the list of them: `<sha256>  <name>` a line."""
    files = hash_files(settings)
    listed = "".join(f"{found.sha256}  {file.name}\n" for file, found in files.items())
    return sum(found.size for found in files.values()), hashlib.sha256(listed.encode()).hexdigest()


def hash_files(settings: Settings) -> dict[Path, hashes.FileHash]:
    """Size and SHA-256 of each audited file of the build, its own and then its parts, without any log.

    The audit asks, and publishing several times. Of files that were not changed since, a process reads the content
    once: at a million customers that are ten gigabytes.
    """
    write_logs_back(settings)
    return hashes.hash_files(_files(settings))


def write_logs_back(settings: Settings) -> None:
    """Leave nothing in a log of the build's files, so that from here on they can be read and hashed side by side."""
    for file in _files(settings):
        if file.with_name(file.name + ".wal").exists():
            with connect(file, settings) as connection:
                connection.execute("checkpoint")


def _files(settings: Settings) -> list[Path]:
    parts = [file for part, file in build_parts(settings).items() if part != INTERIM]
    return [file for file in (settings.build_warehouse, *parts) if file.exists()]
