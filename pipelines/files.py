"""Small files that are replaced as a whole, or grow by one line at a time.

Add here how a file of the data folder is written. What is in it belongs to who writes it.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any


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
