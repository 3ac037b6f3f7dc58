"""Whether the key of a table is unique, told without a table of all keys.

Counting rows by key builds a table of as many groups as there are rows, which is dear when nothing repeats, and nothing
should. Hashes of 64 bits are sorted instead: where no two are equal, no two keys are. Add here another way to prove a
key; what is no proof must not come here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipelines.warehouse import identifier

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# Below it counting by key takes as little, and numpy need not be imported for it; above it the hashes, eight bytes a
# row and twice while they are fetched, would take more than half a gigabyte.
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
    import numpy as np

    names = [identifier(column) for column in columns]
    missing = " or ".join(f"{name} is null" for name in names)
    query = f"select case when {missing} then null else hash({', '.join(names)}) end as hashed from {table}"
    fetched = connection.execute(query).fetchnumpy()["hashed"]
    if np.ma.is_masked(fetched):
        return False
    hashes = np.asarray(fetched)
    hashes.sort()
    return not bool((hashes[1:] == hashes[:-1]).any())
