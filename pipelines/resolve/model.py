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
FEWEST_TRAINING_PAIRS = 50

# Share of the true pairs of profiles that the exact rules are taken to find, for the prior of the rest.
EXACT_RECALL = 0.6
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
            m = [level.m for level in comparison.levels]
            sampled = self.sampled_u.get(comparison.name, [level.u for level in comparison.levels])
            u = [max(b - prior * a, b / 20) for a, b in zip(m, sampled, strict=True)]
            comparisons.append(comparison.with_probabilities(m, _normalized(u) if self.sampled_u else sampled))
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
            street, house_number, postal_code, city,
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
    used = _usable_comparisons(connection)
    prior = _estimate_prior(connection, profile_count)
    is_trainable = profile_count >= TRAINABLE_PROFILES
    if not used or not is_trainable:
        return Model(used, prior, ())
    linker, _ = _open_linker(connection, splink_settings(used, prior, use_frequencies=False))
    linker.training.estimate_u_using_random_sampling(
        max_pairs=RANDOM_PAIRS, seed=seed, min_count_per_level=None, num_chunks=1
    )
    columns = {c for comparison in used for c in comparison.columns}
    for block in _TRAINING_BLOCKS:
        if set(block) <= columns:
            _train_on_block(connection, linker, block)
    learned = linker.misc.save_model_to_json(out_path=None)
    linker.table_management.delete_tables_created_by_splink_from_db()
    final, trained, sampled_u = [], [], {}
    for comparison, found in zip(used, learned["comparisons"], strict=True):
        levels = [level for level in found["comparison_levels"] if not level.get("is_null_level")]
        u = _trusted_u(comparison, levels)
        m = _trusted_m(comparison, levels, u)
        sampled_u[comparison.name] = u
        if m != [level.m for level in comparison.levels]:
            trained.append(comparison.name)
        final.append(comparison.with_probabilities(m, u))
    return Model(tuple(final), prior, tuple(trained), sampled_u, uses_frequencies=True).with_prior(prior)


def score_pairs(connection: DuckDBPyConnection, model: Model) -> None:
    """Create `scores` (`a`, `b`, `match_weight`, `match_probability`): one row per pair of `blocked_pairs`.

    The prior is first guessed from the exact rules, then taken from the scores themselves.
    """
    connection.execute("create table scores (a integer, b integer, match_weight double, match_probability double)")
    pairs = connection.execute("select count(*) from blocked_pairs").fetchone()
    if not model.comparisons or not pairs or not pairs[0]:
        return
    _predict(connection, model)
    observed = _observe_prior(connection)
    if max(observed, model.prior) > PRIOR_TOLERANCE * min(observed, model.prior):
        _predict(connection, model.with_prior(observed))


def _predict(connection: DuckDBPyConnection, model: Model) -> None:
    settings = splink_settings(model.comparisons, model.prior, use_frequencies=model.uses_frequencies)
    linker, api = _open_linker(connection, settings)
    linker.table_management.register_blocked_pairs_for_predict(api.register("blocked_pairs"))
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


def _observe_prior(connection: DuckDBPyConnection) -> float:
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
    return float(f"{min(max(exact + scored, 1) / pairs, LARGEST_PRIOR):.4g}")


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
        "select count(*) from exact_edges semi join scored_profiles as l on a = l.n semi join scored_profiles as r on b = r.n"
    ).fetchone()
    found = max(int(row[0]) if row else 0, profile_count // 100, 1)
    pairs = max(profile_count * (profile_count - 1) / 2, 1)
    return round(min(found / EXACT_RECALL / pairs, LARGEST_PRIOR), 12)


def _train_on_block(connection: DuckDBPyConnection, linker: Any, block: tuple[str, ...]) -> None:
    from splink.internals.exceptions import EMTrainingException, SplinkException

    keys = ", ".join(block)
    row = connection.execute(
        f"select sum(c * (c - 1) / 2) from (select count(*) as c from scored_profiles "
        f"where {' and '.join(f'{c} is not null' for c in block)} group by {keys})"
    ).fetchone()
    if row is None or (row[0] or 0) < FEWEST_TRAINING_PAIRS:
        return
    try:
        linker.training.estimate_parameters_using_expectation_maximisation(
            " and ".join(f"l.{c} = r.{c}" for c in block),
            estimate_without_term_frequencies=True,
            max_pairs=TRAINING_PAIRS if row[0] > TRAINING_PAIRS else None,
            record_sample_proportion=0.1,
        )
    except (EMTrainingException, SplinkException):
        return  # this block teaches nothing; the shipped values or another block's stand


def _trusted_u(comparison: Comparison, learned: list[dict[str, Any]]) -> list[float]:
    """Learned where observed, shipped where not, adding up to one."""
    values = [_number(f.get("u_probability")) for f in learned]
    u = [
        level.u if value is None or level.is_rare else value
        for level, value in zip(comparison.levels, values, strict=True)
    ]
    return _normalized(u)


def _trusted_m(comparison: Comparison, learned: list[dict[str, Any]], u: list[float]) -> list[float]:
    """Learned when it says that persons agree with themselves more than with others, else shipped."""
    shipped = [level.m for level in comparison.levels]
    values = [_number(f.get("m_probability")) for f in learned]
    m = _normalized([s if v is None else max(v, s / 10) for s, v in zip(shipped, values, strict=True)])
    if m[-1] > comparison.most_disagreeing:
        agreeing = sum(m[:-1])
        scale = (1 - comparison.most_disagreeing) / agreeing
        m = _normalized([*(x * scale for x in m[:-1]), comparison.most_disagreeing])
    if m[0] < 0.2 or m[0] <= u[0] or m[-1] >= u[-1]:
        return shipped
    return m


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _normalized(values: list[float]) -> list[float]:
    total = sum(values)
    return [round(v / total, 8) for v in values]
