"""The only place that opens DuckDB connections.

Add here what every connection must obey: limits, temp folder, no downloads, errors as sentences without values.
Queries and table definitions do not belong here.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.errors import WarehouseError
from pipelines.files import brought_to_disk_meanwhile
from pipelines.scratch import scratch_folder

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection, Error

    from pipelines.settings import Settings

# Schemas of build/warehouse.duckdb, in the order of the stages.
SCHEMAS = ("config", "raw", "staging", "clean", "identity", "intermediate", "marts", "activation", "meta")
PUBLISHED_SCHEMAS = ("marts", "activation", "audit", "meta")
# The open build has a file for each file of a version, in which the tables that go there are built, beside its own, and
# one for what only later models read: nobody judges or publishes that, so nobody hashes it.
# By catalog: the schemas that a part of the build has in common with the build's own file.
OWN, SHARED, RESTRICTED, INTERIM = "warehouse", "shared", "restricted", "interim"
PART_SCHEMAS = {
    SHARED: ("marts", "activation", "audit"),
    RESTRICTED: ("marts", "audit"),
    INTERIM: ("intermediate",),
}
# Form of a file that nobody but this program reads: texts take a seventh less of time and space than in the form that
# published files keep, because older readers know it.
OWN_STORAGE, PUBLISHED_STORAGE = "v1.5.0", "v0.10.2"
# The open build keeps no log: what a connection wrote is brought to the disk once, when it is closed, and not at every
# commit. A step that is killed leaves the build as it was before, and is known to be unfinished.
WITHOUT_LOG = "recovery_mode no_wal_writes"


def engine_options(settings: Settings) -> dict[str, str | int | bool]:
    """DuckDB's settings for every connection, also those that dbt, Splink and Great Expectations open."""
    return {
        "memory_limit": settings.memory_limit,
        "threads": settings.threads,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }


@contextmanager
def connect(
    path: Path | None,
    settings: Settings,
    *,
    read_only: bool = False,
    attach: Mapping[str, Path] | None = None,
    temp_dir: Path | None = None,
    storage: str | None = None,
) -> Iterator[DuckDBPyConnection]:
    """Open one connection, close it in the end, and turn every engine error into a sentence.

    With the open build come its parts: `marts.customers` is found in whichever file it is. A table that is made without
    naming the file goes into the build's own, so that nothing personal gets into the shared one.

    Args:
        path: the file to open, or None for an in-memory database.
        settings: limits and folders.
        read_only: open `path` without the right to write.
        attach: further files by catalog name, always attached read-only.
        temp_dir: where the connection makes the folder it spills into; by default the data folder's own.
        storage: the oldest version of DuckDB that must read a file that is made here; by default one of long ago.

    Raises:
        WarehouseError: for every error of the engine; the original text, which may hold values, goes to
            `build/errors.log` (mode 0600) and nowhere else.
    """
    import duckdb

    writes_build = path == settings.build_warehouse and not read_only
    written = written_files(settings) if writes_build else [path] if path and not read_only else []
    try:
        with brought_to_disk_meanwhile(written), scratch_folder(temp_dir or settings.temp_dir) as spill:
            connection = duckdb.connect(
                str(path) if path and not writes_build else ":memory:",
                read_only=read_only,
                config={
                    **engine_options(settings),
                    "temp_directory": str(spill),
                    **({"storage_compatibility_version": storage} if storage else {}),
                },
            )
            try:
                connection.execute("set TimeZone = 'UTC'")  # an option of an extension, unknown while connecting
                if writes_build:  # how a file is written can only be said when it is attached
                    version = f", storage_version {literal(storage)}" if storage else ""
                    connection.execute(f"attach {literal(path)} as {OWN} ({WITHOUT_LOG}{version})")
                    connection.execute(f"use {OWN}")
                for name, file in (attach or {}).items():
                    connection.execute(f"attach {literal(file)} as {identifier(name)} (read_only)")
                if path == settings.build_warehouse:
                    attach_parts(
                        lambda sql: connection.execute(sql).fetchall(), build_parts(settings), read_only=read_only
                    )
                yield connection
            finally:
                connection.close()
    except duckdb.Error as error:
        log_privately(settings, error)
        raise WarehouseError(sentence(error, path)) from None
    except RuntimeError as error:
        if isinstance(error.__cause__, Exception | None):
            raise
        raise error.__cause__ from None  # an interrupt, which DuckDB takes for an error of its own


def part_files(settings: Settings) -> dict[str, Path]:
    """Where the parts of the open build are, by catalog."""
    return {
        SHARED: settings.build_shared,
        RESTRICTED: settings.build_restricted,
        INTERIM: settings.build_interim,
    }


def written_files(settings: Settings) -> list[Path]:
    """All files that a connection with the right to write may write when it opens the build."""
    return [settings.build_warehouse, *part_files(settings).values()]


def build_parts(settings: Settings) -> dict[str, Path]:
    """The parts of the open build that are there, by catalog. A build that dbt has not run on may have none."""
    return {catalog: file for catalog, file in part_files(settings).items() if file.exists()}


