"""A record that a rule sets aside counts as deleted for every stage, is counted, and is back when it is mended."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest

from pipelines import warehouse
from pipelines.audit import load_catalogue, quarantine_records
from pipelines.configuration import Configuration
from pipelines.errors import WarehouseError
from pipelines.policies import write_policies
from pipelines.settings import Settings
from tests.unit.clean.conftest import AS_OF, BUILD, Cleaned

Query = Callable[[str], list[tuple[Any, ...]]]

ORDERS: Sequence[Mapping[str, Any]] = [
    {"source_record_id": "good", "customer_record_id": "1", "ordered_at": AS_OF, "total_amount": 10},
    {"source_record_id": "dear", "email": "eva@example.org", "ordered_at": AS_OF, "total_amount": -2_000_000},
    {"source_record_id": "future", "ordered_at": AS_OF + timedelta(days=9), "total_amount": 2_000_000},
    {"source_record_id": "gone", "ordered_at": AS_OF, "total_amount": 2_000_000, "deleted_at": AS_OF},
]


@pytest.fixture
def query(settings: Settings) -> Query:
    def ask(sql: str) -> list[tuple[Any, ...]]:
        with warehouse.connect(settings.build_warehouse, settings) as connection:
            return connection.execute(sql).fetchall()

    return ask


@pytest.fixture
def set_aside(settings: Settings, configuration: Configuration) -> Callable[[], int]:
    """Apply the shipped rules to the open build."""

    def run() -> int:
        with warehouse.connect(settings.build_warehouse, settings) as connection:
            write_policies(connection, configuration, BUILD)
            return quarantine_records(connection, load_catalogue(configuration).rules)

    return run


@pytest.fixture
def orders(build_warehouse: Callable[..., None], query: Query) -> None:
    build_warehouse({"shop_orders": ORDERS})
    query("insert into raw.reconciliation (source_system, entity) values ('shop', 'orders'), ('crm', 'contacts')")


@pytest.mark.usefixtures("orders")
def test_impossible_orders_are_taken_out_counted_and_back_when_they_are_mended(
    set_aside: Callable[[], int], query: Query
) -> None:
    used = "select source_record_id from staging.stg_shop__orders where not is_deleted order by all"
    counts = "select entity, landed_count, quarantined_count from raw.reconciliation order by all"

    assert set_aside() == 3  # one row per record and rule
    kept_from = (
        "select source_record_id, rule_id from raw.quarantine join raw.shop_orders using (record_key) order by all"
    )
    assert query(kept_from) == [("dear", "sho_020"), ("future", "sho_003"), ("future", "sho_020")]
    assert query(used) == [("good",)]
    assert query(counts) == [("contacts", 0, 0), ("orders", 3, 2)]

    query("update raw.shop_orders set total_amount = 20 where source_record_id = 'dear'")
    assert set_aside() == 2
    assert query(used) == [("dear",), ("good",)]
    assert query(counts) == [("contacts", 0, 0), ("orders", 3, 1)]


def test_what_belongs_to_an_order_is_set_aside_with_it_and_counted(
    build_warehouse: Callable[..., None], set_aside: Callable[[], int], query: Query
) -> None:
    parts = [{"source_record_id": name, "order_record_id": name} for name in ("good", "dear")]
    build_warehouse({"shop_orders": ORDERS, "shop_order_lines": parts, "shop_order_discounts": parts})
    query("insert into raw.reconciliation (source_system, entity) values ('shop', 'order_lines')")
    assert set_aside() == 5
    lines = "select source_record_id, rule_id from raw.quarantine join raw.shop_order_lines using (record_key)"
    assert query(lines) == [("dear", "sho_020")]
    assert query("select source_record_id from staging.stg_shop__order_lines where not is_deleted") == [("good",)]
    assert query("select landed_count, quarantined_count from raw.reconciliation") == [(2, 1)]


@pytest.mark.usefixtures("orders")
def test_somebody_known_by_an_order_that_is_set_aside_keeps_identity_and_gives_no_values(
    set_aside: Callable[[], int], run_clean: Callable[[], Cleaned]
) -> None:
    set_aside()
    assert run_clean().person("dear")["is_deleted"] is True


@pytest.mark.usefixtures("orders")
def test_other_rules_judge_what_is_used(
    configuration: Configuration, set_aside: Callable[[], int], query: Query
) -> None:
    set_aside()
    catalogue = load_catalogue(configuration)
    own, other = (catalogue.rule(rule_id).objects[0].query for rule_id in ("sho_020", "sho_002"))
    assert [query(f"select count(*) from ({rows})") for rows in (own, other)] == [[(3,)], [(1,)]]


@pytest.mark.usefixtures("orders")
def test_a_rule_that_cannot_run_stops_the_night_without_a_value(set_aside: Callable[[], int], query: Query) -> None:
    query("alter table raw.shop_orders alter total_amount type text")
    query("update raw.shop_orders set total_amount = 'Zsigmondy'")
    with pytest.raises(WarehouseError, match=r"SHO-020 could not be run on shop\.orders") as told:
        set_aside()
    assert "Zsigmondy" not in str(told.value)
