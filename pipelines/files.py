"""Small files that are replaced as a whole, or grow by one line at a time.

Add here how a file of the data folder is written. What is in it belongs to who writes it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def write_atomically(file: Path, content: str | bytes) -> None:
    """Replace a small file, mode 0600, so that a reader sees the old or the new content, also after a crash."""
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as handle:
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
