"""Score pairs of profiles with Splink: train the shipped model on the data at hand without labels, then predict.

Change here how parameters are learned and when a learned one is trusted. What is compared is in `comparisons`; what a
score leads to is decided in `guards` and `clustering`.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pipelines.resolve.comparisons import COMPARISONS, Comparison, splink_settings

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# Below this many profiles frequencies and random pairs say nothing about the population.
TRAINABLE_PROFILES = 500
RANDOM_PAIRS = 200_000
TRAINING_PAIRS = 100_000
LEAST_AGREEING = 0.2  # a field in which records of one person are equal more rarely was not understood
FEWEST_TRAINING_PAIRS = 50

# Share of the true pairs of profiles that the exact rules are taken to find, for the prior of the rest.
EXACT_RECALL = 0.6
PRIOR_PAIRS = 100_000  # so many scored pairs show the prior well enough
PRIOR_TOLERANCE = 1.1  # a prior that was guessed this well, as a factor, stands
LARGEST_PRIOR = 0.005

# When more than this share of the pairs of one person differ clearly in a first name or birth date, a difference in
# it is weighed. Below, it is a conflict: then it is rather a twin, a parent or a namesake than an error.
UNRELIABLE_SHARE = 0.05

# Each trains what it does not fix. Both names or a birth date are in each: blocks of less hold mostly households,
# whose members EM would take for one person.
_TRAINING_BLOCKS = (
    ("first_name", "last_name", "birth_date"),
    ("first_name", "last_name", "email"),
    ("first_name", "last_name", "postal_code"),
    ("first_name", "email"),
    ("birth_date", "postal_code"),
    ("birth_date", "email"),
)


@dataclass(frozen=True)
class Model:
    """The parameters used.

    Attributes:
        comparisons: those that the data has values for.
        prior: the probability that two profiles taken at random are one person.
        trained: names of the comparisons whose `m` was learned.
        sampled_u: by comparison, how often random pairs reach each level; true pairs are among them.
        uses_frequencies: whether rare values count for more.
    """

    comparisons: tuple[Comparison, ...]
    prior: float
    trained: tuple[str, ...]
    sampled_u: dict[str, list[float]] = field(default_factory=dict)
    uses_frequencies: bool = False

    def is_reliable(self, field: str) -> bool:
        """Whether the records of one person hardly ever differ clearly in this field, as far as the data shows."""
        differing = [c.levels[-1].m for c in self.comparisons if c.name == field and c.name in self.trained]
        return not differing or differing[0] < UNRELIABLE_SHARE

    def with_prior(self, prior: float) -> Model:
        """The model under another prior.

        Of the random pairs that agree in something rare most may be true ones; their share is taken out of `u`.
        """
        comparisons = []
        for comparison in self.comparisons:
            sampled = self.sampled_u.get(comparison.name)
            if sampled is not None:
                u = _normalized([max(b - prior * a, b / 20) for a, b in zip(comparison.m, sampled, strict=True)])
                comparison = comparison.with_probabilities(comparison.m, u)
            comparisons.append(comparison)
        return replace(self, comparisons=tuple(comparisons), prior=prior)


def create_scored_profiles(connection: DuckDBPyConnection) -> int:
    """Create `scored_profiles`, the profiles of which enough is known to be compared; returns their number."""
    connection.execute(
        """
        create table scored_profiles as
        select n, squeeze(first_name) as first_name, squeeze(last_name) as last_name,
            strftime(birth_date, '%Y%m%d') as birth_date, email,
            telling_user(email, first_name, last_name) as email_user,
            without_dots(email) as email_plain, digits_of(email) as email_digits,
            case when len(phones) > 0 then phones end as phones,
            street, house_number, postal_code, city, identifier_kinds, identifier_values,
        from profiles
        where person_kind is distinct from 'role_mailbox'
          and (first_name is not null or last_name is not null)
        order by n
        """
    )
    row = connection.execute("select count(*) from scored_profiles").fetchone()
    return int(row[0]) if row else 0


def train_model(connection: DuckDBPyConnection, profile_count: int, seed: int) -> Model:
    """Learn the parameters, keeping the shipped ones where the data is too thin or the result makes no sense."""
    shipped = _usable_comparisons(connection)
    prior = _estimate_prior(connection, profile_count)
    if not shipped or profile_count < TRAINABLE_PROFILES:
        return Model(shipped, prior, ())
    sampled = _sample_u(connection, shipped, prior, seed)
    lessons = _learn_m(connection, sampled, prior)
    final, trained = [], []
    for comparison in sampled:
        learned = lessons.get(comparison.name, [])
        m = _trusted_m(comparison, learned)
        if m is not None:
            trained.append(comparison.name)
        final.append(comparison.with_probabilities(m or comparison.m, comparison.u))
    sampled_u = {comparison.name: comparison.u for comparison in sampled}
    return Model(tuple(final), prior, tuple(trained), sampled_u, uses_frequencies=True).with_prior(prior)


def score_pairs(connection: DuckDBPyConnection, model: Model) -> None:
    """Create `scores` (`a`, `b`, `match_weight`, `match_probability`): one row per pair of `blocked_pairs`.

    The prior is first guessed from the exact rules, then taken from the scores of (a part of) the pairs themselves.
    """
    connection.execute("create table scores (a integer, b integer, match_weight double, match_probability double)")
    pairs = connection.execute("select count(*) from blocked_pairs").fetchone()
    if not model.comparisons or not pairs or not pairs[0]:
        return
    parts = max(1, int(pairs[0]) // PRIOR_PAIRS)
    _predict(connection, model, parts)
    observed = _observe_prior(connection, parts)
    if parts > 1 or max(observed, model.prior) > PRIOR_TOLERANCE * min(observed, model.prior):
        _predict(connection, model.with_prior(observed))


def _predict(connection: DuckDBPyConnection, model: Model, parts: int = 1) -> None:
    """Fill `scores` from `blocked_pairs`, or from one of so many `parts` of them."""
    pairs = "blocked_pairs"
    if parts > 1:
        pairs = "sampled_pairs"
        connection.execute(
            f"create table {pairs} as from blocked_pairs where hash(join_key_l, join_key_r) % {parts} = 0"
        )
    settings = splink_settings(model.comparisons, model.prior, use_frequencies=model.uses_frequencies)
    linker, api = _open_linker(connection, settings)
    linker.table_management.register_blocked_pairs_for_predict(api.register(pairs))
    predictions = linker.inference.predict(warning_mode="never")
    # Sums of floats depend on the order of threads in the last digits; an ordering must not.
    connection.execute(
        f"""
        create or replace table scores as
        select least(n_l, n_r) as a, greatest(n_l, n_r) as b, round(match_weight, 4) as match_weight,
            round(match_probability, 6) as match_probability
        from {predictions.physical_name}
        """
    )
    linker.table_management.delete_tables_created_by_splink_from_db()


def _observe_prior(connection: DuckDBPyConnection, parts: int) -> float:
    """The share of all pairs of profiles that are matches: those of the exact rules, and the scored by their odds."""
    row = connection.execute(
        """
        select (select count(*) from scored_profiles),
            (select count(*) from exact_edges semi join scored_profiles as l on a = l.n
             semi join scored_profiles as r on b = r.n),
            (select coalesce(sum(match_probability::decimal(9, 6)), 0)::double from scores)
        """
    ).fetchone()
    count, exact, scored = row or (0, 0, 0.0)
    pairs = max(count * (count - 1) / 2, 1)
    return float(f"{min(max(exact + scored * parts, 1) / pairs, LARGEST_PRIOR):.4g}")


def _open_linker(connection: DuckDBPyConnection, settings: dict[str, Any]) -> tuple[Any, Any]:
    from splink import Linker
    from splink.backends.duckdb import DuckDBAPI

    logging.getLogger("splink").setLevel(logging.ERROR)
    api = DuckDBAPI(connection=connection)
    return Linker(api.register("scored_profiles"), settings, validate_settings=False, log_level=None), api


def _usable_comparisons(connection: DuckDBPyConnection) -> tuple[Comparison, ...]:
    """The comparisons that have at least two values to compare."""
    columns = sorted({c for comparison in COMPARISONS for c in comparison.columns})
    counts = connection.execute(f"select {', '.join(f'count({c})' for c in columns)} from scored_profiles").fetchone()
    filled = {c for c, count in zip(columns, counts or (), strict=True) if count >= 2}
    return tuple(c for c in COMPARISONS if filled & set(c.columns))


def _estimate_prior(connection: DuckDBPyConnection, profile_count: int) -> float:
    """The probability that two profiles taken at random are one person, from what the exact rules found."""
    row = connection.execute(
        "select count(*) from exact_edges semi join scored_profiles as l on a = l.n "
        "semi join scored_profiles as r on b = r.n"
    ).fetchone()
    found = max(int(row[0]) if row else 0, profile_count // 100, 1)
    pairs = max(profile_count * (profile_count - 1) / 2, 1)
    return round(min(found / EXACT_RECALL / pairs, LARGEST_PRIOR), 12)


def _sample_u(
    connection: DuckDBPyConnection, comparisons: tuple[Comparison, ...], prior: float, seed: int
) -> tuple[Comparison, ...]:
    """The comparisons with the `u` that random pairs show; levels that none of them reached keep the shipped one."""
    linker, _ = _open_linker(connection, splink_settings(comparisons, prior, use_frequencies=False))
    linker.training.estimate_u_using_random_sampling(
        max_pairs=RANDOM_PAIRS, seed=seed, min_count_per_level=None, num_chunks=1
    )
    found = _read_probabilities(linker, "u_probability")
    linker.table_management.delete_tables_created_by_splink_from_db()
    return tuple(
        comparison.with_probabilities(
            comparison.m,
            _normalized(
                [
                    level.u if value is None or level.is_rare else value
                    for level, value in zip(comparison.levels, found[comparison.name], strict=True)
                ]
            ),
        )
        for comparison in comparisons
    )


def _learn_m(
    connection: DuckDBPyConnection, comparisons: tuple[Comparison, ...], prior: float
) -> dict[str, list[list[float]]]:
    """What each training block taught: by comparison one `m` per level and block. Blocks do not know of each other."""
    from splink.internals.exceptions import EMTrainingException, SplinkException

    lessons: dict[str, list[list[float]]] = {}
    columns = {c for comparison in comparisons for c in comparison.columns}
    for block in _TRAINING_BLOCKS:
        pairs = _count_pairs(connection, block) if set(block) <= columns else 0
        if pairs < FEWEST_TRAINING_PAIRS:
            continue
        linker, _ = _open_linker(connection, splink_settings(comparisons, prior, use_frequencies=False))
        try:
            linker.training.estimate_parameters_using_expectation_maximisation(
                " and ".join(f"l.{c} = r.{c}" for c in block),
                estimate_without_term_frequencies=True,
                max_pairs=TRAINING_PAIRS if pairs > TRAINING_PAIRS else None,
                record_sample_proportion=0.1,
            )
        except (EMTrainingException, SplinkException):
            continue  # this block teaches nothing
        finally:
            linker.table_management.delete_tables_created_by_splink_from_db()
        found = _read_probabilities(linker, "m_probability")
        for comparison in comparisons:
            if not set(block) & set(comparison.trained_on):
                m = [s if v is None else v for s, v in zip(comparison.m, found[comparison.name], strict=True)]
                lessons.setdefault(comparison.name, []).append(m)
    return lessons


def _count_pairs(connection: DuckDBPyConnection, block: tuple[str, ...]) -> int:
    row = connection.execute(
        f"select coalesce(sum(c * (c - 1) // 2), 0)::bigint from (select count(*) as c from scored_profiles "
        f"where {' and '.join(f'{c} is not null' for c in block)} group by {', '.join(block)})"
    ).fetchone()
    return int(row[0]) if row else 0


def _read_probabilities(linker: Any, which: str) -> dict[str, list[float | None]]:
    """By comparison the probability of each level but the missing one; None where it was not observed."""
    model = linker.misc.save_model_to_json(out_path=None)
    return {
        comparison["output_column_name"]: [
            float(value) if isinstance(value := level.get(which), int | float) else None
            for level in comparison["comparison_levels"]
            if not level.get("is_null_level")
        ]
        for comparison in model["comparisons"]
    }


def _trusted_m(comparison: Comparison, lessons: list[list[float]]) -> list[float] | None:
    """The mean of what the blocks taught, None when it does not say that persons agree more with themselves."""
    if not lessons:
        return None
    shipped, u = comparison.m, comparison.u
    mean = [sum(values) / len(values) for values in zip(*lessons, strict=True)]
    if mean[0] < LEAST_AGREEING:
        return None
    m = _normalized([max(value, s / 10) for s, value in zip(shipped, mean, strict=True)])
    if m[-1] > comparison.most_disagreeing:
        scale = (1 - comparison.most_disagreeing) / sum(m[:-1])
        m = _normalized([*(x * scale for x in m[:-1]), comparison.most_disagreeing])
    return m if m[0] > u[0] and m[-1] < u[-1] else None


def _normalized(values: list[float]) -> list[float]:
    """Shares that add up to one, in five digits: sums over threads differ in their last ones."""
    total = sum(values)
    return [float(f"{value / total:.5g}") for value in values]
