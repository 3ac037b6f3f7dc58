"""What a score is made of: for pairs of records, the degree each field reaches and what it is worth.

Change here how a match weight is taken apart. How it is computed for all pairs is in `scoring`; the parts add up to it.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.resolve.comparisons import RAREST, Comparison, Level, level_of

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.resolve.model import Model

START = "start"  # the field of the weight that a pair has before anything is compared
MISSING = "missing"


@dataclass(frozen=True)
class FieldWeight:
    """What one field says about a pair.

    Attributes:
        field: name of the comparison, or `START`.
        degree: the level reached, `MISSING` when one side has no value; empty for `START`.
        weight: base-2 logarithm; above 0 it speaks for one person, below against.
        rarity: the part of the weight that is owed to how rare the value is.
    """

    field: str
    degree: str
    weight: float
    rarity: float = 0.0


@dataclass(frozen=True)
class PairWeight:
    """A pair weighed field by field; `weight` is the sum of the parts."""

    parts: tuple[FieldWeight, ...]

    @property
    def weight(self) -> float:
        return sum(part.weight for part in self.parts)

    @property
    def probability(self) -> float:
        """The probability that both records are one person."""
        return 1 / (1 + 2**-self.weight)


def weigh_pairs(
    connection: DuckDBPyConnection, model: Model, pairs: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], PairWeight]:
    """Take the match weights of these pairs apart; a pair of which one record is not weighed is left out.

    Reads, in the current schema, `compared` (`record_key` and the columns of the scored profiles) and `frequencies`.
    """
    wanted = sorted(set(pairs))
    if not wanted:
        return {}
    connection.execute(
        "create or replace temp table asked as select unnest($1) as a, unnest($2) as b",
        [list(side) for side in zip(*wanted, strict=True)],
    )
    columns = [str(row[0]) for row in connection.execute("describe compared").fetchall()]
    sides = ", ".join(f"l.{name} as {name}_l, r.{name} as {name}_r" for name in columns)
    connection.execute(
        f"create or replace temp table paired as select a, b, {sides} from asked "
        "join compared as l on l.record_key = a join compared as r on r.record_key = b"
    )
    parts: defaultdict[tuple[str, str], list[FieldWeight]] = defaultdict(list)
    start = math.log2(model.prior / (1 - model.prior))
    for a, b in connection.execute("select a, b from paired order by a, b").fetchall():
        parts[a, b].append(FieldWeight(START, "", start))
    for comparison in model.comparisons:
        for a, b, position, frequency in _read_levels(connection, comparison):
            parts[a, b].append(_weigh(comparison, position, frequency))
    return {pair: PairWeight(tuple(found)) for pair, found in parts.items()}


def _read_levels(connection: DuckDBPyConnection, comparison: Comparison) -> list[tuple[str, str, int, float | None]]:
    """Per pair the position of the level, and how frequent the value is that counts there."""
    cases = " ".join(
        f"when {position} then greatest({_frequency(level, 'l')}, {_frequency(level, 'r')})"
        for position, level in enumerate(comparison.levels)
        if level.frequency_of
    )
    frequency = f"case level {cases} end" if cases else "null"
    return connection.execute(
        f"select a, b, level, {frequency} from (select *, {level_of(comparison)} as level from paired) order by a, b"
    ).fetchall()


def _frequency(level: Level, side: str) -> str:
    """SQL for the frequency of the value of one side; a value that is not known is as frequent as one seen once."""
    field, value = level.frequency_of, f"{level.frequency_of}_{side}"
    return (
        f"coalesce((select frequency from frequencies where field = '{field}' and value = {value}), "
        f"(select frequency from frequencies where field = '{field}' and value is null))"
    )


def _weigh(comparison: Comparison, position: int, frequency: float | None) -> FieldWeight:
    if position < 0:
        return FieldWeight(comparison.name, MISSING, 0.0)
    level = comparison.levels[position]
    rarity = math.log2(level.u / max(frequency, RAREST)) if frequency is not None else 0.0
    return FieldWeight(comparison.name, level.name, math.log2(level.m / level.u) + rarity, rarity)
