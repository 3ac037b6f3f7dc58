"""Folders for data that is only needed while somebody works: spilled by DuckDB, or copied to be read.

Add here how they are made and how those that nobody needs any more are found. What is put into them may be personal.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.errors import WarehouseError


@contextmanager
def scratch_folder(parent: Path) -> Iterator[Path]:
    """A new folder, removed in the end. One per user: processes that share one destroy each other's spilled files.

    It is locked while it is in use. The kernel frees the lock with the process, so what a killed one left is known.

    Raises:
        WarehouseError: it cannot be made.
    """
    try:
        parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="scratch-", dir=parent))
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise WarehouseError(
            f"The temp folder {parent} cannot be written ({error.strerror}); free space or check its permissions."
        ) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield folder
    finally:
        os.close(descriptor)
        try:
            folder.rmdir()  # nearly always nothing was put into it
        except OSError:
            shutil.rmtree(folder, ignore_errors=True)


def remove_abandoned(parent: Path) -> None:
    """Remove what processes left that are gone; what is in use stays."""
    if parent.is_dir():
        for path in parent.iterdir():
            if not _is_in_use(path):
                shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)


def _is_in_use(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:  # its user has just removed it, or nobody may look into it
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
