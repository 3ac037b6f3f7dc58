"""How files of the data folder are written: small ones as a whole or by the line, large ones to the disk meanwhile.

Add here how a file of the data folder is written. What is in it belongs to who writes it.
"""

from __future__ import annotations

import json
import os
import stat
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

FLUSH_SECONDS = 1.0  # between two times that large files are brought to the disk while they are written


def write_atomically(file: Path, content: str | bytes, *, like: os.stat_result | None = None) -> None:
    """Replace a small file, so that a reader sees the old or the new content, also after a crash.

    Its mode is 0600, or that of `like`, whose group it keeps too where this user may give it.
    """
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        temporary.unlink(missing_ok=True)  # of a process that died; never write through what somebody else put there
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as handle:
            if like is not None:
                with suppress(PermissionError):
                    os.fchown(handle.fileno(), -1, like.st_gid)
                os.fchmod(handle.fileno(), stat.S_IMODE(like.st_mode))
            handle.write(content.encode() if isinstance(content, str) else content)
            handle.flush()
            os.fsync(handle.fileno())
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)


def append_line(file: Path, facts: Mapping[str, Any]) -> None:
    """Append one line of JSON, on the disk when this returns; a line that a killed writer left half stays alone."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    line = json.dumps(facts, ensure_ascii=False)
    with file.open("ab+") as handle:
        if handle.seek(0, os.SEEK_END):
            handle.seek(-1, os.SEEK_END)
            if handle.read(1) != b"\n":
                line = "\n" + line
        handle.write(line.encode() + b"\n")
        handle.flush()
        os.fsync(handle.fileno())


@contextmanager
def brought_to_disk_meanwhile(files: Collection[Path]) -> Iterator[None]:
    """Bring what somebody else writes to these files to the disk while it is written, not only when they are closed.

    The engine waits for the disk when it closes a file. The system would leave up to a tenth of the memory for that
    moment, in which nothing else is done.

    Args:
        files: some may be made meanwhile. Nobody else in this process may have one of them open when this ends.
    """
    if not files:
        yield
        return
    done = threading.Event()
    flusher = threading.Thread(target=_flush, args=(files, done), name="flush", daemon=True)
    flusher.start()
    try:
        yield
    finally:
        done.set()
        flusher.join()


def _flush(files: Collection[Path], done: threading.Event) -> None:
    """Flush until it is done. Descriptors are kept till then: closing one gives up all locks of the process on it."""
    descriptors: dict[Path, int] = {}
    while not done.wait(FLUSH_SECONDS):
        for file in files:
            with suppress(OSError):  # it is not there yet, or the disk is full: who writes it will say so
                if file not in descriptors:
                    descriptors[file] = os.open(file, os.O_RDONLY)
                os.fsync(descriptors[file])
    for descriptor in descriptors.values():
        os.close(descriptor)
