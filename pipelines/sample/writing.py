"""How the sample's tables become files: Parquet with native types, Windows-1252 CSV, JSON lines.

Add a file format here when a source of the sample needs one. No content is decided here.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.sample.chance import Array

LOCAL_ZONE = "Europe/Berlin"


def write_parquet(
    table: pd.DataFrame,
    file: Path,
    *,
    cents: Collection[str] = (),
    percents: Collection[str] = (),
    dates: Collection[str] = (),
) -> None:
    """Write native types: DECIMAL(18,2) for `cents`, DECIMAL(18,2) shares for `percents`, DATE, timestamps in UTC."""
    arrays = {}
    for name in table.columns:
        column = table[name]
        if name in cents or name in percents:
            arrays[name] = decimals(column.to_numpy().astype(np.int64))
        elif name in dates:
            arrays[name] = pa.array(column.to_numpy().astype("datetime64[D]"))
        elif column.dtype.kind == "M":
            arrays[name] = pa.array(column.to_numpy().astype("datetime64[us]"), pa.timestamp("us", tz="UTC"))
        elif column.dtype.kind in "biu":
            arrays[name] = pa.array(column.to_numpy())
        else:
            arrays[name] = pa.array(column.astype("str"), from_pandas=True).cast(pa.string())
    pq.write_table(pa.table(arrays), file)


def decimals(hundredths: Array) -> pa.Array:
    """Whole hundredths as DECIMAL(18,2): 128-bit little-endian integers, the upper half holds the sign."""
    words = np.stack([hundredths, hundredths >> 63], axis=1)
    buffer = pa.py_buffer(np.ascontiguousarray(words, dtype="<i8"))
    return pa.Array.from_buffers(pa.decimal128(18, 2), len(hundredths), [None, buffer])


def write_csv(table: pd.DataFrame, file: Path) -> None:
    """Write text columns as Windows-1252 with semicolons, as a German spreadsheet does."""
    file.write_bytes(table.to_csv(sep=";", index=False, lineterminator="\r\n").encode("cp1252"))


def write_json_lines(table: pd.DataFrame, file: Path) -> None:
    """Write one UTF-8 JSON object a line; missing values are null."""
    table.to_json(file, orient="records", lines=True, force_ascii=False)


def german_moments(moments: pd.Series[pd.Timestamp]) -> pd.Series[str]:
    """UTC times as `31.12.2025 14:05:00` on the clock in Berlin."""
    local = moments.dt.tz_localize("UTC").dt.tz_convert(LOCAL_ZONE).dt.tz_localize(None)
    return formatted(local, "%d.%m.%Y %H:%M:%S")


def iso_moments(moments: pd.Series[pd.Timestamp]) -> pd.Series[str]:
    """UTC times as `2025-12-31T13:05:00Z`."""
    return formatted(moments, "%Y-%m-%dT%H:%M:%SZ")


def formatted(moments: pd.Series[pd.Timestamp], pattern: str) -> pd.Series[str]:
    """Times as text, empty where there is none."""
    seconds = pa.array(moments.to_numpy().astype("datetime64[s]"))
    return pd.Series(pc.strftime(seconds, pattern).to_numpy(zero_copy_only=False), dtype="str")


def german_amounts(cents: pd.Series[int]) -> pd.Series[str]:
    """Cents as `1234567,89`."""
    text = cents.astype("str").str.zfill(3)
    return text.str.slice(0, -2) + "," + text.str.slice(-2)
