"""Values carried from one run to the next, because the library that makes or judges them is slow.

A cache and nothing else: without it, or with a damaged one, the results are the same and only later. It is written anew
by every run with the values of that run, so it holds nothing that the sources do not hold any more.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pipelines.errors import WarehouseError
from pipelines.warehouse import connect

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow

    from pipelines.settings import Settings

CACHE_FOLDER = "cache"


def cache_file(settings: Settings, kind: str) -> Path:
    """`kind` is what is remembered, such as `phones`."""
    return settings.data_dir / CACHE_FOLDER / f"{kind}.duckdb"


def load_values(settings: Settings, kind: str, library_version: str) -> pyarrow.Table | None:
    """The values of this kind that this version of the library has seen before, or None."""
    file = cache_file(settings, kind)
    if not file.exists():
        return None
    try:
        with connect(file, settings, read_only=True) as connection:
            return connection.execute(
                "select * exclude (library_version) from remembered where library_version = $1", [library_version]
            ).to_arrow_table()
    except WarehouseError:
        return None  # damaged or of another form; this run replaces it


def save_values(settings: Settings, kind: str, library_version: str, values: pyarrow.Table) -> None:
    """Replace the cache by `values`, all of this run. A cache that cannot be written is no failure."""
    file = cache_file(settings, kind)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = file.with_suffix(f".{os.getpid()}")
    try:
        with connect(new, settings) as connection:
            connection.register("current_values", values)
            connection.execute(
                "create table remembered as select $1 as library_version, * from current_values", [library_version]
            )
        new.replace(file)
    except WarehouseError:
        new.unlink(missing_ok=True)
