"""What is compared with the published version, from tables to figures."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pipelines.audit.baseline import is_sampled, write_baseline
from pipelines.configuration import Configuration
from pipelines.settings import Settings
from pipelines.warehouse import connect
from tests.unit.unify.world import AS_OF, BUILD

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

PUBLISHED = "20260629T000000Z-before"


def publish_orders(connection: DuckDBPyConnection, company: Settings, changes: str) -> None:
    """A published version that holds the orders of the build, changed, and nothing else."""
    folder = company.versions_dir / PUBLISHED
    folder.mkdir(parents=True)
    connection.execute(f"attach '{folder / 'warehouse.duckdb'}' as earlier")
    connection.execute("create schema earlier.marts")
    connection.execute(f"create table earlier.marts.orders as select * replace ({changes}) from marts.orders")
    connection.execute("detach earlier")


def test_orders_that_happened_at_another_time_than_was_published_are_counted(
    company: Settings, configuration: Configuration
) -> None:
    with connect(company.build_warehouse, company) as connection:
        earlier = "if(total_amount = 10, ordered_at - interval 5 hour, ordered_at) as ordered_at"
        publish_orders(connection, company, earlier)
        write_baseline(connection, company, configuration, replace(BUILD, base_version=PUBLISHED))
        found = connection.execute("select part, value from meta.figures where figure = 'redated'").fetchall()
    assert found == [("shop.orders", 1)]


def test_the_last_whole_day_stands_beside_what_is_usual_on_its_weekday(
    company: Settings, configuration: Configuration
) -> None:
    day = AS_OF - timedelta(days=1)
    with connect(company.build_warehouse, company) as connection:
        connection.execute("delete from raw.support_tickets")
        for weeks, tickets in ((0, 1), (1, 14), (2, 14), (4, 28)):
            connection.execute(
                "insert into raw.support_tickets (record_key, source_system, source_record_id, created_at) "
                "select 'r_' || i || $1, 'support', i || $1, $2 from range($3) as numbers (i)",
                [f"_{weeks}", day - timedelta(weeks=weeks), tickets],
            )
        write_baseline(connection, company, configuration, BUILD)
        found = connection.execute(
            "select last_day_count, usual_day_count, round(day_spread) from meta.source_profile "
            "where entity = 'tickets' and column_name = 'created_at'"
        ).fetchall()
    assert found == [(1, 2.0, 19.0)], "56 in 28 days, in heaps"


def test_a_larger_table_is_sampled_by_its_smallest_keys(settings: Settings) -> None:
    with connect(None, settings) as connection:
        connection.execute("create table keys as select 'r_' || md5(i::text) as record_key from range(4000) as n (i)")
        [(half, quarter, others)] = connection.execute(
            f"select count(*) filter ({is_sampled(20_000)}), count(*) filter ({is_sampled(40_000)}), "
            f"count(*) filter ({is_sampled(40_000)} and not {is_sampled(20_000)}) from keys"
        ).fetchall()
    assert (half / 4000, quarter / 4000) == (pytest.approx(0.5, abs=0.03), pytest.approx(0.25, abs=0.03))
    assert others == 0
