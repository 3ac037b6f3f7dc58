"""Which version readers see: the link `published/current`, replaced by one rename, and what is tidied up around it.

Add here what changes which versions exist or which is current. What a version contains is put together in `assemble`.

A publishing run notes its version in `published/pending.json` before it starts. The note is the whole recovery: whoever
finds it either finishes what follows the switch, or removes what was never switched to.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.build import current_build, mark_published
from pipelines.errors import BuildError, RefusedError
from pipelines.files import write_atomically
from pipelines.lock import hold
from pipelines.publish.history import PUBLISHED, ROLLED_BACK, record_outcome
from pipelines.publish.state import sync_state
from pipelines.scratch import remove_abandoned

if TYPE_CHECKING:
    from pipelines.settings import Settings

VERSION_NAME = re.compile(r"\d{8}T\d{6}Z-[A-Za-z0-9_-]{1,8}")


def current_version(settings: Settings) -> str | None:
    """Name of the version readers see."""
    return settings.current.readlink().name if settings.current.is_symlink() else None


def version_names(settings: Settings) -> list[str]:
    """Complete versions that were once published, oldest first."""
    if not settings.versions_dir.is_dir():
        return []
    pending = read_pending(settings)
    unseen = pending["version"] if pending and pending["version"] != current_version(settings) else None
    names = (folder.name for folder in settings.versions_dir.iterdir())
    return sorted(name for name in names if VERSION_NAME.fullmatch(name) and name != unseen)


def partial_folder(settings: Settings, version: str) -> Path:
    """Where a version is put together, and where one that goes is taken apart: no reader looks there."""
    return settings.versions_dir / f".{version}.partial"


def note_pending(settings: Settings, *, version: str, run_id: str, now: datetime) -> None:
    """Say that this version is about to be published."""
    settings.versions_dir.mkdir(parents=True, exist_ok=True)
    note = {"version": version, "run_id": run_id, "at": now.isoformat()}
    write_atomically(_pending_file(settings), json.dumps(note))


def read_pending(settings: Settings) -> dict[str, Any] | None:
    """The note of a publishing run that has not ended, or was killed."""
    try:
        note: dict[str, Any] = json.loads(_pending_file(settings).read_text())
    except FileNotFoundError:
        return None
    return note


def reveal(settings: Settings, version: str) -> None:
    """Give the finished folder its name. Readers do not see it yet."""
    partial_folder(settings, version).rename(settings.versions_dir / version)
    _bring_folder_to_disk(settings.versions_dir)


def switch_to(settings: Settings, version: str) -> None:
    """Make a version current by one rename: readers that opened the old one keep it, new ones see the new one."""
    temporary = settings.current.with_name(f".current-{os.getpid()}")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(Path("versions") / version)
    temporary.replace(settings.current)
    _bring_folder_to_disk(settings.current.parent)


def finish_pending(settings: Settings) -> None:
    """Do what follows the switch: the state, the history, the mark on the build. Doing it twice changes nothing."""
    pending = read_pending(settings)
    if pending is None:
        return
    sync_state(settings)
    version, moment = pending["version"], datetime.fromisoformat(pending["at"])
    record_outcome(settings, outcome=PUBLISHED, reason="", run_id=pending["run_id"], now=moment, version=version)
    try:
        if current_build(settings).version == version:
            mark_published(settings, now=moment)
    except BuildError:
        pass  # the build was replaced since
    _pending_file(settings).unlink()


def abandon_pending(settings: Settings) -> None:
    """Remove what a publishing run left that did not get to the switch."""
    pending = read_pending(settings)
    if pending is None:
        return
    if pending["version"] != current_version(settings):
        remove_version(settings, pending["version"])
    _remove_partials(settings)
    _pending_file(settings).unlink()


def clean_up(settings: Settings) -> None:
    """Mend what killed runs left: finish or undo a publication, remove partial folders and abandoned temp data.

    Call it with the run lock held, when a run starts.
    """
    pending = read_pending(settings)
    if pending is not None:
        if pending["version"] == current_version(settings):
            finish_pending(settings)
        else:
            abandon_pending(settings)
    _remove_partials(settings)
    remove_abandoned(settings.temp_dir)


def prune_versions(settings: Settings) -> list[str]:
    """Remove the oldest versions beyond `keep_versions`, never the current one; returns their names."""
    current = current_version(settings)
    kept = set(version_names(settings)[-settings.keep_versions :]) | {current}
    removed = [name for name in version_names(settings) if name not in kept]
    for name in removed:
        remove_version(settings, name)
    return removed


def remove_version(settings: Settings, version: str) -> None:
    """Take a version away: out of sight by one rename, then from the disk. A missing one is fine."""
    folder, partial = settings.versions_dir / version, partial_folder(settings, version)
    if folder.exists():
        remove_folder(partial)
        folder.rename(partial)
    remove_folder(partial)


def roll_back(settings: Settings, version: str, *, reason: str, now: datetime) -> None:
    """Make a kept version current again, and withdraw all audiences until the next audited build is published.

    Withdrawing is, beside erasure, the one change that a published version ever sees: the folder `audiences/` of every
    kept version is removed before the switch, so that nobody mails from a version that is wrong, or from exclusions
    that are out of date. The tables of audiences stay as the record of what was exported. Customer ids stay
    resolvable: the state keeps what newer versions have issued.

    Raises:
        LockedError: a run is active.
        RefusedError: no such version is kept, it is current already, or no reason is given.
    """
    with hold(settings):
        clean_up(settings)
        previous, kept = current_version(settings), version_names(settings)
        if not reason.strip():
            raise RefusedError("A rollback needs a reason; give one with --reason.")
        if version not in kept:
            raise RefusedError(
                f"There is no version '{version}' to go back to; kept are: {', '.join(reversed(kept)) or 'none'}."
            )
        if version == previous:
            raise RefusedError(f"Version {version} is current already; nothing was changed.")
        for name in kept:
            _withdraw_audiences(settings, name)
        switch_to(settings, version)
        record_outcome(
            settings,
            outcome=ROLLED_BACK,
            reason=reason.strip(),
            run_id=f"rollback-{now:%Y%m%dT%H%M%S%f}",
            now=now,
            version=version,
        )


def remove_folder(folder: Path) -> None:
    """Remove a folder whose parts may be read-only. A missing one is fine."""
    if not folder.exists():
        return
    folder.chmod(0o700)
    for path in folder.rglob("*"):
        if path.is_dir():
            path.chmod(0o700)
    shutil.rmtree(folder)


def _withdraw_audiences(settings: Settings, version: str) -> None:
    folder = settings.versions_dir / version
    if not (folder / "audiences").exists():
        return
    away = partial_folder(settings, f"{version}.audiences")
    remove_folder(away)
    folder.chmod(0o755)
    try:
        (folder / "audiences").chmod(0o700)  # a folder that moves must be writable itself
        (folder / "audiences").rename(away)
    finally:
        folder.chmod(0o555)
    remove_folder(away)


def _remove_partials(settings: Settings) -> None:
    if settings.versions_dir.is_dir():
        for folder in settings.versions_dir.glob(".*.partial"):
            remove_folder(folder)
        for link in settings.current.parent.glob(".current-*"):
            link.unlink()


def _pending_file(settings: Settings) -> Path:
    return settings.versions_dir.parent / "pending.json"


def _bring_folder_to_disk(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
