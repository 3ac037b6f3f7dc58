"""What is weighed: what follows from other columns, and the same weights however Splink reads the profiles."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
from duckdb import DuckDBPyConnection

from pipelines.resolve import scoring
from pipelines.resolve.comparisons import COMPARISONS, DERIVED, level_of
from pipelines.resolve.folding import create_macros
from pipelines.resolve.model import FREQUENCY_TABLE_COLUMNS, SHIPPED, Model
from pipelines.resolve.scoring import create_scored_profiles, score_pairs
from pipelines.settings import Settings

# Names of one word and of two, mailboxes that say the name and more, values that are not known.
PROFILES = """
create table profiles as
select * from (values
    (1, 'anna maria', 'von berg', date '1980-02-29', 'anna_berg84@x.de', ['+491'], 'ringstr', '1a', '10115', 'berlin'),
    (2, 'anna', 'berg', date '1960-01-01', 'die.tigerin@gmx.de', ['+491', '+492'], 'ringstr', '1a', '10115', 'berlin'),
    (3, null, 'muller', null, null, []::text[], null, null, '80331', 'munchen'),
    (4, 'hans', null, date '1980-02-28', 'hans@x', null, null, null, null, null)
) as t(n, first_name, last_name, birth_date, email, phones, street, house_number, postal_code, city),
(select null::text as person_kind, null::text[] as identifier_kinds, null::text[] as identifier_values);
create table first_names as
select first_name, {
    'stands_for': case when first_name = 'hans' then ['johannes', 'hans peter'] end,
    'spelling': spelling_of(squeeze(first_name))
} as usage
from (select distinct first_name from profiles where first_name is not null);
create table forms as select last_name, spelling_of(squeeze(last_name)) as last_spelling from profiles;
create table all_pairs as
select l.n as join_key_l, r.n as join_key_r from profiles as l join profiles as r on l.n < r.n
"""


@pytest.fixture
def connection() -> Iterator[DuckDBPyConnection]:
    with duckdb.connect() as connection:
        create_macros(connection)
        connection.execute(PROFILES)
        connection.execute(f"create table frequencies ({FREQUENCY_TABLE_COLUMNS})")
        assert create_scored_profiles(connection) == 4
        yield connection


def test_what_follows_from_other_columns_is_what_was_compared(connection: DuckDBPyConnection) -> None:
    filled = "select count(distinct email_user), count(last_sound) from scored_profiles"
    assert connection.execute(filled).fetchone() == (2, 3)
    for name, sql in DERIVED.items():
        differing = f"select n from scored_profiles where {name} is distinct from ({sql})"
        assert connection.execute(differing).fetchall() == [], name


def test_weights_are_the_same_whether_splink_copies_the_profiles_or_not(
    connection: DuckDBPyConnection, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from splink.internals.linker_components import inference

    calls: list[Any] = []
    copying = inference.predict_from_blocked_pairs_with_source_pruning

    def count_calls(*arguments: Any) -> Any:
        calls.append(arguments)
        return copying(*arguments)

    def weigh(few_pairs: int) -> list[tuple[Any, ...]]:
        monkeypatch.setattr(scoring, "FEW_PAIRS", few_pairs)
        connection.execute("create table blocked_pairs as from all_pairs")
        assert score_pairs(connection, settings, Model(SHIPPED, COMPARISONS, 0.01)) == 6
        weights = connection.execute("from scores order by a, b").fetchall()
        connection.execute("drop table scores")
        return weights

    monkeypatch.setattr(inference, "predict_from_blocked_pairs_with_source_pruning", count_calls)
    copied = weigh(few_pairs=100)
    assert len(calls) == 1
    assert weigh(few_pairs=0) == copied
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("one", "other", "is_near"),
    [("leila", "layla", True), ("ibrahim", "ebrahim", True), ("lea", "lia", False), ("leila", "nadia", False)],
)
def test_one_name_in_another_spelling_is_as_near_as_a_slip(one: str, other: str, is_near: bool) -> None:
    (comparison,) = (c for c in COMPARISONS if c.name == "first_name")
    unknown = {"first_name", "first_spelling"} ^ comparison.trained_on
    nothing = ", ".join(
        f"null::text{'[]' if name == 'stands_for' else ''} as {name}_{s}" for name in unknown for s in "lr"
    )
    with duckdb.connect() as connection:
        create_macros(connection)
        reached = connection.execute(
            f"select {level_of(comparison)} from (select $1 as first_name_l, $2 as first_name_r, "
            f"spelling_of($1) as first_spelling_l, spelling_of($2) as first_spelling_r, {nothing})",
            [one, other],
        ).fetchone()
    assert reached is not None
    assert comparison.levels[reached[0]].name.startswith("a slip away") == is_near
