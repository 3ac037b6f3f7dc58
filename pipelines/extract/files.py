"""Find the files of an entity and say whether they are the ones that were read before.

Add here what concerns files as files: where they are, whether they can be opened, their fingerprint.
What is inside them does not belong here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pipelines.configuration import Configuration, SourceConfig
from pipelines.configuration.load import expand
from pipelines.errors import SourceError
from pipelines.extract.storage import RemoteFile, fetch, is_remote, list_remote
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
    hand records over is no original and has no fingerprint. `stamp` is that of an object of which `path` is a copy.
    """

    path: Path
    name: str
    type: str
    size: int
    modified: int
    sha256: str
    packing: str | None = None
    is_original: bool = True
    stamp: str | None = None


def find_files(
    settings: Settings,
    configuration: Configuration,
    source: SourceConfig,
    entity_name: str,
    folder: Path,
    *,
    known: Mapping[str, str] | None = None,
    may_be_none: bool = False,
) -> list[DeliveredFile]:
    """The files of one entity, sorted by name, with size and SHA-256.

    Args:
        folder: for copies of objects; they are there as long as it is.
        known: SHA-256 by the stamp of an object; these are not fetched again.
        may_be_none: no file is no problem.

    Raises:
        SourceError: when no file is there, one is empty (0 bytes), cannot be read, or has an unknown type.
    """
    form, where = source.format_of(entity_name), f"{source.name}.{entity_name}"
    pattern = expand(source.entities[entity_name].path or "", settings)
    if is_remote(source, entity_name):
        base: Path | str = expand(source.path, settings)
        found = [
            _describe_remote(settings, source, remote, folder, known or {}, where, form.type)
            for remote in list_remote(settings, source, entity_name)
        ]
    else:
        base = configuration.directory / Path(expand(source.path, settings)).expanduser()
        try:
            found = [_fingerprint(path, base, where, form.type) for path in _matching(base, pattern)]
        except OSError as error:
            raise SourceError(
                f"{where}: {error.filename or base} cannot be read ({error.strerror}); check the path and its "
                f"permissions."
            ) from None
    if not found and not may_be_none:
        raise SourceError(
            f"{where}: there is no file {pattern} in {base}; deliver it, correct `path` in sources.yml, "
            f"or set `enabled: false`."
        )
    return found


def list_files(
    settings: Settings, configuration: Configuration, source: SourceConfig, entity_name: str
) -> list[tuple[str, int, int | str]]:
    """Path, size and time of the files that are there now; none where the folder cannot be read."""
    if is_remote(source, entity_name):
        try:
            return [(f.address, f.size, f.stamp) for f in list_remote(settings, source, entity_name)]
        except SourceError:
            return []
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


def _describe_remote(
    settings: Settings,
    source: SourceConfig,
    remote: RemoteFile,
    folder: Path,
    known: Mapping[str, str],
    where: str,
    file_type: str | None,
) -> DeliveredFile:
    if remote.stamp in known and remote.size:
        kind, packing = _kind_of(Path(remote.name), file_type, where)
        missing = folder / "not-fetched"
        return DeliveredFile(
            missing, remote.name, kind, remote.size, 0, known[remote.stamp], packing, True, remote.stamp
        )
    copy = fetch(settings, source, remote, folder)
    return replace(_fingerprint(copy, folder, where, file_type), stamp=remote.stamp)


def _kind_of(path: Path, file_type: str | None, where: str) -> tuple[str, str | None]:
    packing = PACKINGS.get(path.suffix.lower())
    kind = file_type or TYPES.get((path.with_suffix("") if packing else path).suffix.lower())
    if kind is None:
        raise SourceError(
            f"{where}: the type of {path.name} is unknown; set `format.type` in sources.yml to csv, parquet, jsonl or "
            f"workbook."
        )
    return kind, packing


def _fingerprint(path: Path, base: Path, where: str, file_type: str | None) -> DeliveredFile:
    name = str(path.relative_to(base)) if path.is_relative_to(base) else path.name
    kind, packing = _kind_of(path, file_type, where)
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
