"""What people are asked about: near misses and weak links, the most consequential first, and nothing twice."""

from __future__ import annotations

from typing import Any

from duckdb import DuckDBPyConnection

from pipelines.configuration.identity import IdentityConfig
from tests.unit.resolve.conftest import Resolve, fetch
from tests.unit.resolve.test_resolve import make_people

STRICT = 0.9999


def _queue(resolve: Resolve, warehouse: DuckDBPyConnection, match_probability: float) -> list[dict[str, Any]]:
    fields = {"record_key", "first_name", "last_name", "postal_code"}
    rows = [{name: value for name, value in row.items() if name in fields} for row in make_people(300)]
    resolve(rows, identity=IdentityConfig(match_probability=match_probability))
    return fetch(warehouse, "review_queue")


def test_the_queue_asks_about_two_customers_once_and_ranks_by_what_a_decision_changes(
    resolve: Resolve, warehouse: DuckDBPyConnection
) -> None:
    queue = _queue(resolve, warehouse, STRICT)
    members = dict(warehouse.execute("from identity.members").fetchall())
    assert [row["rank"] for row in queue] == list(range(1, len(queue) + 1))
    near = [row for row in queue if row["reason"] == "grey_zone"]
    assert near
    pairs = [frozenset((members[row["record_key_a"]], members[row["record_key_b"]])) for row in near]
    assert len(set(pairs)) == len(pairs)
    for row in near:
        assert members[row["record_key_a"]] != members[row["record_key_b"]]
        assert 0.5 <= row["match_probability"] < STRICT
    effects = [row["record_count_a"] * row["record_count_b"] for row in near]
    assert effects == sorted(effects, reverse=True)


def test_what_is_certain_is_not_asked_about(resolve: Resolve, warehouse: DuckDBPyConnection) -> None:
    strict, usual = (_queue(resolve, warehouse, p) for p in (STRICT, 0.9))
    assert len(usual) < len(strict)
    assert {row["reason"] for row in usual} <= {"grey_zone", "weak_link"}
