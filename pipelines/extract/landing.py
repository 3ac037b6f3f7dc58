"""The landing file of one source: its tables, whose it is, what was read last, and the record of every load.

Add a table here when something must be kept beside the landed rows. Comparing deliveries belongs into `changes`.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pipelines.configuration import Configuration, SourceConfig
from pipelines.entities import SYSTEM_COLUMNS, Column, Entity
from pipelines.errors import SourceError
from pipelines.extract.fields import landed_columns
from pipelines.extract.files import DeliveredFile
from pipelines.extract.report import COUNT_NAMES, Counts
from pipelines.settings import Settings
from pipelines.warehouse import OWN_STORAGE, connect, identifier, literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# Part of the cursor: raise it when the same file would be landed differently than before.
CONTRACT_VERSION = 1
LAYOUT_VERSION = "1"

RECORD_COLUMNS = "identifiers JSON, custom JSON"
LANDED_COLUMNS = "_absent_since TIMESTAMP, _valid_from TIMESTAMP, _loaded_at TIMESTAMP, _run_id VARCHAR"
# A landed row that is no longer live: deleted or merged at the source, or absent from a full delivery.
IS_GONE = "(deleted_at is not null or merged_into_record_id is not null or _absent_since is not null)"

_TABLES = {
    "meta": "company text, source_system text, layout_version text",
    "cursors": "entity text, files json, contract text, load_id bigint",
    "read_files": "entity text, name text, size bigint, sha256 text, stamp text, contract text, load_id bigint",
    "positions": "entity text, position json, contract text, load_id bigint",
    "failures": "entity text, run_id text, failed_at timestamp, message text",
    "rejects": "entity text, source_record_id text, occurrence bigint, field text, value_class text, reason text, "
    "record json, record_hash text, run_id text, rejected_at timestamp, resolved_at timestamp, resolution text, "
    "file text",
    "loads": "load_id bigint, entity text, run_id text, loaded_at timestamp, seconds double, status text, "
    + ", ".join(f"{name}_count bigint" for name in COUNT_NAMES)
    + ", live_count bigint, control_amounts json, files json, detected json, unmapped json, approved_shrink text, "
    "message text",
}

_open: list[DuckDBPyConnection] = []
_guard = threading.Lock()


@contextmanager
def open_landing(
    settings: Settings, configuration: Configuration, source: SourceConfig
) -> Iterator[DuckDBPyConnection]:
    """The landing file of a source, made on first use.

    Raises:
        SourceError: when the folder cannot be written, or the file belongs to another company.
    """
    for folder in (settings.landing_dir, settings.temp_dir):
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise SourceError(
                f"{source.name}: the data folder {folder} cannot be written ({error.strerror}); correct its "
                f"permissions or set KUNDENSTAMM_DATA_DIR."
            ) from None
    with connect(settings.landing_file(source.name), settings, storage=OWN_STORAGE) as connection:
        with _guard:
            _open.append(connection)
        try:
            _claim(connection, configuration, source)
            yield connection
        finally:
            with _guard:  # one that is being closed must not be interrupted
                _open.remove(connection)


def interrupt_landings() -> None:
    """End the statements that run on landing files in this process, with an error; nothing of theirs is committed."""
    with _guard:
        for connection in _open:
            connection.interrupt()


def assert_same_company(company: str | None, configuration: Configuration, file_name: str) -> None:
    """Rows of another company are never mixed with this one's.

    Raises:
        SourceError: naming both.
    """
    if company is not None and company != configuration.company.name:
        raise SourceError(
            f"{file_name} holds the data of '{company}', but company.yml says '{configuration.company.name}'; "
            f"use another data folder (--data or KUNDENSTAMM_DATA_DIR) for each company."
        )


def create_entity_tables(connection: DuckDBPyConnection, entity: Entity) -> None:
    """The current table and the history of an entity; columns that the entity gained are added."""
    wanted = {c.name: str(c.type) for c in record_columns(entity)}
    definition = ", ".join(f"{identifier(n)} {t}" for n, t in wanted.items()) + f", {RECORD_COLUMNS}, {LANDED_COLUMNS}"
    for table, extra in ((entity.name, ""), (f"{entity.name}_history", ", _valid_to TIMESTAMP")):
        connection.execute(f"create table if not exists {identifier(table)} ({definition}{extra})")
        present = column_names(connection, table)
        for name, kind in wanted.items():
            if name not in present:
                connection.execute(f"alter table {identifier(table)} add column {identifier(name)} {kind}")


def record_columns(entity: Entity) -> tuple[Column, ...]:
    """The canonical columns of a landed row, the id first."""
    return (SYSTEM_COLUMNS[0], *entity.columns, *SYSTEM_COLUMNS[1:])


def content_hash(entity: Entity, present: Collection[str], table: str | None = None) -> str:
    """SQL for a hash of what a record of an entity says, to be compared with others of the same statement only.

    `present` are the columns that are there, in `table` where that has to be said; what is not there is empty.
    """
    types: dict[str, str] = {column.name: column.type for column in record_columns(entity)[1:]}
    types |= {"identifiers": "VARCHAR", "custom": "VARCHAR"}
    of = f"{table}." if table else ""
    values = [f"{of + identifier(name) if name in present else 'null'}::{kind}" for name, kind in types.items()]
    return f"hash({', '.join(values)})"


def column_names(connection: DuckDBPyConnection, table: str) -> list[str]:
    """Column names of one table of this connection, which must be there.

    Asked ten times per load: `duckdb_columns()` takes ten times as long, because it lists all tables that are attached.
    """
    rows = connection.execute(f"select name from pragma_table_info({literal(table)}) order by cid").fetchall()
    return [name for (name,) in rows]


def contract_digest(configuration: Configuration, source: SourceConfig, entity: Entity) -> str:
    """SHA-256 of everything but the files that decides what is landed."""
    config = source.entities[entity.name]
    parts = {
        "version": CONTRACT_VERSION,
        "entity": config.model_dump(
            mode="json", by_alias=True, exclude={"path", "references", "format"}, exclude_none=True
        ),
        "format": source.format_of(entity.name).model_dump(mode="json"),
        "time_zone": configuration.company.time_zone,
        "columns": [(c.name, c.type) for c in landed_columns(entity, config)],
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def fingerprints(files: list[DeliveredFile]) -> str:
    """The files as the cursor keeps them: name, size and SHA-256, and the stamp of an object."""
    return json.dumps(
        [{"name": f.name, "size": f.size, "sha256": f.sha256, **({"stamp": f.stamp} if f.stamp else {})} for f in files]
    )


def is_read_already(connection: DuckDBPyConnection, entity: Entity, files: list[DeliveredFile], contract: str) -> bool:
    """Whether exactly these files were landed last, under the same mapping, format and contract."""
    row = connection.execute("select files::varchar, contract from cursors where entity = $1", [entity.name]).fetchone()
    if row is None or row[1] != contract:
        return False
    return [(f["name"], f["size"], f["sha256"]) for f in json.loads(row[0])] == [
        (f.name, f.size, f.sha256) for f in files
    ]


def read_contents(connection: DuckDBPyConnection, entity_name: str, contract: str) -> dict[str, str | None]:
    """SHA-256 and last stamp of the files of increments that were landed under this mapping."""
    rows = connection.execute(
        "select sha256, arg_max(stamp, load_id) from read_files where entity = $1 and contract = $2 group by sha256",
        [entity_name, contract],
    ).fetchall()
    return dict(rows)


def known_stamps(connection: DuckDBPyConnection, entity_name: str, contract: str) -> dict[str, str]:
    """SHA-256 by stamp of the objects that were landed under this mapping: as they are, nobody fetches them again."""
    row = connection.execute(
        "select files::varchar from cursors where entity = $1 and contract = $2", [entity_name, contract]
    ).fetchone()
    found = {f["stamp"]: f["sha256"] for f in json.loads(row[0]) if f.get("stamp")} if row else {}
    contents = read_contents(connection, entity_name, contract)
    return found | {stamp: sha256 for sha256, stamp in contents.items() if stamp}


def remember_files(connection: DuckDBPyConnection, entity: Entity, files: list[DeliveredFile], contract: str) -> None:
    """Files of increments are landed once; commits together with the rows of the load that was just written."""
    rows = [(entity.name, f.name, f.size, f.sha256, f.stamp, contract) for f in files]
    if rows:
        connection.executemany(
            "insert into read_files select $1, $2, $3, $4, $5, $6, max(load_id) from loads where entity = $1", rows
        )


def last_load(connection: DuckDBPyConnection, entity_name: str) -> dict[str, Any] | None:
    """The latest load record of an entity as a mapping, with `counts`."""
    names = [f"{n}_count" for n in COUNT_NAMES]
    row = connection.execute(
        f"select {', '.join(names)}, live_count, control_amounts::varchar, detected::varchar, unmapped::varchar, "
        "loaded_at from loads where entity = $1 order by load_id desc limit 1",
        [entity_name],
    ).fetchone()
    if row is None:
        return None
    width = len(names)
    live, amounts, detected, unmapped, loaded_at = row[width:]
    return {
        "counts": Counts(*row[:width]),
        "live_count": live,
        "control_amounts": json.loads(amounts),
        "detected": json.loads(detected),
        "unmapped": json.loads(unmapped),
        "loaded_at": loaded_at,
    }


def write_load(
    connection: DuckDBPyConnection,
    entity: Entity,
    *,
    run_id: str,
    loaded_at: datetime,
    seconds: float,
    status: str,
    counts: Counts,
    live_count: int,
    control_amounts: Mapping[str, str],
    files: str,
    detected: Mapping[str, str],
    unmapped: list[dict[str, Any]],
    approved_shrink: str | None,
    message: str,
) -> None:
    """Append a load record, numbered after the last one."""
    values = (
        entity.name,
        run_id,
        loaded_at,
        seconds,
        status,
        *counts.as_dict().values(),
        live_count,
        json.dumps(dict(control_amounts)),
        files,
        json.dumps(dict(detected)),
        json.dumps(unmapped),
        approved_shrink,
        message,
    )
    connection.execute(
        f"insert into loads select coalesce(max(load_id), 0) + 1, {', '.join('?' for _ in values)} from loads", values
    )


def move_cursor(connection: DuckDBPyConnection, entity: Entity, files: list[DeliveredFile], contract: str) -> None:
    """Remember what the load that was just written has read; commits together with the rows."""
    connection.execute("delete from cursors where entity = $1", [entity.name])
    connection.execute(
        "insert into cursors select $1, $2, $3, max(load_id) from loads where entity = $1",
        [entity.name, fingerprints(files), contract],
    )


def read_position(connection: DuckDBPyConnection, entity_name: str, contract: str) -> dict[str, Any] | None:
    """Where the next read of an entity begins; None when all must be read, also after a change of the mapping."""
    row = connection.execute(
        "select position::varchar from positions where entity = $1 and contract = $2", [entity_name, contract]
    ).fetchone()
    return dict(json.loads(row[0])) if row else None


def move_position(connection: DuckDBPyConnection, entity: Entity, position: Mapping[str, Any], contract: str) -> None:
    """Remember where the next read begins; commits together with the rows of the load that was just written."""
    connection.execute("delete from positions where entity = $1", [entity.name])
    connection.execute(
        "insert into positions select $1, $2, $3, max(load_id) from loads where entity = $1",
        [entity.name, json.dumps(dict(position)), contract],
    )


def write_failure(
    connection: DuckDBPyConnection, entity_name: str, *, run_id: str, failed_at: datetime, message: str
) -> None:
    """Remember that an entity could not be read; it shows in the reconciliation until it is read again."""
    connection.execute("insert into failures values ($1, $2, $3, $4)", [entity_name, run_id, failed_at, message])


def _claim(connection: DuckDBPyConnection, configuration: Configuration, source: SourceConfig) -> None:
    connection.execute("begin")
    for table, definition in _TABLES.items():
        connection.execute(f"create table if not exists {table} ({definition})")
    _add_file_to_rejects(connection)
    row = connection.execute("select company, layout_version from meta").fetchone()
    if row is None:
        connection.execute(
            "insert into meta values ($1, $2, $3)", [configuration.company.name, source.name, LAYOUT_VERSION]
        )
    connection.execute("commit")
    if row is not None:
        file_name = f"landing/{source.name}.duckdb"
        assert_same_company(row[0], configuration, file_name)
        if row[1] != LAYOUT_VERSION:
            raise SourceError(
                f"{file_name} was written by another version of Kundenstamm (layout {row[1]}, this one needs "
                f"{LAYOUT_VERSION}); move it away and read the source again in full."
            )


def _add_file_to_rejects(connection: DuckDBPyConnection) -> None:
    """Landings of release 0.1.0 know the file of a broken line only by the line itself."""
    if "file" not in column_names(connection, "rejects"):
        connection.execute("alter table rejects add column file text")
        connection.execute("update rejects set file = record ->> 'file' where field is null and record is not null")
