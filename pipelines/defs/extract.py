"""Extract as assets: one op per source, one asset per entity it delivers; then the union of all landings."""

from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
from pydantic import Field

from pipelines.build import claim_data_folder
from pipelines.configuration import Configuration, SourceConfig, load_configuration
from pipelines.defs.steps import BUILD, WAREHOUSE_POOL, sentences, step
from pipelines.defs.tables import as_markdown
from pipelines.defs.translator import describe_asset
from pipelines.entities import ENTITIES, Entity
from pipelines.errors import SourceError
from pipelines.settings import Settings

# Landed every night: a few hours late is worth a look, two missed nights are stale (audit rule SRC-003 says the same).
FRESH = dg.FreshnessPolicy.time_window(warn_window=timedelta(hours=30), fail_window=timedelta(hours=48))
LANDING = "extract_"  # how the steps that land a source begin
RETRIES = dg.RetryPolicy(max_retries=2, delay=5, backoff=dg.Backoff.EXPONENTIAL)


class ExtractConfig(dg.Config):
    full: bool = Field(default=False, description="Read everything again, also files that did not change.")
    since: str | None = Field(
        default=None, description="Read again what changed since this moment (ISO 8601, UTC); for databases and APIs."
    )
    until: str | None = Field(
        default=None, description="With `since`: only what changed before this moment (ISO 8601, UTC)."
    )
    approved_shrink: str | None = Field(
        default=None, description="Take a delivery that shrank beyond the limit; the reason is kept with the load."
    )


def step_of(source: SourceConfig) -> str:
    """The step that lands a source."""
    return f"{LANDING}{source.name}"


def begin_to_land(settings: Settings, run: dg.DagsterRun, steps: Collection[str]) -> None:
    """Land the sources of these steps two at a time: files that the run wants read as on every night.

    An interface may answer for hours, and its pauses are not ours to wait for when a run is stopped.
    """
    from pipelines.extract import begin_early_landings

    configuration = load_configuration(settings)
    claim_data_folder(settings, configuration)
    asked: Any = run.run_config.get("ops", {})
    sources = [
        source
        for source in sorted(configuration.sources, key=lambda s: s.name)
        if source.connector == "files" and source.enabled
        if step_of(source) in steps and step_of(source) not in asked
        if run.asset_selection is None
        or run.asset_selection >= {dg.AssetKey([source.name, entity.name]) for entity in entities_of(source)}
    ]
    begin_early_landings(settings, configuration, sources, run_id=run.run_id)


def entities_of(source: SourceConfig) -> list[Entity]:
    """The canonical entities a source lands."""
    return [entity for name in source.landed_entities if (entity := source.find_entity(name))]


def source_assets(source: SourceConfig) -> dg.AssetsDefinition:
    """The op of one source."""
    entities = entities_of(source)

    @dg.multi_asset(
        name=step_of(source),
        specs=[
            describe_asset(
                (source.name, entity.name),
                f"{entity.name.replace('_', ' ').capitalize()} as {source.name} delivers them, landed with history. "
                f"One row per record of the source."
                + ("" if source.enabled else " The source is switched off: the last landed rows are kept."),
                deps=[BUILD],
                kinds=(source.connector, "duckdb"),
                freshness=FRESH if source.enabled else None,
            )
            for entity in entities
        ],
        can_subset=True,
        pool=f"source_{source.name}",
        retry_policy=RETRIES,
    )
    def extract(context: dg.AssetExecutionContext, config: ExtractConfig) -> Iterator[dg.MaterializeResult[Any]]:
        from pipelines.extract import load_source, take_early_landing

        with sentences(step_of(source)):
            settings = Settings.from_environment()
            configuration = load_configuration(settings)
            claim_data_folder(settings, configuration)
            reports = take_early_landing(source.name) or load_source(
                settings,
                configuration,
                configuration.source(source.name),
                run_id=context.run.run_id,
                now=datetime.now(UTC).replace(tzinfo=None),
                only={key.path[-1] for key in context.selected_asset_keys},
                approved_shrink=config.approved_shrink,
                full=config.full,
                since=_read_moment(config.since, "since"),
                until=_read_moment(config.until, "until"),
            )
            for report in reports:
                key = dg.AssetKey([source.name, report.entity])
                if key in context.selected_asset_keys:
                    facts: dict[str, Any] = dict(report.facts())
                    facts["dagster/row_count"] = facts.pop("rows")
                    if report.loaded_at is not None:  # older than this run where earlier records are kept
                        facts["read_at"] = dg.TimestampMetadataValue(report.loaded_at.replace(tzinfo=UTC).timestamp())
                    yield dg.MaterializeResult(asset_key=key, metadata=facts)

    return extract


