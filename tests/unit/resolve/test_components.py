"""Components that something moved are cut anew, and all others are what they would have become as well."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import duckdb
import pytest
from duckdb import DuckDBPyConnection

from pipelines.resolve.components import find_clusters
from pipelines.resolve.folding import create_macros
from pipelines.resolve.guards import Reliability
from pipelines.resolve.increments import renew_clusters
from pipelines.resolve.slices import Slices

Pair = tuple[int, int]

# Anna and Bernd are two, whoever has no first name may be either, and Anna of 1960 and of 1990 are two.
FORMS = (("anna", "1960-01-01"), ("anna", "1990-05-05"), ("anna", None), ("bernd", None), (None, None))
TABLES = {
    "forms": "form integer, first_name text, last_name text, birth_date date, generation integer, last_spelling text, "
    "usage struct(bearers bigint, is_known boolean, gender text, stands_for text[], spelling text)",
    "records": "n integer, form integer, first_name text, birth_date date, email text, phones text[], "
    "postal_code text, street text, house_number text",
    "exact_edges": "a integer, b integer, rule text, rank integer",
    "scored_candidates": "a integer, b integer, rule text, rank integer, match_weight double",
    "scores": "a integer, b integer, match_weight double",
    "must_links": "a integer, b integer",
    "cannot_links": "a integer, b integer",
}
CANDIDATES = (
    "create view candidates as select *, null::double as match_weight from exact_edges union all from scored_candidates"
)


@dataclass(frozen=True)
class State:
    """Records with their form, exact links with their rank, weights of pairs, and decisions. Pairs are a < b."""

    forms: dict[int, int]
    exact: dict[Pair, int] = field(default_factory=dict)
    weights: dict[Pair, float] = field(default_factory=dict)
    must: frozenset[Pair] = frozenset()
    cannot: frozenset[Pair] = frozenset()

    def rows(self) -> dict[str, list[tuple[object, ...]]]:
        scored = {pair: weight for pair, weight in self.weights.items() if weight > 4 and pair not in self.exact}
        return {
            "records": [
                (n, form, *FORMS[form], f"m{n % 4}@x.de" if n % 3 else None, [], None, None, None)
                for n, form in self.forms.items()
            ],
            "exact_edges": [(*pair, "rule", rank) for pair, rank in self.exact.items()],
            "scored_candidates": [(*pair, "splink", 100, weight) for pair, weight in scored.items()],
            "scores": [(*pair, weight) for pair, weight in self.weights.items()],
            "must_links": sorted(self.must),
            "cannot_links": sorted(self.cannot),
        }


@pytest.fixture(scope="module")
def connection() -> Iterator[DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("attach ':memory:' as scratch; attach ':memory:' as kept; use scratch.main")
        create_macros(connection)
        yield connection


GROUP = 5  # records that may be one person


def make_state(chance: random.Random, size: int) -> State:
    pairs = [(a, b) for a in range(size) for b in range(a + 1, a + GROUP - a % GROUP)]
    return State(
        forms={n: chance.choice((0, 1, 2, 3, 4, 4)) for n in range(size)},
        exact={pair: chance.randrange(5) for pair in chance.sample(pairs, size // 3)},
        weights={pair: chance.choice((-12.0, -3.0, 5.0, 9.0)) for pair in chance.sample(pairs, size)},
        must=frozenset(chance.sample(pairs, 2)),
        cannot=frozenset(chance.sample(pairs, 3)),
    )


def change(state: State, kind: str, chance: random.Random) -> State:
    """The state with one thing of a kind come, gone or otherwise."""
    n = chance.choice(sorted(state.forms))
    if kind == "form":
        return replace(state, forms=state.forms | {n: (state.forms[n] + 1) % len(FORMS)})
    if kind == "record gone":
        return State(
            {m: form for m, form in state.forms.items() if m != n},
            {pair: rank for pair, rank in state.exact.items() if n not in pair},
            {pair: weight for pair, weight in state.weights.items() if n not in pair},
            frozenset(pair for pair in state.must if n not in pair),
            frozenset(pair for pair in state.cannot if n not in pair),
        )
    against = sorted(pair for pair, weight in state.weights.items() if weight < 0)  # no links
    if kind == "weight":
        pair = chance.choice(against)
        return replace(state, weights={**state.weights, pair: -15 - state.weights[pair]})
    if kind == "weight gone":
        pair = chance.choice(against)
        return replace(state, weights={p: weight for p, weight in state.weights.items() if p != pair})
    if kind == "profile gone":
        linked = {n for pair, weight in state.weights.items() if weight > 0 for n in pair}
        joined = {n for pair in state.exact for n in pair}
        n = chance.choice([n for pair in against for n in pair if n in joined - linked])
        return replace(state, weights={pair: weight for pair, weight in state.weights.items() if n not in pair})
    if kind == "link gone":
        pair = chance.choice(sorted(state.exact))
        return replace(state, exact={p: rank for p, rank in state.exact.items() if p != pair})
    pair = (min(n, other), max(n, other)) if (other := chance.choice([m for m in state.forms if m != n])) else (0, n)
    if kind == "link":
        return replace(state, exact={**state.exact, pair: 3})
    if kind == "must-link":
        return replace(state, must=frozenset(sorted(state.must)[1:]) | {pair})
    return replace(state, cannot=frozenset(sorted(state.cannot)[1:]) | {chance.choice(sorted(state.exact))})


KINDS = (
    "form",
    "record gone",
    "weight",
    "weight gone",
    "profile gone",
    "link gone",
    "link",
    "must-link",
    "cannot-link",
)


def fill(connection: DuckDBPyConnection, catalog: str, rows: dict[str, list[tuple[object, ...]]]) -> None:
    for table, values in rows.items():
        connection.execute(f"create or replace table {catalog}.{table} ({TABLES[table]})")
        if values:
            marks = ", ".join("?" for _ in values[0])
            connection.executemany(f"insert into {catalog}.{table} values ({marks})", values)


def start_anew(connection: DuckDBPyConnection) -> None:
    """Drop all of the scratch catalog, and create the forms, which are the same for all records of all times."""
    for kind in ("view", "table"):
        for (name,) in connection.execute(
            f"select {kind}_name from duckdb_{kind}s() where database_name = 'scratch' and not internal"
        ).fetchall():
            connection.execute(f"drop {kind} {name}")
    rows = [(i, *form) for i, form in enumerate(FORMS)]
    connection.execute(f"create table forms ({TABLES['forms']})")
    connection.executemany(
        "insert into forms by name select ? as form, ? as first_name, ?::date as birth_date, "
        "{'bearers': 50, 'is_known': true, 'gender': null, 'stands_for': null, 'spelling': first_name} as usage",
        rows,
    )


def cluster(connection: DuckDBPyConnection, state: State) -> None:
    start_anew(connection)
    fill(connection, "scratch", state.rows())
    connection.execute(CANDIDATES)
    find_clusters(connection, Reliability())


def read(connection: DuckDBPyConnection, catalog: str) -> list[list[tuple[object, ...]]]:
    tables = ("clustered", "cluster_refusals")
    return [connection.execute(f"from {catalog}.{table} order by all").fetchall() for table in tables]


@pytest.mark.parametrize("kind", KINDS)
def test_a_night_cuts_what_moved_and_gives_what_cutting_all_gives(connection: DuckDBPyConnection, kind: str) -> None:
    chance = random.Random(KINDS.index(kind))
    before = make_state(chance, 200)
    now = before
    for _ in range(12):
        now = change(now, kind, chance)
    cluster(connection, now)
    expected = read(connection, "scratch")
    cluster(connection, before)
    assert read(connection, "scratch") != expected, "the changes change nothing"
    for table in ("clustered", "cluster_refusals"):
        connection.execute(f"create or replace table kept.{table} as from {table}")
    fill(connection, "kept", before.rows())
    start_anew(connection)
    _tell_changes(connection, before, now)
    rows = now.rows()
    fill(connection, "kept", {table: rows[table] for table in ("records", "scores")})  # are matched by now
    fill(connection, "scratch", {t: values for t, values in rows.items() if t not in ("records", "scores")})
    connection.execute(CANDIDATES)
    renew_clusters(Slices(connection, "scratch.main"), Reliability())
    assert read(connection, "kept") == expected
    assert len(connection.execute("from regrouped_records").fetchall()) < 0.8 * len(now.forms)
    for table in ("scored_candidates", "must_links", "cannot_links"):
        assert connection.execute(f"from kept.{table} order by a, b").fetchall() == sorted(rows[table])


def _tell_changes(connection: DuckDBPyConnection, before: State, now: State) -> None:
    """Create what matching tells of a night: pairs of a profile that is gone are not told of one by one."""
    records = [(n,) for n in before.forms if now.forms.get(n) != before.forms[n]]
    weighed = {n for pair in now.weights for n in pair}
    compared = {n for pair in before.weights for n in pair if n not in weighed and n in now.forms}
    gone = [pair for pair in before.weights if pair not in now.weights and not compared.intersection(pair)]
    new = [pair for pair, weight in now.weights.items() if before.weights.get(pair) != weight]
    for table, columns, values in (
        ("renewed", "n integer", records),
        ("compared", "n integer", [(n,) for n in sorted(compared)]),
        ("gone_pairs", "a integer, b integer", gone),
        ("moved_edges", "a integer, b integer", sorted({pair for pair, _ in before.exact.items() ^ now.exact.items()})),
        ("new_scores", "a integer, b integer", new),
    ):
        connection.execute(f"create table {table} ({columns})")
        if values:
            connection.executemany(f"insert into {table} values ({', '.join('?' for _ in values[0])})", values)
