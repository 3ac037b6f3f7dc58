"""A version as publishing leaves it, made of records written by hand that the stage resolve has judged."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from duckdb import DuckDBPyConnection

from pipelines.clean.persons import COMPARED_COLUMNS
from pipelines.configuration import Configuration
from pipelines.overrides import TABLE_COLUMNS, Overrides, write_overrides
from pipelines.resolve import write_outcomes
from pipelines.settings import Settings
from pipelines.warehouse import literal
from tests.unit.resolve.conftest import Resolve, Resolved, make_build, publish, resolve, warehouse

# Where each table comes from, by file of the version.
TABLES = {
    "warehouse": {
        "marts.customer_source_records": "select record_key, source_system, entity, customer_id, is_deleted "
        "from clean.persons join identity.members using (record_key)",
        "marts.customer_id_history": "from identity.customer_id_history",
        "marts.customer_id_events": "from identity.customer_id_events",
        "audit.links": "from identity.links",
        "audit.refused_links": "from identity.refused_links",
        "meta.version": f"select timestamp {literal(make_build().as_of)} as as_of",
    },
    "restricted": {
        "marts.source_record_keys": "select record_key, source_system, entity, source_record_id, customer_id "
        "from clean.persons join identity.members using (record_key)",
        "marts.customer_field_lineage": "select customer_id, 'email' as field, email as value, record_key, "
        "'most_recent' as strategy, 0 as losing_count from clean.persons join identity.members using (record_key) "
        "where email is not null qualify row_number() over (partition by customer_id order by record_key) = 1",
        "audit.compared_persons": f"select {', '.join(COMPARED_COLUMNS)} from clean.persons",
        "audit.silenced_values": "from identity.silenced_values",
        "audit.overrides": "from identity.overrides",
    },
    "state": {"main.model": "from identity.model", "main.model_frequencies": "from identity.model_frequencies"},
}

Row = dict[str, Any]
PublishRows = Callable[..., Resolved]


@pytest.fixture
def publish_rows(
    warehouse: DuckDBPyConnection, resolve: Resolve, settings: Settings, configuration: Configuration
) -> PublishRows:
    """Resolve rows and publish them, under the lines of a file, or decisions (kind, record key, record key)."""
    nights = iter(range(1000))

    def run(
        rows: Iterable[Row], decisions: Iterable[tuple[str, str, str]] = (), *, overrides: Overrides | None = None
    ) -> Resolved:
        warehouse.execute("create schema if not exists config")
        warehouse.execute(f"create or replace table config.overrides ({TABLE_COLUMNS})")
        for line, (kind, a, b) in enumerate(decisions, start=2):
            warehouse.execute(
                "insert into config.overrides values (?, ?, ?, null, null, true, ?, 'Petra', 'asked', "
                "date '2026-11-01', null)",
                [kind, a, b, line],
            )
        if overrides is not None:
            write_overrides(warehouse, overrides, make_build().as_of, "Europe/Berlin")
        result = resolve(rows, version=f"202611{next(nights):04}T000000Z-00000000")
        warehouse.execute("create or replace table identity.account_records (record_key text, account_id text)")
        write_outcomes(warehouse, make_build().as_of.date())
        publish(warehouse, settings)
        publish_tables(warehouse, settings.current)
        text = json.dumps({"configuration": json.loads(json.dumps(configuration.as_dict(), default=str))})
        (settings.current / "manifest.json").write_text(text)
        return result

    return run


def publish_tables(connection: DuckDBPyConnection, folder: Path) -> None:
    """Write the tables that an explanation reads into the files of the version."""
    for name, tables in TABLES.items():
        file = folder / f"{name}.duckdb"
        if name != "state":
            file.unlink(missing_ok=True)
        connection.execute(f"attach {literal(file)} as target")
        for table, query in tables.items():
            connection.execute(f"create schema if not exists target.{table.split('.')[0]}")
            connection.execute(f"create or replace table target.{table} as {query}")
        connection.execute("detach target")


__all__ = ["PublishRows", "publish_rows", "resolve", "warehouse"]
