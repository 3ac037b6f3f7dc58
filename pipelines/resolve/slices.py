"""Slices: rows of the kept tables over which a phase is called in a night, and what replaces the old ones.

Change here how rows are set aside and put back. Which rows a phase needs is said in `increments`.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipelines.resolve.kept import KEPT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from duckdb import DuckDBPyConnection


class Slices:
    """A connection on the scratch catalog, whose own schema is `main`; `part` is the schema of a slice."""

    def __init__(self, connection: DuckDBPyConnection, main: str) -> None:
        self.connection = connection
        self.main = main
        self.part = main.replace(".main", ".slice")

    def run(self, statements: str) -> None:
        self.connection.execute(statements)

    def count(self, table: str) -> int:
        row = self.connection.execute(f"select count(*) from {table}").fetchone()
        return int(row[0]) if row else 0

    def distinct(self, table: str, column: str) -> list[int]:
        rows = self.connection.execute(f"select distinct {column} from {table} order by {column}").fetchall()
        return [int(value) for (value,) in rows]

    @contextmanager
    def slice(self, **rows: str) -> Iterator[None]:
        """A schema with these rows, by table, in which what is created shadows what is kept."""
        self.run(f"create schema {self.part}; set search_path = '{self.part},{self.main}'")
        try:
            for table, query in rows.items():
                self.run(f"create table {self.part}.{table} as {query}")
            yield
        finally:
            self.run(f"set search_path = '{self.main}'; drop schema {self.part} cascade")

    def replace(self, table: str, touched: str, columns: str = "*") -> None:
        """Put what the slice has of a table in the place of its kept rows that are `touched`, SQL over its columns."""
        self.run(
            f"delete from {KEPT}.{table} where {touched}; "
            f"insert into {KEPT}.{table} by name select {columns} from {self.part}.{table}"
        )

    def add(self, table: str, key: str) -> None:
        """Add the rows of the slice whose key is not kept yet; equal keys say the same."""
        self.run(f"insert into {KEPT}.{table} by name from {self.part}.{table} anti join {KEPT}.{table} using ({key})")
