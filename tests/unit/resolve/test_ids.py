"""The life of an id, told in small stories: created, kept, merged, split, given back, retired."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from duckdb import DuckDBPyConnection
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pipelines.resolve.ids import EVENT_COLUMNS, HISTORY_COLUMNS, assign_ids

Clusters = list[set[str]]
AT = datetime.fromisoformat("2026-01-01")


class Ledger:
    """Ids over a sequence of published versions; records are one letter, older ones earlier in the alphabet."""

    def __init__(self, connection: DuckDBPyConnection) -> None:
        self.connection = connection
        self.version = 0
        for table, columns in (
            ("known_ids", HISTORY_COLUMNS),
            ("known_events", EVENT_COLUMNS),
            ("published_members", "record_key text, customer_id text"),
            ("former_members", "record_key text, customer_id text"),
            ("clusters", "record_key text, cluster integer, is_live boolean, created_at timestamp"),
        ):
            connection.execute(f"create or replace table {table} ({columns})")

    def publish(self, clusters: Clusters, deleted: str = "") -> dict[str, str]:
        """Assign ids to the clusters, make that the published version, and return the id of each record."""
        self.version += 1
        run = self.connection.execute
        rows = ", ".join(
            f"('{record}', {number}, {record not in deleted}, timestamp '2020-01-01 {ord(record) - 97:02}:00:00')"
            for number, cluster in enumerate(clusters)
            for record in sorted(cluster)
        )
        run("delete from clusters")
        if rows:
            run(f"insert into clusters values {rows}")
        for table in ("members", "settled", "new_history", "new_events", "id_history", "id_events"):
            run(f"drop table if exists {table}")
        assign_ids(self.connection, f"v{self.version:03}", AT)
        run(
            "create or replace table former_members as from (from published_members union all from former_members) "
            "where record_key not in (select record_key from members)"
        )
        run("create or replace table published_members as from members")
        for known, view in (("known_ids", "id_history"), ("known_events", "id_events")):
            run(f"create or replace table {known} as from {view}; drop view {view}")
            run(f"create table {view} as from {known}")
        return dict(run("from members").fetchall())

    def roll_back(self, published: dict[str, str]) -> None:
        """Publish former assignments again; the state keeps what the newest version said."""
        run = self.connection.execute
        run("insert into former_members from published_members")
        run("delete from published_members")
        run(f"insert into published_members values {', '.join(str(item) for item in published.items())}")

    def history(self) -> dict[str, tuple[str, str | None]]:
        rows = self.connection.execute("select customer_id, status, current_customer_id from id_history").fetchall()
        return {customer: (status, current) for customer, status, current in rows}

    def events(self) -> list[tuple[str, str, str | None]]:
        """(event, customer, other) of the latest version."""
        return self.connection.execute(
            "select event, customer_id, other_customer_id from id_events where version = ? order by all",
            [f"v{self.version:03}"],
        ).fetchall()


@pytest.fixture
def ledger(connection: DuckDBPyConnection) -> Ledger:
    return Ledger(connection)


def test_an_id_is_the_hash_of_the_oldest_record(ledger: Ledger) -> None:
    import base64
    import hashlib

    ids = ledger.publish([{"a", "b"}, {"c"}])
    for record, founder in (("a", "a"), ("b", "a"), ("c", "c")):
        digest = base64.b32encode(hashlib.sha256(founder.encode()).digest()).decode().lower()
        assert ids[record] == f"c_{digest[:16]}"


def test_a_second_run_changes_no_id_and_reports_no_event(ledger: Ledger) -> None:
    clusters: Clusters = [{"a", "b"}, {"c"}, {"d", "e"}]
    ids = ledger.publish(clusters)
    history = ledger.connection.execute("from id_history order by all").fetchall()
    assert ledger.publish(clusters) == ids
    assert ledger.events() == []
    assert ledger.connection.execute("from id_history order by all").fetchall() == history


def test_on_a_merge_the_older_id_survives_and_the_other_resolves_to_it(ledger: Ledger) -> None:
    first = ledger.publish([{"d", "e", "f"}])
    second = ledger.publish([{"d", "e", "f"}, {"a"}])
    merged = ledger.publish([{"a", "d", "e", "f"}])
    assert set(merged.values()) == {first["d"]}
    assert ledger.history()[second["a"]] == ("merged", first["d"])
    assert ledger.events() == [("merged", second["a"], first["d"])]


def test_of_ids_issued_together_that_of_the_oldest_record_survives(ledger: Ledger) -> None:
    """So that days that follow each other end with the ids of one run over everything."""
    records = "abcdef"
    apart = ledger.publish([{record} for record in records])
    for kept, merged in itertools.combinations(records, 2):
        together = ledger.publish([{kept, merged}, *({record} for record in records if record not in {kept, merged})])
        assert together[merged] == apart[kept]
        assert ledger.publish([{record} for record in records]) == apart


def test_on_a_split_the_larger_part_keeps_the_id(ledger: Ledger) -> None:
    before = ledger.publish([{"a", "b", "c"}])
    after = ledger.publish([{"a"}, {"b", "c"}])
    assert after["b"] == after["c"] == before["a"]
    assert after["a"] != before["a"]
    assert ledger.events() == [("created", after["a"], None), ("split", before["a"], after["a"])]


def test_live_records_count_for_the_larger_part(ledger: Ledger) -> None:
    before = ledger.publish([{"a", "b", "c"}])
    after = ledger.publish([{"a"}, {"b", "c"}], deleted="bc")
    assert after["a"] == before["a"]


def test_parts_of_one_size_leave_the_id_with_the_oldest_record(ledger: Ledger) -> None:
    before = ledger.publish([{"a", "b"}])
    after = ledger.publish([{"b"}, {"a"}])
    assert after["a"] == before["a"]
    assert after["b"] != before["b"]


def test_merge_then_split_gives_the_old_ids_back_even_to_the_larger_part(ledger: Ledger) -> None:
    before = ledger.publish([{"a"}, {"b", "c", "d"}])
    ledger.publish([{"a", "b", "c", "d"}])
    after = ledger.publish([{"a"}, {"b", "c", "d"}])
    assert after == before
    assert "restored" in {event for event, _, _ in ledger.events()}


def test_split_then_merge_then_split_gives_the_same_ids(ledger: Ledger) -> None:
    ledger.publish([{"a", "b", "c"}])
    split = ledger.publish([{"a"}, {"b", "c"}])
    ledger.publish([{"a", "b", "c"}])
    assert ledger.publish([{"a"}, {"b", "c"}]) == split


def test_an_id_without_records_is_retired_and_comes_back_with_them(ledger: Ledger) -> None:
    before = ledger.publish([{"a"}, {"b"}])
    ledger.publish([{"b"}])
    assert ledger.history()[before["a"]] == ("retired", None)
    assert ledger.publish([{"a"}, {"b"}]) == before
    assert ledger.history()[before["a"]] == ("active", before["a"])


def test_any_record_that_comes_back_has_its_id_also_without_the_founder(ledger: Ledger) -> None:
    before = ledger.publish([{"a", "b", "c"}, {"d"}])
    ledger.publish([{"d"}])
    assert ledger.publish([{"b"}, {"d"}])["b"] == before["a"]
    assert ledger.events() == [("restored", before["a"], None)]
    assert ledger.publish([{"a"}, {"b"}, {"d"}])["b"] == before["a"]


def test_of_records_that_come_back_apart_those_of_the_founder_have_the_id(ledger: Ledger) -> None:
    before = ledger.publish([{"a", "b", "c"}])
    ledger.publish([])
    after = ledger.publish([{"a"}, {"b", "c"}])
    assert after["a"] == before["a"] != after["b"]
    assert ledger.events() == [("created", after["b"], None), ("restored", before["a"], None)]


def test_an_id_does_not_follow_its_founder_to_another_customer(ledger: Ledger) -> None:
    before = ledger.publish([{"a", "b", "c"}, {"d", "e"}])
    assert ledger.publish([{"b", "c"}, {"a", "d", "e"}]) == {**before, "a": before["d"]}
    ledger.publish([{"a", "d", "e"}])
    assert ledger.history()[before["b"]] == ("retired", None)
    back = ledger.publish([{"b", "c"}, {"a", "d", "e"}])
    assert back == {**before, "a": before["d"]}
    assert ledger.history()[before["b"]] == ("active", before["b"])


def test_an_id_merged_twice_resolves_to_the_last_survivor(ledger: Ledger) -> None:
    before = ledger.publish([{"a"}])
    before |= ledger.publish([{"a"}, {"b"}])
    before |= ledger.publish([{"a"}, {"b"}, {"c"}])
    ledger.publish([{"a"}, {"b", "c"}])
    ledger.publish([{"a", "b", "c"}])
    assert ledger.history()[before["c"]] == ("merged", before["a"])
    assert ledger.history()[before["b"]] == ("merged", before["a"])


def test_after_a_rollback_a_split_gives_the_ids_of_the_version_that_was_rolled_back(ledger: Ledger) -> None:
    before = ledger.publish([{"a", "b"}])
    after = ledger.publish([{"a"}, {"b"}])
    ledger.roll_back(before)
    assert ledger.publish([{"a"}, {"b"}]) == after
    assert {customer: ("active", customer) for customer in after.values()} == ledger.history()


def test_after_a_rollback_ids_of_that_version_resolve_to_who_has_their_records(ledger: Ledger) -> None:
    before = ledger.publish([{"a", "b"}, {"c"}])
    after = ledger.publish([{"a"}, {"b", "d"}, {"c"}])
    ledger.roll_back(before)
    assert ledger.publish([{"a", "b"}, {"c"}]) == before
    assert ledger.history()[after["b"]] == ("merged", before["a"])


def test_after_a_rollback_of_a_merge_both_ids_are_somebody_s_again(ledger: Ledger) -> None:
    before = ledger.publish([{"a"}, {"b"}])
    ledger.publish([{"a", "b"}])
    ledger.roll_back(before)
    assert ledger.publish([{"a"}, {"b"}]) == before
    assert ledger.history() == {customer: ("active", customer) for customer in before.values()}
    assert ledger.events() == [("restored", before["b"], before["a"])]


def test_an_id_of_a_rolled_back_version_goes_with_its_records_where_its_founder_is_gone(ledger: Ledger) -> None:
    before = ledger.publish([{"a", "c"}])
    after = ledger.publish([{"a"}, {"b", "c"}])
    ledger.roll_back(before)
    assert ledger.publish([{"a", "c"}]) == before
    assert ledger.history()[after["c"]] == ("merged", before["a"])


def test_a_lost_state_makes_no_new_names_for_published_customers(ledger: Ledger) -> None:
    before = ledger.publish([{"a", "b"}, {"c"}])
    ledger.connection.execute("delete from known_ids")
    assert ledger.publish([{"a", "b"}, {"c"}]) == before


def test_a_lost_version_gives_every_founder_its_id_back(ledger: Ledger) -> None:
    before = ledger.publish([{"a", "b"}, {"c"}])
    ledger.connection.execute("delete from published_members")
    assert ledger.publish([{"a", "b"}, {"c"}]) == before


def partitions(records: str) -> st.SearchStrategy[Clusters]:
    """Any division of some of the records into clusters."""
    labels = st.lists(st.integers(0, 4), min_size=len(records), max_size=len(records))

    def divide(numbers: list[int]) -> Clusters:
        found: dict[int, set[str]] = {}
        for record, number in zip(records, numbers, strict=True):
            if number < 4:  # 4: not delivered
                found.setdefault(number, set()).add(record)
        return list(found.values())

    return labels.map(divide)


Draw = Callable[..., Any]
few = hypothesis_settings(max_examples=8, derandomize=True)


@few
@given(clusters=partitions("abcdefgh"), order=st.randoms())
def test_the_order_of_rows_and_the_numbers_of_clusters_are_irrelevant(
    connection: DuckDBPyConnection, clusters: Clusters, order: Any
) -> None:
    ids = Ledger(connection).publish(clusters)
    shuffled = list(clusters)
    order.shuffle(shuffled)
    assert Ledger(connection).publish(shuffled) == ids


@few
@given(first=partitions("abcdef"), second=partitions("abcdef"), unrelated=partitions("uvwx"))
def test_unrelated_records_change_nothing(
    connection: DuckDBPyConnection, first: Clusters, second: Clusters, unrelated: Clusters
) -> None:
    alone = Ledger(connection)
    alone.publish(first)
    expected = alone.publish(second)
    crowded = Ledger(connection)
    crowded.publish(first)
    found = crowded.publish([*second, *unrelated])
    assert {record: found[record] for record in expected} == expected


@few
@given(clusters=partitions("abcdefgh").filter(lambda c: len(c) > 1), data=st.data())
def test_merge_then_split_returns_the_old_ids(
    connection: DuckDBPyConnection, clusters: Clusters, data: st.DataObject
) -> None:
    ledger = Ledger(connection)
    before = ledger.publish(clusters)
    merged = data.draw(st.sets(st.integers(0, len(clusters) - 1), min_size=2))
    together = set().union(*(clusters[i] for i in merged))
    ledger.publish([together, *(c for i, c in enumerate(clusters) if i not in merged)])
    assert ledger.publish(clusters) == before


@few
@given(partitions("abcdef"), partitions("abcdef"))
def test_after_a_rollback_the_same_clusters_have_the_ids_of_the_version_that_was_rolled_back(
    connection: DuckDBPyConnection, clusters: Clusters, newer: Clusters
) -> None:
    ledger = Ledger(connection)
    before = ledger.publish(clusters)
    after = ledger.publish(newer)
    history = ledger.history()
    ledger.roll_back(before)
    assert ledger.publish(newer) == after
    assert ledger.history() == history


@few
@given(st.lists(partitions("abcdefg"), min_size=2, max_size=5))
def test_whatever_happens_an_id_means_one_customer_and_every_id_resolves(
    connection: DuckDBPyConnection, steps: list[Clusters]
) -> None:
    ledger = Ledger(connection)
    founders: dict[str, str] = {}
    former: dict[str, str] = {}
    resolved: dict[str, str | None] = {}
    for clusters in steps:
        ids = ledger.publish(clusters)
        assert len({ids[min(c)] for c in clusters}) == len(clusters)
        assert all(len({ids[r] for r in c}) == 1 for c in clusters)
        history = ledger.history()
        carried = set(ids.values())
        assert carried == {customer for customer, (status, _) in history.items() if status == "active"}
        for customer, (status, current) in history.items():
            assert current in carried if status != "retired" else current is None
            assert (current == customer) == (status == "active")
        known = dict(ledger.connection.execute("select customer_id, founder_record_key from id_history").fetchall())
        assert founders.items() <= known.items()
        founders = known
        for customer, (status, _) in history.items():
            if status == "retired":  # its founder is gone, or had left it before
                founder = founders[customer]
                assert founder not in ids or former.get(founder, resolved[customer]) != resolved[customer]
        former, resolved = ids, {customer: current for customer, (_, current) in history.items()}
    again = ledger.publish(steps[-1])
    assert again == ids
    assert ledger.events() == []
    keys = [key for (key,) in ledger.connection.execute("select event_key from id_events").fetchall()]
    assert len(keys) == len(set(keys))
