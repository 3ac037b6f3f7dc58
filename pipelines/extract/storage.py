"""Object storage that speaks S3: what lies below an address, and a copy of it for the time it is read.

Add another kind of storage here (`gs://` would be another file system of the same library). What is in an object is
read like any other file.
"""

from __future__ import annotations

import fnmatch
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pipelines.configuration import SourceConfig
from pipelines.configuration.load import expand
from pipelines.errors import SourceError
from pipelines.settings import Settings

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem

SCHEME = "s3://"
CHUNK = 1 << 20
CONNECT_SECONDS, REQUEST_SECONDS = 10, 60
GLOB_CHARACTERS = frozenset("*?[")


@dataclass(frozen=True)
class RemoteFile:
    """One object. `stamp` is its own, and changes whenever it is written: address, size and the second of writing."""

    address: str
    name: str
    size: int
    stamp: str


def is_remote(source: SourceConfig, entity_name: str) -> bool:
    return _address(source, entity_name).startswith(SCHEME)


def list_remote(settings: Settings, source: SourceConfig, entity_name: str) -> list[RemoteFile]:
    """The objects of one entity, sorted by name; `*` and `?` stop at a slash, `**/` does not.

    Raises:
        SourceError: the storage does not answer, or may not be read.
    """
    from pyarrow.fs import FileSelector, FileType

    address = expand(_address(source, entity_name), settings)
    bucket, base, pattern = _split(address, expand(source.path, settings))
    fixed = pattern[: min((pattern.find(c) for c in GLOB_CHARACTERS if c in pattern), default=len(pattern))]
    with _storage(settings, source) as storage:
        if fixed == pattern:
            infos = [storage.get_file_info(f"{bucket}/{pattern}")]
        else:
            folder = f"{bucket}/{fixed.rpartition('/')[0]}".rstrip("/")
            infos = storage.get_file_info(FileSelector(folder, allow_not_found=True, recursive=True))
    found = []
    for info in infos:
        key = info.path.partition("/")[2]
        if info.type is FileType.File and _matches(key, pattern):
            stamp = f"{info.path}-{info.size}-{info.mtime_ns}"
            found.append(RemoteFile(info.path, key.removeprefix(base).lstrip("/"), info.size, stamp))
    return sorted(found, key=lambda file: file.name)


def fetch(settings: Settings, source: SourceConfig, file: RemoteFile, folder: Path) -> Path:
    """A copy of an object in a folder, below its own name.

    Raises:
        SourceError: it cannot be read to its end.
    """
    copy = folder / file.name
    copy.parent.mkdir(parents=True, exist_ok=True)
    with (
        _storage(settings, source) as storage,
        storage.open_input_stream(file.address) as stream,
        copy.open("wb") as out,
    ):
        shutil.copyfileobj(stream, out, CHUNK)
    if copy.stat().st_size != file.size:
        raise SourceError(
            f"{source.name}: {file.name} was changed while it was fetched; nothing was landed. Start again when the "
            f"delivery is complete."
        )
    return copy


def _address(source: SourceConfig, entity_name: str) -> str:
    """Where the files of an entity are: its path, below that of the source unless it is whole."""
    path = source.entities[entity_name].path or ""
    return path if path.startswith((SCHEME, "/", "~")) else f"{source.path.rstrip('/')}/{path}"


def _split(address: str, base: str) -> tuple[str, str, str]:
    """Bucket, the key below which names are told, and the pattern of keys."""
    bucket, _, pattern = address.removeprefix(SCHEME).partition("/")
    below = base.removeprefix(SCHEME).partition("/")[2] if base.startswith(SCHEME) else pattern.rpartition("/")[0]
    return bucket, below.rstrip("/"), pattern


def _matches(key: str, pattern: str) -> bool:
    keys, parts = key.split("/"), pattern.split("/")
    if "**" in parts:
        position = parts.index("**")
        head, tail = parts[:position], parts[position + 1 :]
        return (
            len(keys) >= len(head) + len(tail)
            and _matches("/".join(keys[:position]), "/".join(head))
            and _matches("/".join(keys[len(keys) - len(tail) :]), "/".join(tail))
        )
    return len(keys) == len(parts) and all(fnmatch.fnmatchcase(k, p) for k, p in zip(keys, parts, strict=True))


@contextmanager
def _storage(settings: Settings, source: SourceConfig) -> Iterator[FileSystem]:
    from pyarrow.fs import S3FileSystem

    from pipelines.warehouse import log_privately

    config = source.storage
    options: dict[str, str] = {}
    if config and config.endpoint:
        parts = urlsplit(expand(config.endpoint, settings))
        options |= {"endpoint_override": parts.netloc, "scheme": parts.scheme}
    if config and config.access_key and config.secret_key:
        options |= {
            "access_key": expand(config.access_key, settings),
            "secret_key": expand(config.secret_key, settings),
        }
    if config and config.region:
        options["region"] = config.region
    try:
        yield S3FileSystem(connect_timeout=CONNECT_SECONDS, request_timeout=REQUEST_SECONDS, **options)
    except OSError as error:
        log_privately(settings, error)
        raise SourceError(f"{source.name}: {_reason(str(error))}. Nothing was landed.") from None


def _reason(words: str) -> str:
    """What the storage's error means; its own words may hold addresses."""
    reasons = {
        "there is no such bucket or object; correct `path`": ("does not exist", "NoSuchBucket", "NO_SUCH", "not found"),
        "the keys are wrong or may not read it; set good ones, and grant reading and listing": (
            "ACCESS_DENIED",
            "SIGNATURE",
            "INVALID_ACCESS_KEY",
            "InvalidAccessKeyId",
            "credential",
            "HTTP status 403",
            "403",
        ),
        "the storage does not answer; check `storage.endpoint` and the network": (
            "NETWORK_CONNECTION",
            "resolve",
            "curlCode",
            "timeout",
        ),
    }
    return next((r for r, signs in reasons.items() if any(s in words for s in signs)), "the storage reported an error")
