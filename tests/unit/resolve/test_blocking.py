"""Blocks keep the pairs per profile bounded, whatever the size of the register, and lose nothing that people carry."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest
from duckdb import DuckDBPyConnection

from pipelines.resolve.blocking import MAX_BLOCK, Blocking, block_profiles, largest_undivided

SMALL, LARGE = 20_000, 1_000_000  # profiles of a register that a model was learned from
TEXTS = (
    "first_name", "last_name", "last_sound", "birth_date", "email", "email_user", "email_plain", "email_domain",
    "street", "house_number", "postal_code", "city",
)  # fmt: skip


@pytest.fixture
def connection() -> Iterator[DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("create table exact_edges (a integer, b integer)")
        yield connection


def block(connection: DuckDBPyConnection, count: int, learned_from: int, **columns: str) -> Blocking:
    """Block `count` profiles, each column given as SQL over their number `n`; the others are not known."""
    texts = ", ".join(f"({columns.get(name, 'null')})::text as {name}" for name in TEXTS)
    connection.execute(
        f"create or replace table scored_profiles as select n::integer as n, {texts}, null::text[] as phones, "
        f"null::text[] as identifier_values from range({count}) as t(n)"
    )
    for table in ("in_blocks", "blocked_pairs", "blocked", "divided", "block_parts", "oversized"):
        connection.execute(f"drop table if exists {table}")
    return block_profiles(connection, learned_from)


def test_pairs_per_profile_do_not_grow_with_the_register(connection: DuckDBPyConnection) -> None:
    def count_per_profile(profiles: int) -> float:
        blocking = block(
            connection,
            profiles,
            profiles,
            first_name="'first' || hash(n, 1) % 90",
            last_name="'last' || hash(n, 2) % 300",
            postal_code="hash(n, 3) % 50",
            street="'street' || hash(n, 4) % 100",
            house_number="hash(n, 5) % 60",
        )
        return blocking.pair_count / profiles

    assert count_per_profile(200_000) < 2 * count_per_profile(10_000)


def test_who_shares_a_mailbox_is_compared_with_all_others_in_any_register(connection: DuckDBPyConnection) -> None:
    names = {"first_name": "'first' || n", "last_name": "'last' || n"}
    assert block(connection, 30, LARGE, email="'office@x.de'", **names) == Blocking(435, 0, 0)


@pytest.mark.parametrize(
    ("learned_from", "pairs", "divided"), [(SMALL, 435, 0), (LARGE, 60, 23)], ids=["small", "large"]
)
def test_namesakes_are_divided_where_there_are_many(
    connection: DuckDBPyConnection, learned_from: int, pairs: int, divided: int
) -> None:
    name = {"first_name": "'anna'", "last_name": "'koch'"}
    # Six birth dates with five namesakes each, 10 pairs a date; the five places with six each are too large as well.
    found = block(connection, 30, learned_from, birth_date="19800101 + n % 6", postal_code="10000 + n // 6", **name)
    assert found == Blocking(pairs, divided, 0)


def test_what_is_alike_in_everything_is_compared_as_it_is_and_told_when_it_is_too_much(
    connection: DuckDBPyConnection,
) -> None:
    name = {"first_name": "'anna'", "last_name": "'koch'"}
    assert block(connection, 30, LARGE, **name) == Blocking(435, 2, 0)
    assert block(connection, MAX_BLOCK + 1, LARGE, **name) == Blocking(0, 2, MAX_BLOCK + 1)


def test_the_largest_undivided_block_falls_with_the_register() -> None:
    assert [largest_undivided(n) for n in (0, 9_000, 72_000, 144_000, 10**7)] == [80, 80, 10, 5, 5]
