"""What exactly is in the files of a version: written into its manifest when it is put together, checked when asked.

Add here what must still be true of a version years later. What must be true before it is published is in `copying`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.publish.status import read_manifest
from pipelines.publish.switch import version_names

if TYPE_CHECKING:
    from pipelines.settings import Settings

_MANIFEST = "manifest.json"
_READERS = 2  # files that are hashed at once: a version has two large ones


def describe_files(folder: Path) -> dict[str, dict[str, int | str]]:
    """Size in bytes and SHA-256 of every file of a version but its manifest, by the name relative to its folder."""
    files = [f for f in sorted(folder.rglob("*")) if f.is_file() and f.relative_to(folder) != Path(_MANIFEST)]
    with ThreadPoolExecutor(max_workers=_READERS) as beside:
        hashes = list(beside.map(_hash, files))
    return {
        str(file.relative_to(folder)): {"bytes": file.stat().st_size, "sha256": sha256}
        for file, sha256 in zip(files, hashes, strict=True)
    }


def verify_versions(settings: Settings) -> dict[str, list[str]]:
    """Per kept version, oldest first, what differs from its manifest, one sentence each; nothing when all is as it was.

    Audiences that a rollback has withdrawn are no difference.

    Raises:
        BuildError: a manifest cannot be read.
    """
    return {version: _find_differences(settings, version) for version in version_names(settings)}


def _find_differences(settings: Settings, version: str) -> list[str]:
    folder = settings.versions_dir / version
    described: Mapping[str, Any] = read_manifest(settings, version)["files"]
    known = {name: facts for name, facts in described.items() if isinstance(facts, Mapping)}
    if not known:
        return [f"Version {version} was published before files were hashed; only its sizes are known."]
    found = describe_files(folder)
    if not (folder / "audiences").exists():
        known = {name: facts for name, facts in known.items() if Path(name).parts[0] != "audiences"}
    restore = "restore the version from a backup."
    return [
        *(f"{name} of version {version} is missing; {restore}" for name in sorted(known.keys() - found.keys())),
        *(f"{name} of version {version} was added since it was published." for name in sorted(found.keys() - known)),
        *(
            f"{name} of version {version} is not what was published; {restore}"
            for name in sorted(known.keys() & found.keys())
            if known[name] != found[name]
        ),
    ]


def _hash(file: Path) -> str:
    with file.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
