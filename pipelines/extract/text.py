"""Make text files UTF-8, or say at which byte they are broken. Half-read characters are never landed.

Add an encoding here together with `FormatConfig.encoding`. Delimiters and columns do not belong here.
"""

from __future__ import annotations

import codecs
import re
import shutil
import tempfile
from pathlib import Path
from typing import IO

from pipelines.errors import SourceError
from pipelines.extract.files import CHUNK, DeliveredFile

NATIVE = frozenset({"utf-8", "utf-8-sig"})  # DuckDB reads these itself
# Letters beyond ASCII as UTF-8 writes them, and every other byte beyond ASCII.
UTF8_LETTERS = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
BEYOND_ASCII = re.compile(rb"[\x80-\xff]")
GARBLED_SHARE = 0.05  # of the bytes beyond ASCII: so many values may have been garbled before they were exported
C1_CONTROLS = re.compile("[\x80-\x9f]")


class _BrokenTextError(Exception):
    def __init__(self, position: int) -> None:
        self.position = position
        super().__init__(str(position))


def make_readable(file: DeliveredFile, stated: str | None, folder: Path, where: str) -> tuple[Path, str]:
    """A path with the file's text as UTF-8, and the encoding of the file: as `stated`, else as it shows.

    The path is the file itself, or a copy in `folder` that the caller removes.

    Raises:
        SourceError: when the bytes are no text in this encoding, with byte and line.
    """
    encoding = stated or _detect_encoding(file, where)
    try:
        if encoding in NATIVE:
            if stated:  # else that is how it was found out
                _decode(file.path, encoding, None)
            return file.path, encoding
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", newline="", dir=folder, delete=False) as copy:
            _decode(file.path, encoding, copy)
        return Path(copy.name), encoding
    except _BrokenTextError as broken:
        raise SourceError(
            f"{where}: {file.name} is not {encoding} as `format.encoding` says: "
            f"{_place(file.path, broken.position)} cannot be read. Have it delivered again, or correct the encoding."
        ) from None


def has_mixed_line_ends(path: Path) -> bool:
    """Whether lines end in more than one way; a line break within a field counts as well."""
    windows = unix = mac = 0
    last = b""
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            pairs = chunk.count(b"\r\n") + (last == b"\r" and chunk.startswith(b"\n"))
            windows, unix, mac = windows + pairs, unix + chunk.count(b"\n") - pairs, mac + chunk.count(b"\r") - pairs
            last = chunk[-1:]
    return sum(count > 0 for count in (windows, unix, mac)) > 1


def unify_line_ends(path: Path, folder: Path) -> Path:
    """A copy in `folder` in which every line of a UTF-8 text ends in the same way."""
    with (
        path.open(encoding="utf-8") as text,  # reads every way of ending a line as one
        tempfile.NamedTemporaryFile("w", encoding="utf-8", newline="\n", dir=folder, delete=False) as copy,
    ):
        shutil.copyfileobj(text, copy, CHUNK)
    return Path(copy.name)


def _detect_encoding(file: DeliveredFile, where: str) -> str:
    """UTF-16 by its mark, else UTF-8 when the whole file is, else Windows-1252 when it can be.

    A file that is no valid UTF-8 and yet has letters of it is broken; with very few among many other bytes beyond ASCII
    it is Windows-1252 in which single values were garbled before, which is for the audit to tell.

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
        if not _has_utf8_letters(file.path):
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


def _has_utf8_letters(path: Path) -> bool:
    """Whether there are more letters in UTF-8 than single garbled values of a file in another encoding explain."""
    letters = others = 0
    with path.open("rb") as stream:
        for line in stream:
            found = UTF8_LETTERS.findall(line)
            letters += len(found)
            others += len(BEYOND_ASCII.findall(line)) - sum(map(len, found))
    return letters > GARBLED_SHARE * others


def _place(path: Path, position: int) -> str:
    line, left = 1, position
    with path.open("rb") as stream:
        while left > 0 and (chunk := stream.read(min(CHUNK, left))):
            line += chunk.count(b"\n")
            left -= len(chunk)
    return f"byte {position + 1} (line {line})"
