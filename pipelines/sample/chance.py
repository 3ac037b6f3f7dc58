"""Randomness and time of the sample company.

Every draw and every date of the sample comes from here, so that the same arguments give the same rows. Add a way of
drawing here when two concerns need it; what is drawn belongs to the concern.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Array = npt.NDArray[Any]
Random = np.random.Generator

# The sample reaches back three years for orders; people may be known to the CRM for longer.
HISTORY_DAYS = 1095
# People are made in chunks, so that memory does not grow with their number.
CHUNK_PERSONS = 100_000
CHUNK_NUMBERS = 5_000_000  # how many record numbers of each kind a chunk may use


@dataclass(frozen=True)
class Chance:
    """Independent random streams by name: a new concern with a stream of its own changes no other rows.

    Every chunk of people has streams of its own; what the whole company has in common is drawn from `shared`.
    """

    seed: int
    chunk: int = 0

    def stream(self, name: str) -> Random:
        return np.random.default_rng([self.seed, zlib.crc32(name.encode()), self.chunk])

    def shared(self, name: str) -> Random:
        return np.random.default_rng([self.seed, zlib.crc32(name.encode())])

    @property
    def first_person(self) -> int:
        return self.chunk * CHUNK_PERSONS

    def number(self, start: int) -> int:
        """The first record number of this chunk where the first chunk starts at `start`."""
        return start + self.chunk * CHUNK_NUMBERS


@dataclass(frozen=True)
class Calendar:
    """Dates counted back from `today`, the day of as_of in UTC. The last thing happens on the day before."""

    today: date

    @classmethod
    def at(cls, as_of: date | datetime) -> Calendar:
        return cls(as_of.date() if isinstance(as_of, datetime) else as_of)

    def moments(self, days_ago: Array, random: Random) -> Array:
        """A second in daytime (06:00 to 20:00 UTC) of each day; `days_ago` are whole days, at least 1."""
        seconds = random.integers(6 * 3600, 20 * 3600, len(days_ago)).astype("timedelta64[s]")
        found: Array = self.days(days_ago).astype("datetime64[s]") + seconds
        return found

    def days(self, days_ago: Array) -> Array:
        return np.datetime64(self.today, "D") - np.asarray(days_ago).astype("timedelta64[D]")


def draw(random: Random, values: Sequence[Any], size: int, weights: Sequence[float] | Array | None = None) -> Array:
    """`size` values with replacement, as an object array."""
    shares = None if weights is None else np.asarray(weights, dtype=float) / np.sum(weights)
    return np.array(values, dtype=object)[random.choice(len(values), size, p=shares)]


def draw_texts(
    random: Random, values: Sequence[str], size: int, weights: Sequence[float] | Array | None = None
) -> pd.Series[str]:
    """`size` values with replacement, as a text column."""
    shares = None if weights is None else np.asarray(weights, dtype=float) / np.sum(weights)
    return pick(texts(list(values)), random.choice(len(values), size, p=shares))


def pick(values: pd.Series[Any], rows: Array) -> pd.Series[Any]:
    """The values of these rows, with a fresh index."""
    return values.take(rows).reset_index(drop=True)


def texts(values: Any) -> pd.Series[str]:
    """A text column with a fresh index."""
    return pd.Series(values, dtype="str").reset_index(drop=True)


def numbers_as_texts(numbers: Array, width: int = 0) -> pd.Series[str]:
    """Whole numbers as text, filled with zeros to `width`."""
    found = pd.Series(np.asarray(numbers)).astype("str")
    return found.str.zfill(width) if width else found


def distinct_numbers(count: int, digits: int, random: Random, start: int = 0) -> Array:
    """Whole numbers of so many digits in no visible order, distinct as long as there are enough of them.

    Multiplying by a number that shares no factor with a power of ten is one-to-one: with an equal `random`, the numbers
    from `start` on are those that come after the first `start` ones.
    """
    factor = int(random.integers(10 ** (digits - 2), 10 ** (digits - 1))) * 10 + int(random.choice([1, 3, 7, 9]))
    offset = int(random.integers(10**digits))
    found: Array = (np.arange(start, start + count, dtype=np.int64) * factor + offset) % 10**digits
    return found


def scattered(count: int, start: int, random: Random) -> Array:
    """The numbers from `start` in random order: record ids that do not betray the order of the people."""
    return random.permutation(count) + start
