"""Tables of the open build, written in the form that suits what they hold.

Add here how a column of a table that only this program reads is stored. What is in a table belongs to its stage; how
published tables are stored is said in dbt's macro `text_compression`.
"""

from __future__ import annotations

import re
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


def write_table(connection: DuckDBPyConnection, table: str, query: str) -> int:
    """Replace a table of the build by the result of a query; texts that seldom repeat are stored as they are.

    Args:
        connection: open on the build, with the right to write.
        table: its path, quoted where it needs to be.
        query: a `select` that begins with no parenthesis; its column names are distinct.

    Returns:
        How many rows it has.
    """
    described = connection.execute(f"describe {query}").fetchall()
    columns = ", ".join(f"{identifier(name)} {kind}{_compression(name, kind)}" for name, kind, *_ in described)
    connection.execute(f"create or replace table {table} ({columns})")
    row = connection.execute(f"insert into {table} {query}").fetchone()
    return int(row[0]) if row else 0


def _compression(name: str, kind: str) -> str:
    repeats_seldom = kind == "JSON" or (
        kind == "VARCHAR" and _SELDOM_REPEATED.fullmatch(name) and not _OF_FEW.fullmatch(name)
    )
    return " using compression uncompressed" if repeats_seldom else ""
