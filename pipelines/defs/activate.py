"""Activate as assets: who is in an audience, and who was left out for which reason."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from pipelines.defs.steps import BUILD, WAREHOUSE_POOL, step
from pipelines.defs.tables import count_tables
from pipelines.defs.translator import describe_asset

TABLES = {
    "audiences": "The audiences and how many they hold. One row per audience.",
    "audience_members": "Who may be contacted for an audience, and on which basis. One row per audience and customer.",
    "audience_left_out": "Who matched an audience and was left out, with the reason. "
    "One row per audience, customer and reason.",
}
INPUTS = (
    ("marts", "customers"),
    ("marts", "customer_value"),
    ("marts", "customer_contact_points"),
    ("marts", "permissions_current"),
    ("activation", "exclusions"),
    ("raw", "reconciliation"),
)


@dg.multi_asset(
    name="build_audiences",
    specs=[
        describe_asset(
            ("activation", table),
            text,
            deps=[BUILD, *(dg.AssetKey(path) for path in INPUTS)],
            kinds=("python", "duckdb"),
        )
        for table, text in TABLES.items()
    ],
    pool=WAREHOUSE_POOL,
)
def audience_assets(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[Any]]:
    from pipelines.activate import build_audiences
    from pipelines.warehouse import connect

    with step(context) as working:
        with connect(working.settings.build_warehouse, working.settings) as connection:
            build_audiences(connection, working.configuration, working.build)
            rows = count_tables(connection, "activation", TABLES)
        for table in TABLES:
            yield working.materialized(dg.AssetKey(["activation", table]), rows=rows[table])
