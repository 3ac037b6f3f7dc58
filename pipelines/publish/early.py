"""Copy the files of the build that become files of a version while the audit reads them.

Copying waits for the disk, to which the audit writes next to nothing. An early copy is proven as any other: its SHA-256
is compared with that of what was audited, and a copy that is missing or differs is made when the version is. The audit
asks for the SHA-256 of the same files, so it is promised that of what is read for the copy.

Add here what concerns copying files as a whole. Which files may be taken is decided in `copying`.
"""

from __future__ import annotations

import hashlib
import os
import threading
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.errors import WarehouseError
from pipelines.hashes import promise_hashes
from pipelines.scratch import scratch_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pipelines.hashes import Promise
    from pipelines.settings import Settings

_CHUNK = 1 << 20  # bytes that are copied and hashed at once


class EarlyCopies:
    """Copies of some files in a folder of their own, made one after the other by a thread."""

    def __init__(self, settings: Settings, files: Iterable[Path]) -> None:
        """Begin to copy. The folder is on the file system of the versions, so that a copy can be moved there."""
        self._stopped = threading.Event()
        self._ending = ExitStack()
        folder = self._ending.enter_context(scratch_folder(settings.temp_dir))
        thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="early-copy")
        self._ending.callback(thread.shutdown, cancel_futures=True)  # before the folder goes
        self._copies: dict[Path, tuple[Path, Future[str]]] = {}
        for file, promise in promise_hashes(files).items():
            hashed = thread.submit(self._copy, file, folder / file.name, promise)
            hashed.add_done_callback(lambda _, promise=promise: promise.give_up())  # type: ignore[misc]
            self._copies[file] = folder / file.name, hashed

    def _copy(self, file: Path, target: Path, promise: Promise) -> str:
        promise.wait_until_settled()
        return copy_and_hash(file, target, self._stopped, promise.keep)

    def take(self, file: Path, target: Path) -> str | None:
        """Move the copy of a file to `target` and say its SHA-256; None when there is none. Waits until it is complete.

        A copy is taken once.
        """
        begun = self._copies.pop(file, None)
        if begun is None:
            return None
        copy, hashed = begun
        try:
            sha256 = hashed.result()
        except (OSError, CancelledError):  # who copies it now will find out why, and say it
            return None
        copy.rename(target)
        return sha256

    def drop(self) -> None:
        """Stop copying and remove what was not taken."""
        self._stopped.set()
        self._ending.close()


_begun: EarlyCopies | None = None


def begin_early_copies(settings: Settings, files: Iterable[Path]) -> None:
    """Copy these files in the background, until `drop_early_copies`. Nobody may write them before they are taken."""
    global _begun
    drop_early_copies()
    with suppress(WarehouseError):  # without a temp folder they are copied when the version is made
        _begun = EarlyCopies(settings, files)


def take_early_copy(file: Path, target: Path) -> str | None:
    """Move the early copy of a file to `target` and say its SHA-256; None when there is none."""
    return _begun.take(file, target) if _begun else None


def drop_early_copies() -> None:
    """Stop, and remove what nobody took."""
    global _begun
    begun, _begun = _begun, None
    if begun is not None:
        begun.drop()


def copy_and_hash(
    file: Path,
    target: Path,
    stopped: threading.Event | None = None,
    on_hashed: Callable[[str], None] = lambda _: None,
) -> str:
    """Copy a file to the disk, and say the SHA-256 of what was written.

    Args:
        stopped: set when it shall stop.
        on_hashed: called with the SHA-256 before it is waited for the disk.

    Raises:
        CancelledError: it was stopped before it was complete.
    """
    digest, chunk = hashlib.sha256(), memoryview(bytearray(_CHUNK))
    with file.open("rb", buffering=0) as source, target.open("xb", buffering=0) as copy:
        while size := source.readinto(chunk):
            if stopped is not None and stopped.is_set():
                raise CancelledError
            digest.update(chunk[:size])
            written = 0
            while written < size:
                written += copy.write(chunk[written:size])
        on_hashed(digest.hexdigest())
        os.fsync(copy.fileno())
    return digest.hexdigest()
