"""Pairs as levels of agreement: how often which combination occurs, and what it says.

Add here what is computed from levels and counts alone. What agreement means is in `comparisons`; how parameters are
learned from it is in `training`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.resolve.comparisons import Comparison, level_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from duckdb import DuckDBPyConnection


def count_levels(
    connection: DuckDBPyConnection, comparisons: Sequence[Comparison], pairs: str
) -> tuple[np.ndarray, np.ndarray]:
    """How often which combination of levels occurs among pairs of profiles.

    Args:
        connection: with `scored_profiles` in its current schema.
        comparisons: the fields to compare.
        pairs: SQL for `a`, `b`.

    Returns:
        Levels (combinations x comparisons; -1 where a value is missing) and counts (combinations), in a fixed order.
    """
    import numpy as np

    columns = sorted(set().union(*(comparison.trained_on for comparison in comparisons)))
    both = ", ".join(f"l.{c} as {c}_l, r.{c} as {c}_r" for c in columns)
    levels = ", ".join(f"{level_of(comparison)} as level_{i}" for i, comparison in enumerate(comparisons))
    # Few of the profiles are in the pairs of a sample: the others are left out before they are joined.
    rows = connection.execute(
        f"""
        with pairs as materialized ({pairs}),
        paired as materialized (
            select n, {", ".join(columns)} from scored_profiles
            where n in (select a from pairs union all select b from pairs)
        ),
        compared as (
            select {both} from pairs join paired as l on l.n = pairs.a join paired as r on r.n = pairs.b
        )
        select {levels}, count(*) from compared group by all order by all
        """
    ).fetchall()
    table = np.array(rows, dtype=np.int64).reshape(len(rows), len(comparisons) + 1)
    return table[:, :-1], table[:, -1]


def find_odds(comparisons: Sequence[Comparison], levels: np.ndarray, prior: float) -> np.ndarray:
    """The odds that pairs of these levels are one person."""
    import numpy as np

    odds = np.full(len(levels), prior / (1 - prior))
    for i, comparison in enumerate(comparisons):
        ratio = np.array(comparison.m) / np.array(comparison.u)
        odds *= np.where(levels[:, i] >= 0, ratio[levels[:, i]], 1)
    return odds


def weigh_levels(
    comparisons: Sequence[Comparison], levels: np.ndarray, counts: np.ndarray, prior: float
) -> list[list[float]]:
    """By comparison, how often each of its levels occurs, every pair counted by the probability that it is a match."""
    odds = find_odds(comparisons, levels, prior)
    matches = counts * (odds / (1 + odds))
    return [sum_by_level(levels[:, i], matches, len(comparison.levels)) for i, comparison in enumerate(comparisons)]


def sum_by_level(levels: np.ndarray, weights: np.ndarray, size: int) -> list[float]:
    """The sum of the weights by level."""
    import numpy as np

    present = levels >= 0
    return [float(x) for x in np.bincount(levels[present], weights=weights[present], minlength=size)]


def normalize(values: list[float]) -> list[float]:
    """Shares that add up to one."""
    total = sum(values)
    return [float(f"{value / total:.5g}") for value in values]
