"""Records on their way from an API into landing: Parquet files of text columns in a scratch folder.

Add here how a value of JSON is written as text. Which fields are wanted is for the mapping, what a
vendor calls them for its connector.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.extract.files import DeliveredFile

if TYPE_CHECKING:
    import pyarrow as pa

PART_ROWS = 20_000  # as many records are held in memory


class Spool:
    """Writes the records of one entity. Every file has the wanted columns, also when no record has them."""

    def __init__(self, folder: Path, entity: str, wanted: Iterable[str], unused: Iterable[str] = ()) -> None:
        """`unused` fields, with everything nested below them, are never written."""
        self.folder, self.entity = folder, entity
        self._ignored: dict[str, bool] = {}
        self.wanted = tuple(dict.fromkeys(wanted))
        self._unused = frozenset(unused) - set(self.wanted)
        self.seen: set[str] = set()
        self.row_count = 0
        self._columns: dict[str, list[str | None]] = {}
        self._height = 0
        self._parts: list[DeliveredFile] = []

    def add(self, record: Mapping[str, Any]) -> None:
        """Append a record of JSON values; nested objects must have been flattened, lists are kept as JSON text."""
        columns, height = self._columns, self._height
        for name, value in record.items():
            column = columns.get(name)
            if column is None:
                if self._is_unused(name):
                    continue
                column = columns[name] = [None] * height
            elif len(column) < height:
                column.extend([None] * (height - len(column)))
            column.append(value if isinstance(value, str) else _text(value))
        self._height += 1
        if self._height >= PART_ROWS:
            self._write()

    def add_table(self, columns: Mapping[str, pa.Array]) -> None:
        """Append a batch that has its types already, as a file of its own: batches may differ in a column's type."""
        import pyarrow as pa

        self.seen |= columns.keys()
        self._write_table(pa.table(dict(columns)))

    def finish(self) -> list[DeliveredFile]:
        """The files of all records; one without rows when there is none."""
        if self._height or not self._parts:
            self._write()
        return self._parts

    def _is_unused(self, name: str) -> bool:
        known = self._ignored.get(name)
        if known is None:
            steps = name.split(".")
            outer = {".".join(steps[:length]) for length in range(1, len(steps) + 1)}
            known = self._ignored[name] = name not in self.wanted and bool(outer & self._unused)
        return known

    def _write(self) -> None:
        import pyarrow as pa

        self.seen |= self._columns.keys()
        table = {name: self._padded(name) for name in dict.fromkeys((*self.wanted, *self._columns))}
        self._write_table(pa.table({name: pa.array(values, pa.string()) for name, values in table.items()}))
        self._columns, self._height = {}, 0

    def _write_table(self, table: pa.Table) -> None:
        import pyarrow.parquet as pq

        number = len(self._parts)
        path = self.folder / f"{self.entity}-{number:05}.parquet"
        # It is read once, and in a moment.
        pq.write_table(table, path, compression="lz4", write_statistics=False)
        self.row_count += table.num_rows
        state = path.stat()
        self._parts.append(
            DeliveredFile(
                path, f"{self.entity}-{number:05}", "parquet", state.st_size, state.st_mtime_ns, "", is_original=False
            )
        )

    def _padded(self, name: str) -> list[str | None]:
        column = self._columns.get(name, [])
        return column + [None] * (self._height - len(column))


def flatten(record: Mapping[str, Any]) -> dict[str, Any]:
    """Nested objects as `outer.inner`; lists stay what they are."""
    flat: dict[str, Any] = {}
    _flatten_into(flat, record, "")
    return flat


def _flatten_into(flat: dict[str, Any], record: Mapping[str, Any], prefix: str) -> None:
    for name, value in record.items():
        if isinstance(value, dict) and value:
            _flatten_into(flat, value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return json.dumps(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) if value else None
