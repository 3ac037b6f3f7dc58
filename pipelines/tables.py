"""Tables that Python writes, in the form that suits what they hold: those of the open build, and published ones.

Add here how a column of such a table is stored. What is in a table belongs to its stage; how tables that dbt makes are
stored is said in its macro `text_compression`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from pipelines.warehouse import identifier

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# Ids and keys of single things, texts of one person each, what was corrected, and JSON: nearly every row has another.
# The engine looks for what repeats in them on every value, which is half of the time of writing a table.
_SELDOM_REPEATED = re.compile(
    r".*_(id|key|record_id|match|value)|(billing_|shipping_)?(street|email|phone)|mobile|full_name|company_name|value"
    r"|before|after|register_number"
)
# Ids and keys of what there are few of: thousands of rows name the same.
_OF_FEW = re.compile(r"(parent_)?(product|campaign|variant|deal|segment|store|rule)_.*")

# Words of closed sets in published tables; every other text is a key, or what one person is called.
_WORDS = frozenset(
    {"source_system", "entity", "kind", "field", "rule", "status", "method", "reason", "problem", "event"}
    | {"model_version"}
)


def write_table(connection: DuckDBPyConnection, table: str, query: str) -> int:
    """Replace a table of the build by the result of a query; texts that seldom repeat are stored as they are.

    Args:
        connection: open on the build, with the right to write.
        table: its path, quoted where it needs to be.
        query: a `select` that begins with no parenthesis; its column names are distinct.

    Returns:
        How many rows it has.
    """
    return _write(connection, table, query, _compression)


def write_compactly(connection: DuckDBPyConnection, table: str, query: str) -> int:
    """Replace a table of a file that is kept, as `write_table` does; every text is compressed, by what it is."""
    return _write(connection, table, query, _compact_compression)


def write_plainly(connection: DuckDBPyConnection, table: str, query: str) -> None:
    """Replace a table of a cache by the result of a query; all texts are stored as they are, which is the fastest."""
    _write(connection, table, query, lambda _, kind: "uncompressed" if kind == "VARCHAR" else "")


def write_published_table(connection: DuckDBPyConnection, table: str, query: str, *, part: str, published: str) -> None:
    """Replace a table that is published as it is: written once, in the part of the build that becomes that file.

    The build finds it by its own name, as a view. A build without parts keeps the table itself, and publishing copies
    it.

    Args:
        connection: open on the build, with the right to write.
        table: the build's own name for it, with the schema, and the catalog where that is not the current one.
        query: as for `write_table`.
        part: the catalog of the part.
        published: the name it is published under, in schema `audit`.
    """
    if write_into_part(connection, query, part=part, published=published):
        connection.execute(f"create or replace view {table} as from {part}.audit.{published}")
    else:
        write_table(connection, table, query)


def write_into_part(connection: DuckDBPyConnection, query: str, *, part: str, published: str) -> bool:
    """Replace a table that only readers of a version need, as `write_published_table` does; False without parts."""
    schema = "select 1 from duckdb_schemas() where database_name = ? and schema_name = 'audit'"
    if connection.execute(schema, [part]).fetchone() is None:
        return False
    write_compactly(connection, f"{part}.audit.{published}", query)
    return True


def _write(connection: DuckDBPyConnection, table: str, query: str, compression_of: Callable[[str, str], str]) -> int:
    described = connection.execute(f"describe {query}").fetchall()
    declared = ((name, kind, compression_of(name, kind)) for name, kind, *_ in described)
    columns = ", ".join(
        f"{identifier(n)} {kind}{f' using compression {how}' if how else ''}" for n, kind, how in declared
    )
    connection.execute(f"create or replace table {table} ({columns})")
    row = connection.execute(f"insert into {table} {query}").fetchone()
    return int(row[0]) if row else 0


def _compression(name: str, kind: str) -> str:
    repeats_seldom = kind == "JSON" or (
        kind == "VARCHAR" and _SELDOM_REPEATED.fullmatch(name) and not _OF_FEW.fullmatch(name)
    )
    return "uncompressed" if repeats_seldom else ""


def _compact_compression(name: str, kind: str) -> str:
    if kind != "VARCHAR":
        return ""
    return "dictionary" if name in _WORDS else "fsst"
