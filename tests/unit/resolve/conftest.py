"""Person records written by hand as `clean.persons`, and what resolving them gives."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd
import pytest
from duckdb import DuckDBPyConnection

from pipelines.build import Build
from pipelines.clean.persons import PERSON_COLUMNS
from pipelines.configuration import Configuration
from pipelines.configuration.identity import IdentityConfig
from pipelines.keys import contact_point_key, use_secret
from pipelines.overrides import TABLE_COLUMNS
from pipelines.resolve import ResolveReport, resolve_identities
from pipelines.resolve.changes import WhyInFull
from pipelines.resolve.ids import EVENT_COLUMNS, HISTORY_COLUMNS
from pipelines.resolve.kept import cache_file
from pipelines.settings import Settings
from pipelines.warehouse import connect, identifier, literal

Row = Mapping[str, Any]

DEFAULTS = {
    "source_system": "crm",
    "role": "crm",
    "entity": "contacts",
    "kind": "person",
    "is_deleted": False,
    "is_guest": False,
    "is_inferred": False,
    "created_at": datetime.fromisoformat("2020-01-01"),
}


FURTHER_POINTS = {
    "further_email": "'contact_methods' as entity, 'email' as kind",
    "further_phone": "'contact_methods' as entity, 'phone' as kind",
    "former_email": "'contacts' as entity, 'email' as kind, timestamp '2025-01-01' as valid_until",
}


@dataclass(frozen=True)
class Resolved:
    """The tables of schema `identity` as Python values."""

    report: ResolveReport
    customer_of: dict[str, str]
    links: list[dict[str, Any]]
    refused: list[dict[str, Any]]
    history: dict[str, dict[str, Any]]
    events: list[dict[str, Any]]

    def together(self, *records: str) -> bool:
        return len({self.customer_of[r] for r in records}) == 1

    def apart(self, *records: str) -> bool:
        return len({self.customer_of[r] for r in records}) == len(records)

    def rules(self) -> set[str]:
        return {link["rule"] for link in self.links}

    def reasons(self) -> set[str]:
        return {refusal["reason"] for refusal in self.refused}


def create_persons(connection: DuckDBPyConnection, rows: Iterable[Row]) -> None:
    """Create the tables of schema `clean` that persons are resolved from; every row needs a `record_key`.

    Beside columns of `clean.persons` a row may have a `further_email`, a `former_email` or a `further_phone`, and name
    the record that bought the order it asks about, `asks_about_order_of`.
    """
    connection.execute("create schema if not exists clean")
    connection.execute("create schema if not exists config")
    connection.execute(f"create table if not exists config.overrides ({TABLE_COLUMNS})")
    connection.execute("create or replace table clean.order_references (record_key text, buyer_record_key text)")
    columns = ", ".join(f"{identifier(name)} {kind}" for name, kind in PERSON_COLUMNS.items())
    connection.execute(f"create or replace table clean.persons ({columns})")
    filled = [
        {**DEFAULTS, "source_record_id": row["record_key"], "email_match": row.get("email"), **row} for row in rows
    ]
    if filled:
        frame = pd.DataFrame([{name: row.get(name) for name in PERSON_COLUMNS} for row in filled], dtype=object)
        connection.register("person_rows", frame)
        connection.execute("insert into clean.persons select * from person_rows")
        connection.unregister("person_rows")
    connection.execute(
        f"""
        create or replace table clean.contact_points as
        select record_key, source_system, entity, kind, value,
            {contact_point_key("kind", "value")} as contact_point_key, true as is_primary, true as is_valid,
            null::timestamp as valid_until
        from (
            select record_key, source_system, entity, 'email' as kind, email as value from clean.persons
            union select record_key, source_system, entity, 'phone', phone from clean.persons
            union select record_key, source_system, entity, 'phone', mobile from clean.persons
            union select record_key, source_system, entity, 'address',
                concat_ws(' ', postal_code, city, street, house_number) from clean.persons where street is not null)
        where value is not null
        """
    )
    for row in filled:
        for name in sorted(row.keys() & FURTHER_POINTS.keys()):
            connection.execute(
                "insert into clean.contact_points by name select ? as record_key, 'crm' as source_system, "
                f"{FURTHER_POINTS[name]}, ? as value, false as is_primary, true as is_valid",
                [row["record_key"], row[name]],
            )
        if buyer := row.get("asks_about_order_of"):
            connection.execute("insert into clean.order_references values (?, ?)", [row["record_key"], buyer])


def make_build(version: str = "20261121T000000Z-0000000a") -> Build:
    at = datetime.fromisoformat("2026-11-21")
    return Build("b", version, at, "digest", None, "Test GmbH", at)


def publish(connection: DuckDBPyConnection, settings: Settings) -> None:
    """Make schema `identity` the published assignment and the state of all ids, as publishing does."""
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    settings.current.mkdir(parents=True, exist_ok=True)
    for file, tables in (
        (settings.current / "state.duckdb", ("members",)),
        (
            settings.state_dir / "identity.duckdb",
            ("customer_id_history", "customer_id_events", "members", "model", "model_frequencies"),
        ),
    ):
        file.unlink(missing_ok=True)
        connection.execute(f"attach {literal(file)} as target")
        for table in tables:
            connection.execute(f"create table target.{table} as from identity.{table}")
        connection.execute("detach target")


Resolve = Callable[..., Resolved]


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBPyConnection]:
    """In memory, for a module: tests of what is found without a build."""
    settings = Settings.from_environment(
        {"KUNDENSTAMM_DATA_DIR": str(tmp_path_factory.mktemp("data")), "KUNDENSTAMM_THREADS": "1"}
    )
    with connect(None, settings) as opened:
        yield opened


@pytest.fixture
def warehouse(settings: Settings) -> Iterator[DuckDBPyConnection]:
    settings.build_dir.mkdir(parents=True, exist_ok=True)
    with connect(settings.build_warehouse, settings) as connection:
        use_secret(connection, settings)
        yield connection


@pytest.fixture
def resolve(warehouse: DuckDBPyConnection, settings: Settings, configuration: Configuration) -> Resolve:
    """Resolve rows; with `then_publish` the result becomes what the next call is compared with."""

    def run(
        rows: Iterable[Row],
        *,
        version: str = "20261121T000000Z-0000000a",
        then_publish: bool = False,
        identity: IdentityConfig | None = None,
    ) -> Resolved:
        create_persons(warehouse, rows)
        used = configuration if identity is None else dataclasses.replace(configuration, identity=identity)
        report = resolve_identities(warehouse, settings, used, make_build(version))
        assert report.in_full_because != WhyInFull.FAULT, (settings.build_dir / "errors.log").read_text()
        result = Resolved(
            report,
            dict(warehouse.execute("from identity.members").fetchall()),
            fetch(warehouse, "links"),
            fetch(warehouse, "refused_links"),
            {row["customer_id"]: row for row in fetch(warehouse, "customer_id_history")},
            fetch(warehouse, "customer_id_events"),
        )
        if then_publish:
            publish(warehouse, settings)
        return result

    return run


_COMPARED = """
    with members as (select n, unnest(members) as member from cache.profiles)
    select record_key, content
    from cache.scored_profiles join members using (n) join cache.numbers on numbers.n = member
"""
_BLOCKED = """
    select l.record_key, r.record_key, times
    from cache.blocked join cache.numbers as l on l.n = a join cache.numbers as r on r.n = b
"""


def read_kept(connection: DuckDBPyConnection, settings: Settings) -> dict[str, set[tuple[Any, ...]]]:
    """What the last run kept of blocks, and of every record the hash of all that was compared; records by their key."""
    queries = {"compared": _COMPARED, "blocked": _BLOCKED, "divided": "from cache.divided"} | {
        table: f"select * exclude (n), record_key from cache.{table} join cache.numbers using (n)"
        for table in ("in_blocks", "block_parts", "oversized")
    }
    connection.execute(f"attach {literal(cache_file(settings))} as cache (read_only)")
    found = {name: set(connection.execute(query).fetchall()) for name, query in queries.items()}
    connection.execute("detach cache")
    return found


def fetch(connection: DuckDBPyConnection, table: str) -> list[dict[str, Any]]:
    cursor = connection.execute(f"from identity.{table} order by all")
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


__all__ = [
    "EVENT_COLUMNS",
    "HISTORY_COLUMNS",
    "Resolve",
    "Resolved",
    "create_persons",
    "fetch",
    "make_build",
    "publish",
    "read_kept",
]
