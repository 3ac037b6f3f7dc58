"""What earlier versions left behind, read into the tables that a resolution starts from.

Add here how a kept table is read. What is kept, and when, is decided in `pipelines.publish.state`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipelines.warehouse import identifier, literal

if TYPE_CHECKING:
    from pathlib import Path

    from duckdb import DuckDBPyConnection


@contextmanager
def attached_state(connection: DuckDBPyConnection, files: Mapping[str, Path]) -> Iterator[None]:
    """The files, by catalog, to be read; those that are there."""
    there = {catalog: file for catalog, file in files.items() if file.exists()}
    for catalog, file in there.items():
        connection.execute(f"attach {literal(file)} as {catalog} (read_only)")
    try:
        yield
    finally:
        for catalog in there:
            connection.execute(f"detach {catalog}")


def show_table(connection: DuckDBPyConnection, catalog: str, table: str, target: str, columns: str) -> None:
    """Make `target` a view of these columns of `table`, in whatever schema of the catalog; empty where it is absent."""
    found = connection.execute(
        "select schema_name from duckdb_tables() where database_name = ? and table_name = ? order by schema_name",
        [catalog, table],
    ).fetchone()
    connection.execute(f"create table {target} ({columns})")
    if found:
        names = ", ".join(identifier(str(name)) for (name, *_) in connection.execute(f"describe {target}").fetchall())
        connection.execute(
            f"drop table {target}; create view {target} as select {names} "
            f"from {catalog}.{identifier(str(found[0]))}.{identifier(table)}"
        )


def copy_table(
    connection: DuckDBPyConnection, file: Path, table: str, target: str, *, renamed: Mapping[str, str] | None = None
) -> None:
    """Fill `target` with its columns of `table`, in whatever schema of `file` that is; nothing when either is absent.

    `renamed` says which word in the names of the target's columns is another one in the file.
    """
    if not file.exists():
        return
    connection.execute(f"attach {literal(file)} as published_state (read_only)")
    try:
        found = connection.execute(
            "select schema_name from duckdb_tables() where database_name = 'published_state' and table_name = ? "
            "order by schema_name",
            [table],
        ).fetchone()
        if found:
            columns = [str(name) for (name, *_) in connection.execute(f"describe {target}").fetchall()]
            for word, other in (renamed or {}).items():
                columns = [name.replace(word, other) for name in columns]
            source = f"published_state.{identifier(found[0])}.{identifier(table)}"
            chosen = ", ".join(identifier(name) for name in columns)
            connection.execute(f"insert into {target} select {chosen} from {source}")
    finally:
        connection.execute("detach published_state")
