"""The one documented way in: a read-only session on one published version, whatever is published meanwhile.

Add here what a reader needs to be safe. Queries belong to the readers.
"""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from pipelines import warehouse
from pipelines.errors import BuildError, WarehouseError
from pipelines.settings import PROJECT_DIR

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from rich.console import Console

    from pipelines.settings import Settings

EXAMPLE = "select country, count(*) as customers from marts.customers group by country order by customers desc"


@contextmanager
def open_reader(settings: Settings, *, restricted: bool = False) -> Iterator[DuckDBPyConnection]:
    """A connection in memory that has the current version attached read-only and in use.

    The link is resolved once, so the session stays on one version. Spilled data goes to a folder of the session's own:
    readers that share one destroy each other's.

    Raises:
        BuildError: nothing is published, or this user may not read the restricted file.
    """
    with open_files(settings, *(("restricted",) if restricted else ()), "warehouse") as connection:
        yield connection


@contextmanager
def open_files(settings: Settings, *names: str) -> Iterator[DuckDBPyConnection]:
    """The same over several files of the current version: `warehouse`, `restricted`, `state`; the first is in use.

    A table is found in whichever of them it is: `marts.customers` needs no name of a file.

    Raises:
        BuildError: nothing is published, or this user may not read one of the files.
    """
    version = settings.current.resolve()
    files = {name: version / f"{name}.duckdb" for name in names}
    for file in files.values():
        if not file.exists():
            raise BuildError(f"Nothing is published in {settings.data_dir}; run `kundenstamm run` first.")
        if not os.access(file, os.R_OK):
            raise BuildError(f"This user may not read {file}; ask its owner, or read without the identifiers.")
    temp_dir = Path(tempfile.gettempdir())  # readers need no right to write into the data folder
    with warehouse.connect(None, settings, attach=files, temp_dir=temp_dir) as connection:
        warehouse.search_catalogs(connection, names)
        yield connection


def reader_command(settings: Settings) -> str:
    """A command line that can be pasted and shows the customers by country."""
    is_default = settings.data_dir == PROJECT_DIR / ".data"
    where = "" if is_default else f' --data "{settings.data_dir}"'
    return f'{shown_program()} sql{where} "{EXAMPLE}"'


def shown_program() -> Path:
    """How the command is typed from here."""
    program = PROJECT_DIR / ".venv" / "bin" / "kundenstamm"
    return program.relative_to(Path.cwd()) if program.is_relative_to(Path.cwd()) else program


def run_reader(settings: Settings, query: str | None, *, restricted: bool, console: Console) -> None:
    """Run one query and show its rows, or without a query read queries from the terminal until its end.

    Raises:
        BuildError: nothing is published.
        WarehouseError: the single query failed; in a session the next one can be tried.
    """
    with open_reader(settings, restricted=restricted) as connection:
        if query is not None:
            if not _show(connection, query, console):
                raise WarehouseError("The query was not carried out; the engine's words are above.")
            return
        console.print(f"Version {settings.current.resolve().name}, read-only. End a query with ; and all with Ctrl-D.")
        for typed in _read_queries(console):
            _show(connection, typed, console)


def write_rows(settings: Settings, query: str, file: IO[str], *, restricted: bool) -> None:
    """Write all rows and columns of one query as CSV, with the engine's own spelling of every value.

    Raises:
        BuildError: nothing is published.
        WarehouseError: the query failed, with the engine's own words about it.
    """
    import duckdb

    asked = query.strip().rstrip(";")
    with open_reader(settings, restricted=restricted) as connection:
        try:
            rows = connection.execute(f"select cast(columns(*) as varchar) from (\n{asked}\n)")
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow([column[0] for column in rows.description or ()])
            while batch := rows.fetchmany(10_000):
                writer.writerows(batch)
        except duckdb.Error as error:
            raise WarehouseError(f"The query was not carried out: {error}") from None


def _read_queries(console: Console) -> Iterator[str]:
    """Every query typed or pasted, over as many lines as it has; the last one needs no semicolon."""
    query = ""
    while True:
        try:
            line = console.input("...> " if query else "sql> ")
        except KeyboardInterrupt:
            return
        except EOFError:
            if query:
                yield query
            return
        query = f"{query}\n{line}".strip()
        if query.endswith(";"):
            yield query
            query = ""


def _show(connection: DuckDBPyConnection, query: str, console: Console) -> bool:
    """Print the rows, or why there are none: to readers the engine's own words about their own query help most."""
    import duckdb

    try:
        relation = connection.sql(query)
        if relation is not None:
            console.print(str(relation), markup=False, highlight=False, soft_wrap=True)
    except duckdb.Error as error:
        console.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        return False
    return True