def create_parts(connection: DuckDBPyConnection, settings: Settings) -> None:
    """Make the parts of a new build, with their schemas, through the connection on its own file."""
    for part, file in part_files(settings).items():
        storage = OWN_STORAGE if part == INTERIM else PUBLISHED_STORAGE
        connection.execute(f"attach {literal(file)} as {part} (storage_version {literal(storage)})")
        for schema in PART_SCHEMAS[part]:
            connection.execute(f"create schema {part}.{identifier(schema)}")
        connection.execute(f"detach {part}")


def attach_parts(run: Callable[[str], list[tuple[str, str]]], parts: Mapping[str, Path], *, read_only: bool) -> None:
    """Add the parts of a build to a connection on its own file, for every program that opens the build.

    Args:
        run: runs one statement and returns its rows.
        parts: what `build_parts` says.
        read_only: attach them without the right to write.
    """
    for catalog, file in parts.items():
        run(f"attach if not exists {literal(file)} as {catalog} ({'read_only' if read_only else WITHOUT_LOG})")
    if parts:  # the build's own comes first: what is made goes there
        _search(run, (OWN, *parts), sorted({schema for part in parts for schema in PART_SCHEMAS[part]}))


def search_catalogs(connection: DuckDBPyConnection, catalogs: Sequence[str]) -> None:
    """Let `schema.table` be found in whichever of these files of a version it is; the first is in use."""
    _search(lambda sql: connection.execute(sql).fetchall(), catalogs, PUBLISHED_SCHEMAS)


def _search(run: Callable[[str], list[tuple[str, str]]], catalogs: Sequence[str], schemas: Sequence[str]) -> None:
    """Look for tables of these schemas in these catalogs, of which each need not have all, in this order."""
    there = set(run("select database_name, schema_name from duckdb_schemas()"))
    searched = [(catalog, schema) for schema in schemas for catalog in catalogs if (catalog, schema) in there]
    path = ",".join(f"{catalog}.{schema}" for catalog, schema in [(catalogs[0], "main"), *searched])
    run(f"set search_path = {literal(path)}")


def sentence(error: Error, path: Path | None = None) -> str:
    """Say what an engine error means without repeating a value from it."""
    where = f" in {path.name}" if path else ""
    text = str(error)
    if "Conflicting lock" in text or "Could not set lock" in text:
        return f"The database file{where} is in use by another process. Wait for it to end, then start again."
    if any(words in text for words in ("No space left", "File too large", "Disk quota exceeded", "max_temp_directory")):
        return f"The disk is full{where}; what is published is untouched. Free space, then start again."
    if "ermission denied" in text or "Read-only file system" in text:
        return f"Writing{where} is not permitted. Check who owns the data folder and its permissions."
    kind = type(error).__name__.removesuffix("Exception")
    meaning = {
        "OutOfMemory": "the memory limit was reached; raise KUNDENSTAMM_MEMORY_LIMIT",
        "Conversion": "a value does not fit the type of its column",
        "OutOfRange": "a value is outside the range of its type",
        "InvalidInput": "an input has the wrong form",
        "Constraint": "a constraint of a table was violated",
        "Catalog": "a table or column is missing; run the steps before this one first",
        "Binder": "a table or column is missing; run the steps before this one first",
        "Parser": "a statement is not valid SQL",
        "Serialization": "the file was written by another version of DuckDB",
        "IO": "a file could not be read or written",
    }.get(kind, "the database engine reported an error")
    return f"{kind} error{where}: {meaning}. The engine's own words are in build/errors.log."


def log_privately(settings: Settings, error: BaseException) -> None:
    """Append the full error to `build/errors.log`, readable by its owner only. It may hold personal data.

    Never fails itself: on a full disk the sentence matters more than the log.
    """
    with suppress(OSError):
        settings.build_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(settings.build_dir / "errors.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "a", encoding="utf-8") as log:
            log.write(f"--- {datetime.now(UTC).isoformat()}\n")
            log.writelines(traceback.format_exception(error))


def identifier(name: str) -> str:
    """Quote a name for SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: object) -> str:
    """Quote a value as an SQL text literal."""
    return "'" + str(value).replace("'", "''") + "'"


def names_of_tables(connection: DuckDBPyConnection) -> set[str]:
    """What can be read as `schema.table` of all files of the connection: tables, and views that stand for one."""
    query = "select table_schema || '.' || table_name from information_schema.tables"
    return {name for (name,) in connection.execute(query).fetchall()}


def insert_rows(connection: DuckDBPyConnection, table: str, rows: Sequence[Sequence[object]]) -> None:
    """Append rows, given by position, with one statement; `executemany` commits each, three milliseconds a row.

    Args:
        connection: with the right to write.
        table: its quoted path.
        rows: all as wide as the table.
    """
    if not rows:
        return
    columns = [list(column) for column in zip(*rows, strict=True)]
    values = ", ".join(f"unnest(${position})" for position in range(1, len(columns) + 1))
    connection.execute(f"insert into {table} select {values}", columns)
