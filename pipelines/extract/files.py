"""Find the files of an entity and say whether they are the ones that were read before.

Add here what concerns files as files: where they are, whether they can be opened, their fingerprint.
What is inside them does not belong here.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from pipelines.configuration import Configuration, SourceConfig
from pipelines.configuration.load import expand
from pipelines.errors import SourceError
from pipelines.settings import Settings

GLOB_CHARACTERS = frozenset("*?[")
CHUNK = 1 << 20

TYPES = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".parquet": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".xlsx": "workbook",
    ".xlsm": "workbook",
    ".xlsb": "workbook",
    ".xls": "workbook",
    ".ods": "workbook",
}
# What a file may be packed as; its type is told by what stands before: contacts.csv.gz.
PACKINGS = {".gz": "gz", ".bz2": "bz2", ".xz": "xz", ".zst": "zst", ".zip": "zip"}


@dataclass(frozen=True)
class DeliveredFile:
    """One file as it was when its fingerprint was taken. `name` is relative to the source's folder.

    `packing` is one of `PACKINGS`, None for a file that is read as it is. A file that a connector wrote to
    hand records over is no original and has no fingerprint.
    """

    path: Path
    name: str
    type: str
    size: int
    modified: int
    sha256: str
    packing: str | None = None
    is_original: bool = True


def find_files(
    settings: Settings, configuration: Configuration, source: SourceConfig, entity_name: str
) -> list[DeliveredFile]:
    """The files of one entity, sorted by name, with size and SHA-256.

    Raises:
        SourceError: when no file is there, one is empty (0 bytes), cannot be read, or has an unknown type.
    """
    base = configuration.directory / Path(expand(source.path, settings)).expanduser()
    pattern = expand(source.entities[entity_name].path or "", settings)
    where = f"{source.name}.{entity_name}"
    try:
        found = _matching(base, pattern)
        if not found:
            raise SourceError(
                f"{where}: there is no file {pattern} in {base}; deliver it, correct `path` in sources.yml, "
                f"or set `enabled: false`."
            )
        return [_fingerprint(path, base, where, source.format_of(entity_name).type) for path in found]
    except OSError as error:
        raise SourceError(
            f"{where}: {error.filename or base} cannot be read ({error.strerror}); check the path and its permissions."
        ) from None


def list_files(
    settings: Settings, configuration: Configuration, source: SourceConfig, entity_name: str
) -> list[tuple[str, int, int]]:
    """Path, size and time of the files that are there now; none where the folder cannot be read."""
    base = configuration.directory / Path(expand(source.path, settings)).expanduser()
    try:
        found = _matching(base, expand(source.entities[entity_name].path or "", settings))
        return [(str(path), state.st_size, state.st_mtime_ns) for path in found for state in [path.stat()]]
    except OSError:
        return []


def describe_file(path: Path) -> DeliveredFile:
    """One file that no source names yet.

    Raises:
        SourceError: when it is empty, cannot be read, or has an unknown type.
    """
    try:
        return _fingerprint(path, path.parent, str(path.parent), None)
    except OSError as error:
        raise SourceError(f"{path} cannot be read ({error.strerror}); check the path and its permissions.") from None


def assert_not_changed_meanwhile(files: list[DeliveredFile], where: str) -> None:
    """A file that was replaced while it was read is not what its fingerprint says.

    Raises:
        SourceError: naming the file.
    """
    for file in files:
        try:
            state = file.path.stat()
            same = (state.st_size, state.st_mtime_ns) == (file.size, file.modified)
        except OSError:
            same = False
        if not same:
            raise SourceError(
                f"{where}: {file.name} was changed while it was read; nothing was landed. "
                f"Start again when the delivery is complete."
            )


def _matching(base: Path, pattern: str) -> list[Path]:
    path = base / Path(pattern).expanduser()
    if not GLOB_CHARACTERS & set(pattern):
        return [path] if path.is_file() else []
    start = Path(path.anchor) if Path(pattern).is_absolute() else base
    relative = str(path.relative_to(start))
    return sorted(p for p in start.glob(relative) if p.is_file())


def _fingerprint(path: Path, base: Path, where: str, file_type: str | None) -> DeliveredFile:
    name = str(path.relative_to(base)) if path.is_relative_to(base) else path.name
    packing = PACKINGS.get(path.suffix.lower())
    kind = file_type or TYPES.get((path.with_suffix("") if packing else path).suffix.lower())
    if kind is None:
        raise SourceError(
            f"{where}: the type of {name} is unknown; set `format.type` in sources.yml to csv, parquet, jsonl or "
            f"workbook."
        )
    state = path.stat()
    if state.st_size == 0:
        raise SourceError(
            f"{where}: {name} is empty (0 bytes); not even a header is there, so nothing was changed. "
            f"Have it delivered again."
        )
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
    return DeliveredFile(path, name, kind, state.st_size, state.st_mtime_ns, digest.hexdigest(), packing)