def _read_moment(text: str | None, name: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        raise SourceError(
            f"`{name}` of the run's configuration is no moment; write it as 2026-11-01T00:00:00."
        ) from None


def raw_assets(configuration: Configuration) -> dg.AssetsDefinition:
    """The op that unites the landings into `raw.*`."""
    deliverers: dict[str, list[dg.AssetKey]] = {entity.table: [] for entity in ENTITIES.values()}
    for source in configuration.sources:
        for entity in entities_of(source):
            deliverers[entity.table].append(dg.AssetKey([source.name, entity.name]))
    landed = [key for keys in deliverers.values() for key in keys]
    specs = [
        describe_asset(
            ("raw", table),
            "The union of all landings in canonical columns and types; empty when no source delivers it. "
            "One row per record of a source.",
            deps=[BUILD, *keys],
        )
        for table, keys in deliverers.items()
    ]
    specs.append(
        describe_asset(
            ("raw", "employments"),
            "Which company a person record named, and when, from all versions of the record that were landed. "
            "One row per person record, company and period.",
            deps=[BUILD, *(key for e in ENTITIES.values() if e.is_person for key in deliverers[e.table])],
        )
    )
    specs.append(
        describe_asset(
            ("raw", "person_history"),
            "Contact fields that person records had once and have no more, from the histories of all landings. "
            "One row per person record and former set of contact fields.",
            deps=[BUILD, *(key for e in ENTITIES.values() if e.is_person for key in deliverers[e.table])],
        )
    )
    specs.append(
        describe_asset(
            ("raw", "rejects"),
            "Records that could not be landed, by key and reason. One row per open reject.",
            deps=[BUILD, *landed],
        )
    )
    specs.append(
        describe_asset(
            ("raw", "quarantine"),
            "Records that a rule of the audit sets aside before any stage uses them. One row per record and rule.",
            deps=[BUILD, *landed],
        )
    )
    specs.append(
        describe_asset(
            ("raw", "reconciliation"),
            "What was delivered and what became of it, since the last published version. "
            "One row per source and entity.",
            deps=[BUILD, *landed],
        )
    )

    @dg.multi_asset(name="unite_landings", specs=specs, can_subset=True, pool=WAREHOUSE_POOL)
    def unite(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[Any]]:
        from pipelines.audit import load_catalogue, quarantine_records
        from pipelines.extract import build_raw, summarize_reconciliation, summarize_rejects
        from pipelines.publish import read_watermarks
        from pipelines.warehouse import connect

        with step(context) as working:
            with connect(working.settings.build_warehouse, working.settings) as connection:
                rows = build_raw(
                    connection,
                    working.settings,
                    working.configuration,
                    tables={key.path[-1] for key in context.selected_asset_keys},
                    since=read_watermarks(working.settings),
                )
                rules = load_catalogue(working.configuration).rules
                rows["quarantine"] = quarantine_records(connection, rules)
                summaries = {"reconciliation": summarize_reconciliation, "rejects": summarize_rejects}
                shown = {
                    table: {"table": dg.MetadataValue.md(as_markdown(*summarize(connection)))}
                    for table, summarize in summaries.items()
                    if dg.AssetKey(["raw", table]) in context.selected_asset_keys
                }
            for key in sorted(context.selected_asset_keys):
                yield working.materialized(key, rows=rows[key.path[-1]], metadata=shown.get(key.path[-1]))

    return unite
