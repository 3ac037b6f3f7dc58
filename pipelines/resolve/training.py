"""Learn the parameters of the shipped model from the data at hand, without labels.

Change here how parameters are learned and when a learned one is trusted. Levels of agreement are counted in DuckDB;
what is computed from the counts is small, and independent of the order of rows and threads.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pipelines.resolve.comparisons import COMPARISONS, SWAPPED, Comparison
from pipelines.resolve.levels import count_levels, find_odds, normalize, sum_by_level
from pipelines.resolve.model import SHIPPED, Model, freeze_frequencies, keep_common_values
from pipelines.resolve.relatives import (
    are_twins_seen,
    count_names_in_use,
    limit_errors,
    limit_twins,
    observe_relatives,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from duckdb import DuckDBPyConnection

# Below this many profiles frequencies and random pairs say nothing about the population.
TRAINABLE_PROFILES = 500
RANDOM_PAIRS = 100_000
TRAINING_PAIRS = 100_000  # per block
LARGEST_TRAINING_GROUP = 50  # profiles that share a block's values; more are a default, not a person
FEWEST_TRAINING_PAIRS = 50
ROUNDS = 2  # of learning what strangers agree in, and then what records of one person do
SHIPPED_PAIRS = 10_000  # random pairs that the shipped probabilities are worth
FEW_SHIPPED_PAIRS = 100  # the same where only agreement that is more frequent than shipped is believed
MOST_ITERATIONS, CONVERGENCE = 15, 0.001

# A field is learned from so many pairs that have it on both sides and are one person by all others; not from fewer.
# Where only one system knows birth dates, and each person once, all pairs that have two are namesakes, whose birth
# dates differ; they would be taken for persons whose birth dates are mostly wrong.
FEWEST_MATCHES, SURE_ODDS = 20, 9

LEAST_AGREEING = 0.2  # a field in which records of one person are equal more rarely was not understood

# Share of the true pairs of profiles that the exact rules are taken to find, for the prior of the rest.
EXACT_RECALL = 0.6
PRIOR_PAIRS = 100_000  # so many scored pairs show the prior well enough
LARGEST_PRIOR = 0.005

# Each trains what it does not fix. Both names or a birth date are in each: blocks of less hold mostly households,
# whose members the training would take for one person.
_TRAINING_BLOCKS = (
    ("first_name", "last_name", "birth_date"),
    ("first_name", "last_name", "email"),
    ("first_name", "last_name", "postal_code"),
    ("first_name", "email"),
    ("birth_date", "postal_code"),
    ("birth_date", "email"),
)


_KNOWN_PAIRS = "select join_key_l as a, join_key_r as b from blocked_pairs union all select a, b from exact_edges"
_EVERY_PAIR = "select l.n as a, r.n as b from scored_profiles as l join scored_profiles as r on l.n < r.n"


def train_model(connection: DuckDBPyConnection, version: str, profile_count: int, seed: int) -> Model:
    """Learn a model from `scored_profiles`, `exact_edges` and `blocked_pairs`, and freeze its frequencies.

    Shipped parameters stay where the data is too thin or the result makes no sense; with hardly any profiles all do,
    and the model's version is `SHIPPED`.
    """
    prior = _estimate_prior(connection, profile_count)
    blocked_pairs = _count_pairs(connection, "select join_key_l as a, join_key_r as b from blocked_pairs")
    totals = _count_exact(connection), _count_all(profile_count)
    if profile_count < TRAINABLE_PROFILES:
        every_pair = count_levels(connection, COMPARISONS, _EVERY_PAIR)
        raised = raise_u(COMPARISONS, *every_pair)
        keep_common_values(connection)
        return Model(SHIPPED, raised, _observe_prior(raised, *blocked_pairs, prior, *totals))
    known_pairs = _add_counts(blocked_pairs, _count_pairs(connection, "select a, b from exact_edges"))
    random_pairs = _count_random_pairs(connection, profile_count, seed)
    shipped = with_chance_of_swap(COMPARISONS, _observe_swaps(connection))
    block_pairs = _count_blocks(connection)
    comparisons = shipped
    trained: tuple[str, ...] = ()
    for _ in range(ROUNDS):
        comparisons = learn_u(comparisons, shipped, *random_pairs, prior)
        lessons = _learn_m(comparisons, block_pairs, prior)
        matches = count_matches(comparisons, *known_pairs, prior)
        learned = [
            trusted_m(c, lesson) if seen >= FEWEST_MATCHES else None
            for c, lesson, seen in zip(comparisons, lessons, matches, strict=True)
        ]
        learned = limit_errors(comparisons, learned, observe_relatives(comparisons, *known_pairs, prior))
        comparisons = tuple(c.with_probabilities(m or c.m, c.u) for c, m in zip(comparisons, learned, strict=True))
        trained = tuple(c.name for c, m in zip(comparisons, learned, strict=True) if m)
        prior = _observe_prior(comparisons, *blocked_pairs, prior, *totals)
    model = Model(version, comparisons, prior, trained, profile_count)
    # Where birth dates are full of errors as well, so may first names be.
    if not model.is_reliable("first_name") and model.is_reliable("birth_date"):
        counted = count_names_in_use(connection, _choose_part(_KNOWN_PAIRS, _count_parts(connection, _KNOWN_PAIRS)))
        if are_twins_seen(comparisons, *counted, prior):
            model = replace(model, comparisons=limit_twins(comparisons))
    freeze_frequencies(connection)
    return model


def with_chance_of_swap(comparisons: Sequence[Comparison], chance: float) -> tuple[Comparison, ...]:
    """The comparisons with the `u` of swapped names raised to `chance`, where that is more than the shipped one."""
    found = []
    for comparison in comparisons:
        u = [max(level.u, chance) if level.condition == SWAPPED else level.u for level in comparison.levels]
        found.append(comparison.with_probabilities(comparison.m, normalize(u)) if u != comparison.u else comparison)
    return tuple(found)


def _observe_swaps(connection: DuckDBPyConnection) -> float:
    """The share of pairs of strangers whose names are each other's swapped, first and last name taken by chance.

    Hardly any where first names are no last names. Where a child's last name is its father's first name, as with many
    Tamil families, Hari Kumar and Kumar Hari are two people more often than one.
    """
    row = connection.execute(
        """
        with firsts as (
            select first_name as name, count(*) / sum(count(*)) over () as share
            from scored_profiles where first_name is not null group by all
        ),
        lasts as (
            select last_name as name, count(*) / sum(count(*)) over () as share
            from scored_profiles where last_name is not null group by all
        )
        select coalesce(round(sum(firsts.share * lasts.share), 5), 0) from firsts join lasts using (name)
        """
    ).fetchone()
    return float(row[0]) ** 2 if row else 0.0


def learn_u(
    comparisons: Sequence[Comparison],
    shipped: Sequence[Comparison],
    levels: np.ndarray,
    counts: np.ndarray,
    prior: float,
) -> tuple[Comparison, ...]:
    """The comparisons with the `u` of random pairs, each counted by the probability that it is two persons.

    Of the random pairs that agree in something rare most may be true ones. What hardly any pair reaches keeps the
    shipped probability in part: `SHIPPED_PAIRS` count for it.
    """
    strangers = counts / (1 + find_odds(comparisons, levels, prior))
    found = []
    for i, (comparison, at_first) in enumerate(zip(comparisons, shipped, strict=True)):
        times = sum_by_level(levels[:, i], strangers, len(comparison.levels))
        u = [
            level.u if level.is_rare else (seen + SHIPPED_PAIRS * level.u) / (sum(times) + SHIPPED_PAIRS)
            for level, seen in zip(at_first.levels, times, strict=True)
        ]
        found.append(comparison.with_probabilities(comparison.m, normalize(u)))
    return tuple(found)


def raise_u(comparisons: Sequence[Comparison], levels: np.ndarray, counts: np.ndarray) -> tuple[Comparison, ...]:
    """The comparisons with a greater `u` where strangers agree more often here than anywhere, as in one small town.

    Strangers are pairs of other first and last names. So few records cannot say that anything is rarer than usual, so
    nothing counts for more than as shipped; what is known of single values, `frequencies` tell.
    """
    names = [(i, c) for i, c in enumerate(comparisons) if c.name in {"first_name", "last_name"}]
    strangers = counts.copy()
    for i, comparison in names:
        strangers[levels[:, i] < comparison.first_difference] = 0
    raised = []
    for i, comparison in enumerate(comparisons):
        times = sum_by_level(levels[:, i], strangers, len(comparison.levels))
        total = sum(times) + FEW_SHIPPED_PAIRS
        u = [
            level.u
            if level.frequency_of or position >= comparison.first_difference
            else max(level.u, float(f"{(seen + FEW_SHIPPED_PAIRS * level.u) / total:.5g}"))
            for position, (level, seen) in enumerate(zip(comparison.levels, times, strict=True))
        ]
        raised.append(comparison.with_probabilities(comparison.m, u))
    return tuple(raised)


def _count_random_pairs(connection: DuckDBPyConnection, profile_count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """How often which levels occur among profiles taken at random, see `count_levels`."""
    pairs = f"""
        select l.n as a, r.n as b
        from (select hash(i, {seed}) % {profile_count} as x, hash({seed}, i, 'r') % {profile_count} as y
              from range({RANDOM_PAIRS}) as t(i))
        join numbered as l on l.position = x join numbered as r on r.position = y
        where x < y
    """
    connection.execute(
        "create table numbered as select n, row_number() over (order by n) - 1 as position from scored_profiles"
    )
    counted = count_levels(connection, COMPARISONS, pairs)
    connection.execute("drop table numbered")
    return counted


# The columns of a block, the positions of the comparisons that it trains, levels and counts of its pairs.
_BlockPairs = tuple[tuple[str, ...], list[int], "np.ndarray", "np.ndarray"]


def _count_blocks(connection: DuckDBPyConnection) -> list[_BlockPairs]:
    """What occurs among the pairs of each training block, of those that have enough."""
    counted: list[_BlockPairs] = []
    for block in _TRAINING_BLOCKS:
        free = [i for i, comparison in enumerate(COMPARISONS) if not set(block) & comparison.trained_on]
        levels, counts = count_levels(connection, [COMPARISONS[i] for i in free], _block_pairs(connection, block))
        if sum(counts) >= FEWEST_TRAINING_PAIRS:
            counted.append((block, free, levels, counts))
    return counted


def _learn_m(
    comparisons: Sequence[Comparison], counted: Sequence[_BlockPairs], prior: float
) -> list[list[list[float]]]:
    """What each training block taught: by comparison one `m` per level and block. Blocks do not know of each other."""
    lessons: list[list[list[float]]] = [[] for _ in comparisons]
    for block, free, levels, counts in counted:
        share = _share_within(block, comparisons, prior)
        found = maximize_expectation([comparisons[i] for i in free], levels, counts, share)
        for i, m in zip(free, found, strict=True):
            if m is not None:
                lessons[i].append(m)
    return lessons


def _share_within(block: tuple[str, ...], comparisons: Sequence[Comparison], prior: float) -> float:
    """The share of matches to expect among pairs that agree in the block: the prior with the evidence of agreeing.

    Training starts from it. With a single field left to learn, which share is right cannot be told from the pairs.
    """
    odds = prior / (1 - prior)
    for comparison in comparisons:
        for level in comparison.levels:
            if level.condition in {f"{column}_l = {column}_r" for column in block}:
                odds *= level.m / level.u
    return odds / (1 + odds)


def _block_pairs(connection: DuckDBPyConnection, block: tuple[str, ...]) -> str:
    """SQL for the pairs (a < b) that agree in the block, or for so large a part of its groups as training needs."""
    columns = ", ".join(block)
    groups = f"""
        select {columns}, count(*) as size from scored_profiles where {" and ".join(f"{c} is not null" for c in block)}
        group by {columns} having count(*) between 2 and {LARGEST_TRAINING_GROUP}
    """
    row = connection.execute(f"select coalesce(sum(size * (size - 1) // 2), 0) from ({groups})").fetchone()
    parts = (int(row[0]) if row else 0) // TRAINING_PAIRS + 1
    return f"""
        select l.n as a, r.n as b
        from (from ({groups}) where hash({columns}) % {parts} = 0)
        join scored_profiles as l using ({columns}) join scored_profiles as r using ({columns})
        where l.n < r.n
    """


def maximize_expectation(
    comparisons: Sequence[Comparison], levels: np.ndarray, counts: np.ndarray, share: float
) -> list[list[float] | None]:
    """The `m` of each comparison under which the counted levels are most likely, `u` being known.

    `share` is the share of matches among the pairs to begin with, 0 to 1.

    Expectation maximization for the model of Fellegi and Sunter (1969), as by Winkler (1988): fields are independent
    within matches and within non-matches. A comparison without any value teaches nothing: None.
    """
    import numpy as np

    present = levels >= 0
    m = [np.array(c.m) for c in comparisons]
    u_of_pair = np.ones(len(counts))
    for i, comparison in enumerate(comparisons):
        u_of_pair *= np.where(present[:, i], np.array(comparison.u)[levels[:, i]], 1)
    for _ in range(MOST_ITERATIONS):
        m_of_pair = np.ones(len(counts))
        for i, values in enumerate(m):
            m_of_pair *= np.where(present[:, i], values[levels[:, i]], 1)
        matches = counts * (share * m_of_pair / (share * m_of_pair + (1 - share) * u_of_pair))
        share = min(float(matches.sum() / counts.sum()), 0.9999)
        before, m = m, [_shares(levels[:, i], matches, values) for i, values in enumerate(m)]
        if max(float(abs(old - new).max()) for old, new in zip(before, m, strict=True)) < CONVERGENCE:
            break
    return [
        [found or shipped for found, shipped in zip(values.tolist(), c.m, strict=True)] if seen.any() else None
        for values, c, seen in zip(m, comparisons, present.T, strict=True)
    ]


def _shares(levels: np.ndarray, weights: np.ndarray, fallback: np.ndarray) -> np.ndarray:
    import numpy as np

    found = np.array(sum_by_level(levels, weights, len(fallback)))
    return found / found.sum() if found.sum() > 0 else fallback


def count_matches(
    comparisons: Sequence[Comparison], levels: np.ndarray, counts: np.ndarray, prior: float
) -> list[float]:
    """By comparison, how many of the pairs in which it has values are one person as far as all others tell."""
    import numpy as np

    odds = find_odds(comparisons, levels, prior)
    found = []
    for i, comparison in enumerate(comparisons):
        has_values = levels[:, i] >= 0
        ratio = [m / u for m, u in zip(comparison.m, comparison.u, strict=True)]
        by_others = odds[has_values] / np.array(ratio)[levels[has_values, i]]
        found.append(float(counts[has_values][by_others >= SURE_ODDS].sum()))
    return found


def trusted_m(comparison: Comparison, lessons: list[list[float]]) -> list[float] | None:
    """The mean of what the blocks taught, None when it does not say that persons agree more with themselves."""
    if not lessons:
        return None
    shipped, u = comparison.m, comparison.u
    mean = [sum(values) / len(values) for values in zip(*lessons, strict=True)]
    if mean[0] < LEAST_AGREEING:
        return None
    m = normalize([max(value, s / 10) for s, value in zip(shipped, mean, strict=True)])
    first = comparison.first_difference
    if (differing := sum(m[first:])) > comparison.most_disagreeing:
        agreeing, differing = (
            (1 - comparison.most_disagreeing) / sum(m[:first]),
            comparison.most_disagreeing / differing,
        )
        m = normalize([x * (agreeing if i < first else differing) for i, x in enumerate(m)])
    return m if m[0] > u[0] and m[-1] < u[-1] else None


def _estimate_prior(connection: DuckDBPyConnection, profile_count: int) -> float:
    """The probability that two profiles taken at random are one person, from what the exact rules found."""
    found = max(_count_exact(connection), profile_count // 100, 1)
    return min(found / EXACT_RECALL / _count_all(profile_count), LARGEST_PRIOR)


def _count_pairs(connection: DuckDBPyConnection, pairs: str) -> tuple[np.ndarray, np.ndarray]:
    """How often which levels occur among the pairs (`a`, `b`), see `count_levels`; of many, a part is counted."""
    parts = _count_parts(connection, pairs)
    levels, counts = count_levels(connection, COMPARISONS, _choose_part(pairs, parts))
    return levels, counts * parts


def _count_parts(connection: DuckDBPyConnection, pairs: str) -> int:
    row = connection.execute(f"select count(*) from ({pairs})").fetchone()
    return max(1, (int(row[0]) if row else 0) // PRIOR_PAIRS)


def _choose_part(pairs: str, parts: int) -> str:
    return f"select a, b from ({pairs}) where hash(a, b) % {parts} = 0"


def _add_counts(
    one: tuple[np.ndarray, np.ndarray], other: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Levels and counts of both."""
    import numpy as np

    return np.concatenate([one[0], other[0]]), np.concatenate([one[1], other[1]])


def _observe_prior(
    comparisons: Sequence[Comparison],
    levels: np.ndarray,
    counts: np.ndarray,
    prior: float,
    exact: int,
    all_pairs: float,
) -> float:
    """The share of all pairs of profiles that are matches: those of the exact rules, and the blocked ones.

    The blocked ones count by their odds under the given prior.
    """
    odds = find_odds(comparisons, levels, prior)
    scored = float((counts * (odds / (1 + odds))).sum())
    return float(f"{min(max(exact + scored, 1) / all_pairs, LARGEST_PRIOR):.4g}")


def _count_exact(connection: DuckDBPyConnection) -> int:
    """The pairs of scored profiles that exact rules linked."""
    row = connection.execute(
        "select count(*) from exact_edges semi join scored_profiles as l on a = l.n "
        "semi join scored_profiles as r on b = r.n"
    ).fetchone()
    return int(row[0]) if row else 0


def _count_all(profile_count: int) -> float:
    return max(profile_count * (profile_count - 1) / 2, 1)
