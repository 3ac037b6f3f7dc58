"""Make text files UTF-8, or say at which byte they are broken. Half-read characters are never landed.

Add an encoding here together with `FormatConfig.encoding`. Delimiters and columns do not belong here.
"""

from __future__ import annotations

import codecs
import re
import tempfile
from pathlib import Path
from typing import IO

from pipelines.errors import SourceError
from pipelines.extract.files import CHUNK, DeliveredFile

NATIVE = frozenset({"utf-8", "utf-8-sig"})  # DuckDB reads these itself
# Umlauts and typographic marks in UTF-8: a file that has them and is no valid UTF-8 is broken, not Windows-1252.
UTF8_LETTERS = re.compile(rb"\xc3[\x80-\xbf]|\xe2\x80[\x80-\xbf]")
C1_CONTROLS = re.compile("[\x80-\x9f]")


class _BrokenTextError(Exception):
    def __init__(self, position: int) -> None:
        self.position = position
        super().__init__(str(position))


def detect_encoding(file: DeliveredFile, where: str) -> str:
    """UTF-16 by its mark, else UTF-8 when the whole file is, else Windows-1252 when it can be.

    Raises:
        SourceError: when the file is neither, with the byte and line where UTF-8 breaks.
    """
    with file.path.open("rb") as stream:
        start = stream.read(4)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    try:
        _decode(file.path, "utf-8", None)
    except _BrokenTextError as broken:
        if not _contains(file.path, UTF8_LETTERS):
            try:
                _decode(file.path, "cp1252", None)
            except _BrokenTextError:
                pass
            else:
                return "cp1252"
        raise SourceError(
            f"{where}: {file.name} is no valid UTF-8: {_place(file.path, broken.position)} cannot be read. "
            f"Have it delivered again, or name its real encoding as `format.encoding` in sources.yml."
        ) from None
    return "utf-8-sig" if start.startswith(codecs.BOM_UTF8) else "utf-8"


def make_readable(file: DeliveredFile, encoding: str, folder: Path, where: str) -> Path:
    """A path with the file's text as UTF-8: the file itself, or a copy in `folder` that the caller removes.

    Raises:
        SourceError: when the bytes are no text in this encoding, with byte and line.
    """
    try:
        if encoding in NATIVE:
            _decode(file.path, encoding, None)
            return file.path
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", newline="", dir=folder, delete=False) as copy:
            _decode(file.path, encoding, copy)
        return Path(copy.name)
    except _BrokenTextError as broken:
        raise SourceError(
            f"{where}: {file.name} is not {encoding} as `format.encoding` says: "
            f"{_place(file.path, broken.position)} cannot be read. Have it delivered again, or correct the encoding."
        ) from None


def _decode(path: Path, encoding: str, sink: IO[str] | None) -> None:
    """Read the whole file as text; NUL characters and C1 controls in Latin-1 (Windows-1252 in truth) are broken."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    offset = 0
    with path.open("rb") as stream:
        while True:
            chunk = stream.read(CHUNK)
            pending = len(decoder.getstate()[0])
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                raise _BrokenTextError(offset - pending + error.start) from None
            if "\0" in text:
                raise _BrokenTextError(offset + max(chunk.find(b"\0"), 0))
            if encoding == "latin-1" and (control := C1_CONTROLS.search(text)):
                raise _BrokenTextError(offset + control.start())
            if sink is not None:
                sink.write(text)
            if not chunk:
                return
            offset += len(chunk)


def _contains(path: Path, pattern: re.Pattern[bytes]) -> bool:
    tail = b""
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            if pattern.search(tail + chunk):
                return True
            tail = chunk[-2:]
    return False


def _place(path: Path, position: int) -> str:
    line, left = 1, position
    with path.open("rb") as stream:
        while left > 0 and (chunk := stream.read(min(CHUNK, left))):
            line += chunk.count(b"\n")
            left -= len(chunk)
    return f"byte {position + 1} (line {line})"
