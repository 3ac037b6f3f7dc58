"""Publish as an asset: the gate, and one new immutable version."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from pipelines.defs.audit import VERDICT
from pipelines.defs.meta import COLUMNS
from pipelines.defs.steps import WAREHOUSE_POOL, step
from pipelines.defs.translator import describe_asset

VERSION = dg.AssetKey(["publish", "version"])


def version_asset(dependencies: Mapping[str, set[str]]) -> dg.AssetsDefinition:
    """The gate. `dependencies` are the steps of a build, each with the steps it depends on."""

    @dg.multi_asset(
        name="publish_version",
        specs=[
            describe_asset(
                ("publish", "version"),
                "The published version: refused unless every critical rule ran on exactly this build and passed; "
                "then copied, compared and made current by one atomic switch. One row per version.",
                deps=[VERDICT, COLUMNS],
            )
        ],
        pool=WAREHOUSE_POOL,
    )
    def publish(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[Any]]:
        from pipelines.publish import publish_version

        with step(context) as working:
            report = publish_version(
                working.settings,
                working.configuration,
                working.build,
                dependencies=dependencies,
                now=datetime.now(UTC).replace(tzinfo=None),
                run_id=working.run_id,
            )
            yield working.materialized(
                VERSION,
                rows=None,
                metadata={
                    "version": report.version,
                    "tables": report.table_count,
                    "warehouse.duckdb": dg.IntMetadataValue(report.warehouse_bytes),
                    "folder": f"published/versions/{report.version}",
                },
            )

    return publish
