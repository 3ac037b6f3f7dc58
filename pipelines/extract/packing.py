"""Packed files: which ways of packing are read, and how a file is unpacked for the time it is read.

Add a way of packing here with its ending. What is inside a file is the matter of `text` and `layouts`.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, cast

from pipelines.errors import SourceError
from pipelines.extract.files import CHUNK, DeliveredFile

# RuntimeError: a zip file with a password.
_BROKEN = (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, NotImplementedError, RuntimeError)


def unpack(file: DeliveredFile, folder: Path, where: str) -> DeliveredFile:
    """The file as it is read: itself, or a copy without its packing in `folder`, which the caller removes.

    Raises:
        SourceError: when it cannot be unpacked to the end, holds nothing, or is a zip of several files.
    """
    if file.packing is None:
        return file
    try:
        with _open(file, where) as packed, tempfile.NamedTemporaryFile(dir=folder, delete=False) as copy:
            shutil.copyfileobj(packed, copy, CHUNK)
    except (*_BROKEN, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:  # the disk, not the file
            raise
        raise SourceError(
            f"{where}: {file.name} cannot be unpacked ({file.packing}); it is broken, was not delivered to its end, or "
            f"has a password. Nothing was changed. Have it delivered again."
        ) from None
    unpacked = Path(copy.name)
    if unpacked.stat().st_size == 0:
        raise SourceError(
            f"{where}: {file.name} holds an empty file (0 bytes); not even a header is there, so nothing was changed. "
            f"Have it delivered again."
        )
    return replace(file, path=unpacked)


@contextmanager
def _open(file: DeliveredFile, where: str) -> Iterator[IO[bytes]]:
    if file.packing == "zip":
        with zipfile.ZipFile(file.path) as archive:
            members = [m for m in archive.infolist() if not m.is_dir()]
            if len(members) != 1:
                raise SourceError(
                    f"{where}: {file.name} holds {len(members)} files; a zip is read when it holds exactly one. "
                    f"Deliver one file per zip, or unpack it."
                )
            with archive.open(members[0]) as stream:
                yield stream
    elif file.packing == "zst":
        import pyarrow as pa

        with pa.CompressedInputStream(pa.OSFile(str(file.path)), "zstd") as stream:
            yield cast(IO[bytes], stream)
    else:
        openers: dict[str, Any] = {"gz": gzip.open, "bz2": bz2.open, "xz": lzma.open}
        with openers[str(file.packing)](file.path, "rb") as stream:
            yield stream
