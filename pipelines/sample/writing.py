"""How the sample's tables become files: Parquet with native types, CSV in any dialect, JSON lines; and how parts join.

Add a file format here when a source of the sample needs one. No content is decided here.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.sample.chance import Array
from pipelines.settings import Settings
from pipelines.warehouse import connect, literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

LOCAL_ZONE = "Europe/Berlin"
ROW_GROUP_ROWS = 122_880  # as many as the engine reads at once


@dataclass(frozen=True)
class Csv:
    """A dialect of CSV. Every column is text already."""

    delimiter: str = ";"
    encoding: str = "cp1252"
    line_end: str = "\r\n"

    def write(self, table: pd.DataFrame, file: Path, engine: DuckDBPyConnection, *, has_header: bool = True) -> None:
        """Quotes stand only where a value needs them. Letters that the encoding lacks become question marks."""
        _copy(engine, table, file, f"format csv, delimiter '{self.delimiter}', header {str(has_header).lower()}")
        if (self.encoding, self.line_end) != ("utf-8", "\n"):
            text = file.read_bytes().decode("utf-8").replace("\n", self.line_end)
            file.write_bytes(text.encode(self.encoding, errors="replace"))


@dataclass(frozen=True)
class JsonLines:
    """One UTF-8 JSON object a line; missing values are null."""

    def write(self, table: pd.DataFrame, file: Path, engine: DuckDBPyConnection, *, has_header: bool = True) -> None:
        del has_header
        _copy(engine, table, file, "format json")


@dataclass(frozen=True)
class Parquet:
    """Native types: DECIMAL(18,2) for whole `cents` and `percents`, DATE for `dates`, timestamps in UTC."""

    cents: Collection[str] = ()
    dates: Collection[str] = ()

    def write(self, table: pd.DataFrame, file: Path, engine: DuckDBPyConnection, *, has_header: bool = True) -> None:
        del engine, has_header
        found = arrow_table(table, self.cents, self.dates)
        pq.write_table(found, file, row_group_size=ROW_GROUP_ROWS, compression="snappy")


Format = Csv | JsonLines | Parquet
GERMAN = Csv()


def arrow_table(table: pd.DataFrame, cents: Collection[str] = (), dates: Collection[str] = ()) -> pa.Table:
    """The table as Arrow arrays: text, numbers, booleans, timestamps in UTC and, as named, DECIMAL and DATE."""
    arrays = {}
    for name in table.columns:
        column = table[name]
        kind = column.dtype.kind
        if name in cents:
            arrays[name] = decimals(column.to_numpy().astype(np.int64))
        elif name in dates:
            arrays[name] = pa.array(column.to_numpy().astype("datetime64[D]"))
        elif kind == "M":
            arrays[name] = pa.array(column.to_numpy().astype("datetime64[us]"), pa.timestamp("us", tz="UTC"))
        elif kind in "biuf":
            arrays[name] = pa.array(column, from_pandas=True)
        else:
            arrays[name] = pa.array(column.astype("str"), from_pandas=True).cast(pa.string())
    return pa.table(arrays)


def decimals(hundredths: Array) -> pa.Array:
    """Whole hundredths as DECIMAL(18,2): 128-bit little-endian integers, the upper half holds the sign."""
    words = np.stack([hundredths, hundredths >> 63], axis=1)
    buffer = pa.py_buffer(np.ascontiguousarray(words, dtype="<i8"))
    return pa.Array.from_buffers(pa.decimal128(18, 2), len(hundredths), [None, buffer])


@contextmanager
def open_engine(folder: Path) -> Iterator[DuckDBPyConnection]:
    """What writes text files below the folder: one for many, since to start it costs more than a small file."""
    # One thread: chunks are what is made side by side.
    settings = Settings.from_environment({"KUNDENSTAMM_DATA_DIR": str(folder), "KUNDENSTAMM_THREADS": "1"})
    with connect(None, settings, temp_dir=folder) as engine:
        yield engine


def _copy(engine: DuckDBPyConnection, table: pd.DataFrame, file: Path, options: str) -> None:
    engine.register("content", arrow_table(table))
    engine.execute(f"copy (select * from content) to {literal(file)} ({options})")
    engine.unregister("content")


def join_parts(parts: Sequence[Path], file: Path) -> None:
    """Join the parts of one file in their order: bytes one after the other, or the row groups of Parquet."""
    if len(parts) == 1:
        parts[0].rename(file)
    elif file.suffix == ".parquet":
        with pq.ParquetWriter(file, pq.read_schema(parts[0]), compression="snappy") as writer:
            for part in parts:
                for batch in pq.ParquetFile(part).iter_batches(ROW_GROUP_ROWS):
                    writer.write_batch(batch, row_group_size=ROW_GROUP_ROWS)
                part.unlink()
    else:
        with file.open("wb") as joined:
            for part in parts:
                with part.open("rb") as stream:
                    shutil.copyfileobj(stream, joined, 1 << 20)
                part.unlink()


def german_moments(moments: pd.Series[pd.Timestamp]) -> pd.Series[str]:
    """UTC times as `31.12.2025 14:05:00` on the clock in Berlin."""
    return formatted(local_moments(moments), "%d.%m.%Y %H:%M:%S")


def local_moments(moments: pd.Series[pd.Timestamp]) -> pd.Series[pd.Timestamp]:
    """UTC times as they are on the clock in Berlin."""
    return moments.dt.tz_localize("UTC").dt.tz_convert(LOCAL_ZONE).dt.tz_localize(None)


def iso_moments(moments: pd.Series[pd.Timestamp]) -> pd.Series[str]:
    """UTC times as `2025-12-31T13:05:00Z`."""
    return formatted(moments, "%Y-%m-%dT%H:%M:%SZ")


def formatted(moments: pd.Series[pd.Timestamp], pattern: str) -> pd.Series[str]:
    """Times as text, empty where there is none. `pattern` is that of a day or of a day, a separator and a time.

    Every day and every second of a day is written once and looked up: there are few of them.
    """
    seconds = moments.to_numpy().astype("datetime64[s]")
    is_known = ~np.isnat(seconds)
    day = seconds.astype("datetime64[D]")
    days, which = np.unique(day[is_known], return_inverse=True)
    place = np.full(len(seconds), -1)
    place[is_known] = which
    of_day, of_time = re.fullmatch(r"(.*?)(%H.*)?", pattern).groups()  # type: ignore[union-attr]
    text = _look_up(pc.strftime(pa.array(days.astype("datetime64[s]")), of_day), place)
    if of_time:
        second = np.where(is_known, (seconds - day).astype(np.int64), -1)
        text = pc.binary_join_element_wise(text, _look_up(_clock(of_time), second), "")
    return pd.Series(text, dtype="str")


@cache
def _clock(pattern: str) -> pa.Array:
    """Every second of a day as text."""
    return pc.strftime(pa.array(np.arange(86_400).astype("datetime64[s]")), pattern)


def _look_up(words: pa.Array, place: Array) -> pa.Array:
    return words.take(pa.array(place, mask=place < 0))


def german_amounts(cents: pd.Series[int]) -> pd.Series[str]:
    """Cents as `1234567,89`."""
    return plain_amounts(cents, ",")


def plain_amounts(cents: pd.Series[int], mark: str = ".") -> pd.Series[str]:
    """Cents as `1234567.89`."""
    text = cents.abs().astype("str").str.zfill(3)
    sign = pd.Series(np.where(cents < 0, "-", ""), index=cents.index, dtype="str")
    return sign + text.str.slice(0, -2) + mark + text.str.slice(-2)


def yes_or_no(flags: pd.Series[bool]) -> pd.Series[str]:
    """Flags as a German form writes them."""
    return pd.Series(np.where(flags, "ja", "nein"), dtype="str")
