"""Whether a key is unique and a reference leads somewhere, told without a table of all keys.

Counting rows by key, or looking keys up, builds a table of as many keys as there are rows, which is dear when nothing
is wrong, and nothing should be. Hashes of 64 bits are sorted instead: where no two are equal, no two keys are; where
the hash of every reference is that of a key, every reference is one: that of a reference without a key equals one of
ten million by chance once in two trillion times. Add here another way to prove what a data test asks; what only makes
it likely must not come here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pipelines.warehouse import identifier

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# Below it counting takes as little, and numpy need not be imported for it; above it the hashes, eight bytes a row and
# twice while they are fetched, would take more than half a gigabyte.
WORTHWHILE_ROWS = 100_000
FEASIBLE_ROWS = 30_000_000


def is_proven_unique(connection: DuckDBPyConnection, table: str, columns: Sequence[str], row_count: int) -> bool:
    """Whether no key repeats and none is missing in a part. False says nothing: then the keys are to be counted.

    Args:
        table: `schema.table`.
        columns: those of the key.
        row_count: rows of the table.
    """
    if not WORTHWHILE_ROWS <= row_count <= FEASIBLE_ROWS:
        return False
    hashes = _sorted_hashes(connection, table, columns)
    return len(hashes) == row_count and not bool((hashes[1:] == hashes[:-1]).any())


def is_proven_known(
    connection: DuckDBPyConnection, references: tuple[str, str], keys: tuple[str, str], row_counts: tuple[int, int]
) -> bool:
    """Whether every reference is a key; one that is missing refers to nothing. False says nothing.

    Args:
        references: table and column that refer.
        keys: table and column that are referred to.
        row_counts: rows of both.
    """
    referring, referred = row_counts
    if referring < WORTHWHILE_ROWS or not referred or max(row_counts) > FEASIBLE_ROWS:
        return False
    import numpy as np

    sought, known = (_sorted_hashes(connection, table, [column]) for table, column in (references, keys))
    sought = sought[np.append(True, sought[1:] != sought[:-1])[: len(sought)]]
    places = np.searchsorted(known, sought)
    return bool(len(known)) and bool((known[np.minimum(places, len(known) - 1)] == sought).all())


def _sorted_hashes(connection: DuckDBPyConnection, table: str, columns: Sequence[str]) -> Any:
    """The hashes of all rows in which no column is missing, in order: an array of numpy."""
    import numpy as np

    names = [identifier(column) for column in columns]
    there = " and ".join(f"{name} is not null" for name in names)
    query = f"select hash({', '.join(names)}) as hashed from {table} where {there}"
    hashes = np.asarray(connection.execute(query).fetchnumpy()["hashed"])
    hashes.sort()
    return hashes
