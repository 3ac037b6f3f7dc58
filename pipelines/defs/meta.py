"""The open build, its figures beside those of the published version, and the register of columns, as assets."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import dagster as dg
from pydantic import Field

from pipelines.build import open_build, record_step
from pipelines.configuration import load_configuration
from pipelines.defs.steps import BUILD, WAREHOUSE_POOL, sentences, step, step_name
from pipelines.defs.translator import describe_asset
from pipelines.errors import ConfigurationError
from pipelines.settings import Settings

COLUMNS = dg.AssetKey(["meta", "columns"])


class BuildConfig(dg.Config):
    as_of: str | None = Field(
        default=None, description="The moment the figures are computed for, ISO 8601, UTC; by default the run's start."
    )


def read_moment(text: str) -> datetime:
    """An ISO 8601 moment as naive UTC.

    Raises:
        ConfigurationError: it is none.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(
            [f"as_of is '{text[:40]}', which is no moment; write it like 2026-01-31 or 2026-01-31T02:00:00."]
        ) from None
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


@dg.multi_asset(
    name="open_build",
    specs=[
        describe_asset(
            ("meta", "build"),
            "The open build: an empty warehouse file under this run's name, with the owner's decisions as tables. "
            "The previous build is moved away. One row per build.",
        )
    ],
    pool=WAREHOUSE_POOL,
)
def build_asset(context: dg.AssetExecutionContext, config: BuildConfig) -> Iterator[dg.MaterializeResult[Any]]:
    with sentences("open_build"):
        settings = Settings.from_environment()
        now = datetime.now(UTC).replace(tzinfo=None)
        run = context.run
        build = open_build(
            settings,
            load_configuration(settings),
            build_id=run.root_run_id or run.run_id,
            as_of=read_moment(config.as_of) if config.as_of else now,
            now=now,
        )
        record_step(
            settings,
            step=step_name(BUILD),
            run_id=run.run_id,
            started_at=now.replace(tzinfo=UTC),
            finished_at=datetime.now(UTC),
            rows=1,
        )
        yield dg.MaterializeResult(
            asset_key=BUILD,
            metadata={
                "version": build.version,
                "as_of": build.as_of.isoformat(),
                "configuration": build.config_digest,
                "base version": build.base_version or "none",
            },
        )


BASELINE = {
    "source_profile": "What the sources delivered, column by column, beside the published version: shares and spreads, "
    "never a value. One row per source, entity and column.",
    "figures": "What would be published, in figures, beside the published version. One row per figure and part.",
}


def baseline_assets(tables: Iterable[dg.AssetKey]) -> dg.AssetsDefinition:
    """What this build is compared by with the published version; `tables` are those it counts."""

    @dg.multi_asset(
        name="compare_with_published",
        specs=[
            describe_asset(("meta", table), text, deps=[BUILD, *tables], kinds=("python", "duckdb"))
            for table, text in BASELINE.items()
        ],
        pool=WAREHOUSE_POOL,
    )
    def compare(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[Any]]:
        from pipelines.audit.baseline import write_baseline
        from pipelines.warehouse import connect

        with step(context) as working:
            with connect(working.settings.build_warehouse, working.settings) as connection:
                rows = write_baseline(connection, working.settings, working.configuration, working.build)
            for table in BASELINE:
                yield working.materialized(dg.AssetKey(["meta", table]), rows=rows[table])

    return compare


def columns_asset(tables: Iterable[dg.AssetKey]) -> dg.AssetsDefinition:
    """The register, made when all `tables` that may be published are built."""

    @dg.multi_asset(
        name="register_columns",
        specs=[
            describe_asset(
                ("meta", "columns"),
                "What is published: one row per column of every published table, with description, purpose, owner, "
                "retention, and whether it is personal data. One row per column.",
                deps=[BUILD, *tables],
            )
        ],
        pool=WAREHOUSE_POOL,
    )
    def register(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[Any]]:
        from pipelines.publish import register_columns
        from pipelines.warehouse import connect

        with step(context) as working:
            with connect(working.settings.build_warehouse, working.settings) as connection:
                rows = register_columns(connection)
            yield working.materialized(COLUMNS, rows=rows)

    return register
