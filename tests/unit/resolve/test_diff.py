"""What a build does to the customers of the published version is counted before anybody sees it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

import pytest
from duckdb import DuckDBPyConnection

from pipelines.resolve import IdentityDiff
from pipelines.resolve.diff import write_diff
from pipelines.settings import Settings
from pipelines.warehouse import literal
from tests.unit.resolve.conftest import make_build

BASE = "20261120T000000Z-0000000a"
Customers = Mapping[str, str]  # by customer, its records separated by blanks
Compare = Callable[..., IdentityDiff]


@pytest.fixture
def compare(warehouse: DuckDBPyConnection, settings: Settings) -> Compare:
    """The diff of these customers against published ones; every customer has 10 of revenue and one permission."""

    def run(before: Customers | None, now: Customers, links: str = "") -> IdentityDiff:
        warehouse.execute("create or replace table identity.members (record_key text, customer_id text)")
        for customer, records in now.items():
            for record in records.split():
                warehouse.execute("insert into identity.members values (?, ?)", [record, customer])
        warehouse.execute("create table identity.customer_id_events (version text, event text)")
        warehouse.execute("create table identity.links (record_key_a text, record_key_b text, method text)")
        for link in links.split():
            a, method, b = link.partition("=") if "=" in link else link.partition("~")
            warehouse.execute(
                "insert into identity.links values (?, ?, ?)", [a, b, "exact" if method == "=" else "probabilistic"]
            )
        if before is not None:
            _publish(warehouse, settings, before)
        build = dataclasses.replace(make_build(), base_version=BASE if before is not None else None)
        return write_diff(warehouse, settings, build)

    warehouse.execute("create schema identity")
    return run


def _publish(connection: DuckDBPyConnection, settings: Settings, customers: Customers) -> None:
    folder = settings.versions_dir / BASE
    folder.mkdir(parents=True)
    members = [(record, customer) for customer, records in customers.items() for record in records.split()]
    connection.execute(f"attach {literal(folder / 'state.duckdb')} as target")
    connection.execute("create table target.members (record_key text, customer_id text)")
    connection.executemany("insert into target.members values (?, ?)", members)
    connection.execute("detach target")
    connection.execute(f"attach {literal(folder / 'warehouse.duckdb')} as target")
    connection.execute("create schema target.marts")
    connection.execute("create table target.marts.customers (customer_id text, revenue_amount_base decimal(18, 4))")
    connection.execute("create table target.marts.permissions_current (contact_point_key text, is_permitted boolean)")
    for customer in customers:
        connection.execute("insert into target.marts.customers values (?, 10)", [customer])
        connection.execute("insert into target.marts.permissions_current values (?, true)", [f"p_{customer}"])
    connection.execute("detach target")
    connection.execute(f"attach {literal(folder / 'restricted.duckdb')} as target")
    connection.execute("create schema target.marts")
    connection.execute("create table target.marts.customer_contact_points (customer_id text, contact_point_key text)")
    for customer in customers:
        connection.execute(
            "insert into target.marts.customer_contact_points values (?, ?)", [customer, f"p_{customer}"]
        )
    connection.execute("detach target")


def _changes(connection: DuckDBPyConnection) -> dict[str, str]:
    return dict(connection.execute("select customer_id, change from identity.id_changes").fetchall())


def test_every_customer_of_the_published_version_is_said_what_happens_to_it(
    compare: Compare, warehouse: DuckDBPyConnection
) -> None:
    diff = compare(
        {"same": "a1 a2", "torn": "b1 b2", "eaten": "c1", "fed": "d1", "lost": "e1"},
        {"same": "a1 a2 a3", "torn": "b1", "fresh": "b2", "fed": "d1 c1"},
    )
    assert _changes(warehouse) == {
        "same": "unchanged",
        "torn": "split",
        "eaten": "merged",
        "fed": "joined",
        "lost": "gone",
    }
    assert (diff.merged, diff.split, diff.joined, diff.gone, diff.moved_records) == (1, 1, 1, 1, 2)
    assert (diff.customers_before, diff.customers_now, diff.records_before, diff.records_now) == (5, 4, 7, 7)
    assert (diff.revenue_before, diff.revenue_affected) == (50, 30)
    assert (diff.consents_before, diff.consents_affected) == (5, 3)
    assert (diff.largest_before, diff.largest_now) == (2, 3)


def test_without_a_published_version_nothing_has_changed(compare: Compare, warehouse: DuckDBPyConnection) -> None:
    diff = compare(None, {"one": "a1 a2"})
    assert (diff.customers_before, diff.moved_records, diff.largest_now) == (0, 0, 2)
    assert warehouse.execute("select base_version from identity.diff").fetchall() == [(None,)]
    assert not _changes(warehouse)


@pytest.mark.parametrize(
    ("links", "expected"),
    [
        ("a=b c=d b~c", 1),
        ("a=b c=d b~c a~d", 0),
        ("a=b c=d b=c", 0),
        ("a=b b=c c~d", 0),
        ("a~b b~c c~d d~e e~c c~a", 0),
        ("a~b b~c c~a c~d d~e e~f f~d", 1),
    ],
    ids=["one weighed pair", "two pairs", "an exact rule", "a single record at the end", "a knot", "two triangles"],
)
def test_a_customer_of_two_parts_that_one_weighed_pair_holds_together_is_counted(
    compare: Compare, links: str, expected: int
) -> None:
    records = sorted({letter for letter in links if letter.isalpha()})
    assert compare(None, {"one": " ".join(records), "two": "x y"}, links).held_by_one_edge == expected


@pytest.mark.parametrize("name", ["state", "warehouse", "restricted"])
def test_a_published_version_that_lost_a_file_is_told(
    compare: Compare, warehouse: DuckDBPyConnection, settings: Settings, name: str
) -> None:
    assert compare({"c": "a1"}, {"c": "a1"}).missing_base_files == 0
    (settings.versions_dir / BASE / f"{name}.duckdb").unlink()
    build = dataclasses.replace(make_build(), base_version=BASE)
    assert write_diff(warehouse, settings, build).missing_base_files == 1
