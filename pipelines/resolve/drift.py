"""Whether a kept model still fits the data: how much is known of people, what one person's records agree in, how many.

Add here a figure by which data differs from what a model was learned from. What follows from it is decided in
`resolve`; how a model is learned is in `training`. All figures are shares and counts, none is of a person.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.resolve.levels import count_levels, weigh_levels
from pipelines.warehouse import identifier

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from duckdb import DuckDBPyConnection

    from pipelines.resolve.comparisons import Comparison
    from pipelines.resolve.model import Model

# Fields of the kept table of frequencies, beside the values of the model.
KNOWN, AGREEMENT = "share of profiles that have it", "agreement of one person's records"
PROFILES = "profiles"

# A share of the profiles that have a field. A source that comes or goes moves it by more; ten nights move it by .01.
MOST_KNOWN = 0.2
# The part of one person's pairs that reach another degree than they did (total variation). Nights move it by .01 to
# .03 while 200 pairs and more are counted.
MOST_AGREEMENT = 0.2
FEWEST_MATCHES = 200
SAMPLED_PAIRS = 5_000
# Times as many profiles, or as few: the odds that two taken at random are one person are then two bits off.
MOST_GROWTH = 4.0

FIT_COLUMNS = (
    "model_version text, figure text, field text, learned double, observed double, difference double, "
    "allowed double, is_drifted boolean, is_learned_anew boolean"
)


@dataclass(frozen=True)
class Fit:
    """One figure of the data against what the model was learned from.

    Attributes:
        figure: `KNOWN`, `AGREEMENT` or `PROFILES`.
        field: name of the comparison; of profiles, nothing.
        learned, observed: then and now; of agreement, the share of the best degree.
        difference: what is compared with `allowed`.
    """

    figure: str
    field: str | None
    learned: float
    observed: float
    difference: float
    allowed: float

    @property
    def is_drifted(self) -> bool:
        return self.difference > self.allowed


def measure_fit(connection: DuckDBPyConnection, model: Model) -> list[Fit]:
    """Compare what there is with what `frequencies` tells of the profiles and pairs the model was learned from.

    Reads `known_counts`, `scored_profiles` and `blocked_pairs`. What was not kept with the model is not compared: it
    comes from an earlier version of this software.
    """
    sample_pairs(connection)
    return compare_fit(connection, model, observe_known(connection), observe_agreement(connection, model))


def compare_fit(
    connection: DuckDBPyConnection,
    model: Model,
    known: Known,
    agreement: Mapping[str, list[float]],
) -> list[Fit]:
    """Compare what `observe_known` and `observe_agreement` tell of the data with what `frequencies` does."""
    kept = _read_kept(connection)
    growth = max(known.profile_count, 1) / model.profile_count
    found = [
        Fit(PROFILES, None, model.profile_count, known.profile_count, max(growth, 1 / growth), MOST_GROWTH),
        *(
            Fit(KNOWN, name, then, known.shares[name], abs(known.shares[name] - then), MOST_KNOWN)
            for name, then in kept[KNOWN].items()
            if name in known.shares
        ),
    ]
    for name, now in agreement.items():
        then = [kept[AGREEMENT].get(_label(name, position)) for position in range(len(now))]
        if not any(share is None for share in then):
            moved = sum(abs(a - (b or 0.0)) for a, b in zip(now, then, strict=True)) / 2
            found.append(Fit(AGREEMENT, name, then[0] or 0.0, now[0], moved, MOST_AGREEMENT))
    return found


def keep_reference(connection: DuckDBPyConnection, model: Model) -> None:
    """Add to `frequencies` what later data is compared with; nothing for a model that learned nothing."""
    if not model.is_learned:
        return
    rows = [(KNOWN, name, share) for name, share in observe_known(connection).shares.items()]
    sample_pairs(connection)
    for name, shares in observe_agreement(connection, model).items():
        rows += [(AGREEMENT, _label(name, position), share) for position, share in enumerate(shares)]
    connection.executemany("insert into frequencies values (?, ?, ?)", rows)


def write_fit(
    connection: DuckDBPyConnection, schema: str, kept: Model | None, fits: Iterable[Fit], *, is_learned_anew: bool
) -> None:
    """Write `model_fit` into `schema`: one row per figure of the model that was kept; none when none was."""
    connection.execute(f"create or replace table {schema}.model_fit ({FIT_COLUMNS})")
    rows = [
        (
            *(kept.version if kept else None, fit.figure, fit.field, round(fit.learned, 4), round(fit.observed, 4)),
            *(round(fit.difference, 4), fit.allowed, fit.is_drifted, is_learned_anew),
        )
        for fit in fits
    ]
    if rows:
        connection.executemany(f"insert into {schema}.model_fit values (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)


def _label(name: str, position: int) -> str:
    return f"{name} {position}"


def _read_kept(connection: DuckDBPyConnection) -> Mapping[str, Mapping[str, float]]:
    kept: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for field, value, share in connection.execute(
        "select field, value, frequency from frequencies where field in (?, ?) order by all", [KNOWN, AGREEMENT]
    ).fetchall():
        kept[field][value] = share
    return kept


@dataclass(frozen=True)
class Known:
    """How many profiles there are, and by comparison the share of them that have what it compares."""

    profile_count: int
    shares: dict[str, float]


def count_known(connection: DuckDBPyConnection, comparisons: Iterable[Comparison]) -> None:
    """Create `known_counts`: one row, the number of `scored_profiles`, and by comparison of those that have its fields.

    Have them so that they could be compared with themselves.
    """
    alone = {c.name: re.sub(r"_[lr]\b", "", c.missing) for c in comparisons}
    counts = ", ".join(f"count(*) filter (not ({missing})) as {identifier(name)}" for name, missing in alone.items())
    connection.execute(f"create table known_counts as select count(*) as profiles, {counts} from scored_profiles")


def observe_known(connection: DuckDBPyConnection) -> Known:
    """What `known_counts` tells."""
    cursor = connection.execute("from known_counts")
    names = [column[0] for column in cursor.description]
    profile_count, *counts = cursor.fetchone() or ()
    shares = {name: round(count / max(profile_count, 1), 6) for name, count in zip(names[1:], counts, strict=True)}
    return Known(profile_count, shares)


def sample_pairs(connection: DuckDBPyConnection) -> None:
    """Create `sampled_pairs` (`a`, `b`): about `SAMPLED_PAIRS` of `blocked_pairs`, or all where there are fewer.

    They are chosen by what the records say, so that a record that comes along does not choose another one.
    """
    row = connection.execute("select count(*) from blocked_pairs").fetchone()
    parts = max(1, (int(row[0]) if row else 0) // SAMPLED_PAIRS)
    connection.execute(
        f"""
        create or replace table sampled_pairs as
        with placed as (select n, content % {parts} as part from scored_profiles)
        select join_key_l as a, join_key_r as b from blocked_pairs
        join placed as l on l.n = join_key_l join placed as r on r.n = join_key_r
        where (l.part + r.part) % {parts} = 0
        """
    )


def observe_agreement(connection: DuckDBPyConnection, model: Model) -> dict[str, list[float]]:
    """By comparison, how the pairs of one person spread over its degrees; too few pairs say nothing.

    Every pair of `sampled_pairs` counts by the probability that the model gives it.
    """
    levels, counts = count_levels(connection, model.comparisons, "from sampled_pairs")
    spread = weigh_levels(model.comparisons, levels, counts, model.prior)
    return {
        comparison.name: [round(times / sum(found), 6) for times in found]
        for comparison, found in zip(model.comparisons, spread, strict=True)
        if sum(found) >= FEWEST_MATCHES
    }
