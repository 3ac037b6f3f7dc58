"""Relatives among the pairs that a model is learned from: they share all that is learned from, and are not one person.

Change here how they are told from errors, and what is then believed of the fields that they differ in. What a model
makes of it is decided in `training`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.resolve.comparisons import COMPARISONS, Comparison, Level
from pipelines.resolve.levels import count_levels, find_odds, normalize

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from duckdb import DuckDBPyConnection

# Errors in two fields of one person do not go together; relatives differ in first name and birth date at once. Where
# birth dates differ this much more often beside another first name than beside the same, the differences are relatives.
RELATIVES_EXCESS = 0.25
FEWEST_RELATIVES = 10
# What is then believed of how often records of one person differ clearly in either: too little for what would make the
# difference an error that everybody makes (`model.UNRELIABLE_SHARES`). More is believed of birth dates where those of
# one first name show it.
DIFFERING_BESIDE_RELATIVES = 0.03
_TOLD_BY_RELATIVES = ("first_name", "birth_date")
# Twins have one birth date. Of their first names both are in use; an error mostly makes one that nobody has. From this
# share of the pairs on that are one person but for the first name, they are twins: observed are .7 of twins (a seventh
# of whose names is rare), .05 of names that are garbled beyond recognition.
TWINS_SHARE = 0.4
_ARE_IN_USE = Comparison(
    "names in use",
    "(first_name_l is null or first_name_r is null)",
    (
        Level("both", "first_name_l in (from names_in_use) and first_name_r in (from names_in_use)", 0.5, 0.5),
        Level("not both", "ELSE", 0.5, 0.5),
    ),
)


@dataclass(frozen=True)
class Relatives:
    """What pairs that all else makes one person say about the two fields that relatives differ in.

    Attributes:
        are_seen: those that differ in the first name differ in the birth date as well, as relatives do.
        misdated_share: the share that differ in the birth date, by no more than ten years, of those with the same first
            name. Relatives hardly ever have the same one, and father and son are further apart.
    """

    are_seen: bool
    misdated_share: float = 0.0


def observe_relatives(
    comparisons: Sequence[Comparison], levels: np.ndarray, counts: np.ndarray, prior: float
) -> Relatives:
    """Whether relatives are among the pairs, and how often birth dates are wrong all the same.

    Training takes those who share name, home, mailbox and phone for one person, whose first name is then often wrong.
    """
    names = [c.name for c in comparisons]
    first, birth = (names.index(name) for name in _TOLD_BY_RELATIVES)
    others = [i for i, name in enumerate(names) if name not in _TOLD_BY_RELATIVES]
    odds = find_odds([comparisons[i] for i in others], levels[:, others], prior)
    is_alike = (odds >= 1) & (levels[:, first] >= 0) & (levels[:, birth] >= 0)
    is_other_name = is_alike & (levels[:, first] >= comparisons[first].first_difference)
    is_same_name = is_alike & (levels[:, first] < comparisons[first].first_difference)
    is_other_date = levels[:, birth] >= comparisons[birth].first_difference
    is_far = levels[:, birth] == len(comparisons[birth].levels) - 1
    relatives, persons = float(counts[is_other_name].sum()), max(float(counts[is_same_name].sum()), 1)
    if relatives < FEWEST_RELATIVES:
        return Relatives(are_seen=False)
    together = float(counts[is_other_name & is_other_date].sum()) / relatives
    apart = float(counts[is_same_name & is_other_date].sum()) / persons
    misdated = float(counts[is_same_name & is_other_date & ~is_far].sum()) / persons
    return Relatives(together - apart > RELATIVES_EXCESS, misdated)


def count_names_in_use(connection: DuckDBPyConnection, pairs: str) -> tuple[np.ndarray, np.ndarray]:
    """How often which levels occur among pairs (SQL for `a`, `b`), see `count_levels`; in the last column whether the
    first names of both are in use."""
    connection.execute(
        "create table names_in_use as select distinct squeeze(first_name) as name from first_names "
        "where is_established(usage)"
    )
    counted = count_levels(connection, (*COMPARISONS, _ARE_IN_USE), pairs)
    connection.execute("drop table names_in_use")
    return counted


def are_twins_seen(comparisons: Sequence[Comparison], levels: np.ndarray, counts: np.ndarray, prior: float) -> bool:
    """Whether those that only the first name tells apart are twins; `levels` are those of `count_names_in_use`."""
    names = [c.name for c in comparisons]
    first, birth = (names.index(name) for name in _TOLD_BY_RELATIVES)
    others = [i for i in range(len(names)) if i != first]
    odds = find_odds([comparisons[i] for i in others], levels[:, others], prior)
    is_twin = (odds >= 1) & (levels[:, first] >= comparisons[first].first_difference) & (levels[:, birth] >= 0)
    both, seen = float(counts[is_twin & (levels[:, -1] == 0)].sum()), float(counts[is_twin].sum())
    return seen >= FEWEST_RELATIVES and both > TWINS_SHARE * seen


def limit_errors(
    comparisons: Sequence[Comparison], learned: Sequence[list[float] | None], relatives: Relatives
) -> list[list[float] | None]:
    """What was learned of each comparison, with no more errors in names and birth dates than persons make."""
    if not relatives.are_seen:
        return list(learned)
    most = {
        "first_name": DIFFERING_BESIDE_RELATIVES,
        "birth_date": max(DIFFERING_BESIDE_RELATIVES, relatives.misdated_share),
    }
    return [
        limit_differing(c, m, most[c.name]) if m and c.name in most else m
        for c, m in zip(comparisons, learned, strict=True)
    ]


def limit_twins(comparisons: Sequence[Comparison]) -> tuple[Comparison, ...]:
    """The comparisons with no more errors in first names than persons make beside their twins."""
    return tuple(
        c.with_probabilities(limit_differing(c, c.m, DIFFERING_BESIDE_RELATIVES), c.u) if c.name == "first_name" else c
        for c in comparisons
    )


def limit_differing(comparison: Comparison, m: list[float], most: float) -> list[float]:
    """The same `m` with its differences worth `most` at most."""
    first = comparison.first_difference
    differing = sum(m[first:])
    if differing <= most:
        return m
    rest = (1 - most) / (1 - differing)
    return normalize([x * (rest if i < first else most / differing) for i, x in enumerate(m)])
