"""Real input: nothing in the code knows these files, only their mapping does."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelines.configuration import Configuration, load_configuration
from pipelines.extract import LoadReport, build_raw, load_source
from pipelines.settings import Settings
from pipelines.warehouse import connect

REAL = Path(__file__).parents[2] / "fixtures" / "real"


def land(name: str, settings: Settings) -> tuple[Settings, Configuration, list[LoadReport]]:
    settings = Settings(**{**vars(settings), "config_dir": REAL / name / "config"})
    configuration = load_configuration(settings)
    reports = []
    for source in configuration.sources:
        reports += load_source(settings, configuration, source, run_id="run", now=datetime(2026, 1, 1, tzinfo=UTC))
    settings.build_dir.mkdir(parents=True)
    return settings, configuration, reports


def test_both_sides_of_febrl_are_landed_whole(
    settings: Settings, shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUNDENSTAMM_PUBLIC_DATA", str(shared_data))
    settings, configuration, reports = land("febrl", settings)
    assert [(r.entity, r.counts.new, r.counts.rejected) for r in reports] == [
        ("contacts", 5000, 0),
        ("customers", 5000, 0),
    ]
    assert [c.name for c in reports[0].unmapped] == ["address_2"]
    with connect(settings.build_warehouse, settings) as connection:
        build_raw(connection, settings, configuration)
        found = connection.execute(
            "select first_name, street, birth_date::varchar, country from raw.crm_contacts "
            "where source_record_id = '000a0a2241da'"
        ).fetchone()
    assert found == ("jairus", "211 igera place", "1906-02-28", "AU")


def test_the_revenue_of_online_retail_is_that_of_the_file_to_the_last_digit(
    settings: Settings, shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUNDENSTAMM_PUBLIC_DATA", str(shared_data))
    settings, configuration, (lines, orders) = land("online_retail", settings)
    file = shared_data / "shop" / "online_retail_2009_2010.parquet"
    assert (lines.counts.new, lines.counts.repeated, lines.counts.rounded) == (525_461, 0, 0)
    with connect(settings.build_warehouse, settings) as connection:
        build_raw(connection, settings, configuration)
        landed = connection.execute(
            """
            select sum(quantity * unit_amount), count(*), count(distinct record_key), count(distinct order_record_key),
                (select count(*) from raw.shop_orders where customer_record_id is null),
                (
                    select control_amounts ->> 'quantity_x_unit_amount'
                    from raw.reconciliation
                    where entity = 'order_lines'
                )
            from raw.shop_order_lines
            """
        ).fetchone()
        by_plain_sql = connection.execute(
            f"""
            select sum(Quantity * Price::decimal(18, 8)), count(*), count(*), count(distinct Invoice),
                (select count(*) from (select Invoice from '{file}' group by 1 having count("Customer ID") = 0))
            from '{file}'
            """
        ).fetchone()
        assert landed is not None
        assert by_plain_sql is not None
        assert landed[:5] == by_plain_sql
        assert landed[5] == str(landed[0])
        duplicates = connection.execute(
            f"select (select count(*) from '{file}') - (select count(*) from (select distinct * from '{file}'))"
        ).fetchone()
    assert duplicates == (6865,), "exact duplicates are real lines and are kept"
    assert orders.counts.new == landed[3]
