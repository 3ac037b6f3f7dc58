"""Put one version together in a folder of its own, complete and read-only, before anybody can see it.

Add here what a version consists of. Which version readers see is decided in `switch`.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines import warehouse
from pipelines.build import Build, read_steps, to_utc
from pipelines.publish import state
from pipelines.publish.copying import (
    PARTS,
    ListedTable,
    copy_identity,
    copy_tables,
    read_listed_tables,
    take_part,
)
from pipelines.publish.integrity import describe_files

if TYPE_CHECKING:
    from pipelines.configuration import Configuration
    from pipelines.settings import Settings

SOFTWARE = (
    "kundenstamm",
    "dagster",
    "dbt-core",
    "dbt-duckdb",
    "duckdb",
    "great-expectations",
    "phonenumbers",
    "splink",
)


def assemble_version(
    settings: Settings,
    configuration: Configuration,
    build: Build,
    folder: Path,
    *,
    verdict: Mapping[str, Any],
    now: datetime,
    run_id: str,
) -> None:
    """Fill `folder`, which must not exist: the three database files, audiences, report, manifest; all on the disk.

    Raises:
        BuildError: what was built differs from `meta.columns`, or a copy from the build.
        WarehouseError: the engine failed, for instance because the disk is full.
        OSError: a file could not be written.
    """
    tables = read_listed_tables(settings)
    watermarks = read_build_watermarks(settings)
    row = {
        "version": build.version,
        "build_id": build.build_id,
        "run_id": run_id,
        "company": build.company,
        "created_at": to_utc(now),
        "as_of": build.as_of,
        "base_version": build.base_version,
        "configuration_digest": build.config_digest,
        "watermarks": _as_json(watermarks),
        "verdict": _as_json(verdict),
        "software": _as_json(software_versions()),
    }
    folder.mkdir(mode=0o700)
    counts = _copy_files(settings, folder, tables, row)
    identity = copy_identity(settings, folder / "state.duckdb", state.IDENTITY)
    _export_audiences(settings, folder)
    if (settings.build_dir / "report").is_dir():
        shutil.copytree(settings.build_dir / "report", folder / "report")
    manifest = {
        **row,
        "watermarks": watermarks,
        "verdict": verdict,
        "software": software_versions(),
        "configuration": configuration.as_dict(),
        "tables": {t.full_name: {"file": t.file, "row_count": counts[t.full_name]} for t in tables},
        "state": {name: {"row_count": count} for name, count in identity.items()},
        "files": describe_files(folder),
        "runs": {name: record.run_id for name, record in sorted(read_steps(settings).items())},
    }
    (folder / "manifest.json").write_text(_as_json(manifest, indent=2), encoding="utf-8")
    _protect(folder)


def _copy_files(
    settings: Settings, folder: Path, tables: Sequence[ListedTable], version_row: Mapping[str, object]
) -> dict[str, int]:
    """The file for everybody and the one with identifiers; each table is in one of them. Row counts by full name.

    Side by side: much of it waits for the disk or uses one core.
    """
    each = settings.share_memory(len(PARTS))

    def copy(file: str) -> dict[str, int]:
        target, chosen = folder / f"{file}.duckdb", [table for table in tables if table.file == file]
        take_part(each, PARTS[file], target, chosen)
        found = copy_tables(each, target, chosen, version_row)
        _bring_to_disk(target)
        return found

    with ThreadPoolExecutor(max_workers=len(PARTS)) as beside:
        return {name: count for found in beside.map(copy, PARTS) for name, count in found.items()}


def read_build_watermarks(settings: Settings) -> dict[str, str]:
    """Per source, when its newest load in the open build was landed (ISO 8601, UTC)."""
    with warehouse.connect(settings.build_warehouse, settings, read_only=True) as connection:
        rows = connection.execute(
            "select source_system, max(loaded_at) from raw.reconciliation "
            "where loaded_at is not null group by all order by source_system"
        ).fetchall()
    return {source: loaded_at.isoformat() for source, loaded_at in rows}


def software_versions() -> dict[str, str]:
    """Versions of the programs that decide what a build contains."""
    return {"python": platform.python_version()} | {name: metadata.version(name) for name in SOFTWARE}


def _export_audiences(settings: Settings, folder: Path) -> None:
    from pipelines.activate import export_audiences

    (folder / "audiences").mkdir()
    files = {file: folder / f"{file}.duckdb" for file in PARTS}
    with warehouse.connect(None, settings, attach=files) as connection:
        warehouse.search_catalogs(connection, tuple(files))
        export_audiences(connection, folder / "audiences")


def _protect(folder: Path) -> None:
    """Bring every file to the disk, then take the right to write: to the group only what holds identifiers."""
    for path in sorted(folder.rglob("*"), reverse=True):
        private = path.name in {"restricted.duckdb", "state.duckdb"} or "audiences" in path.relative_to(folder).parts
        _bring_to_disk(path)
        if path.is_dir():
            path.chmod(0o550 if private else 0o555)
        else:
            path.chmod(0o440 if private else 0o444)
    _bring_to_disk(folder)
    folder.chmod(0o555)


def _bring_to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _as_json(value: object, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent, default=_plain)


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
