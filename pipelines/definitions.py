"""The whole flow on one screen."""

from __future__ import annotations

import os

import dagster as dg

from pipelines.audit import load_catalogue
from pipelines.configuration import load_configuration
from pipelines.defs.activate import audience_assets
from pipelines.defs.audit import rule_checks, verdict_asset
from pipelines.defs.clean import clean_assets
from pipelines.defs.executor import one_run_at_a_time
from pipelines.defs.extract import raw_assets, source_assets
from pipelines.defs.invalid import invalid_definitions
from pipelines.defs.jobs import build_jobs
from pipelines.defs.meta import baseline_assets, build_asset, columns_asset
from pipelines.defs.publish import version_asset
from pipelines.defs.resolve import identity_assets
from pipelines.defs.schedules import nightly_schedule
from pipelines.defs.sensors import arrived_files, dead_runs, missed_night, stale_sources
from pipelines.defs.steps import build_dependencies
from pipelines.defs.transform import dbt_assets, in_folders
from pipelines.errors import KundenstammError
from pipelines.settings import QUIET_ENVIRONMENT, Settings
from pipelines.transform import load_manifest


def build_defs(settings: Settings | None = None) -> dg.Definitions:
    """All assets, checks, jobs, schedules and sensors of one configuration.

    An invalid configuration gives one asset that carries the sentences, and alerts every night.
    """
    os.environ.update(QUIET_ENVIRONMENT)
    try:
        settings = settings or Settings.from_environment()
        configuration = load_configuration(settings)
        manifest = load_manifest()
        catalogue = load_catalogue(configuration)
    except KundenstammError as error:
        return invalid_definitions(error, settings)

    sources = [source_assets(source) for source in configuration.sources]
    raw = raw_assets(configuration)
    staging = dbt_assets(manifest, name="stage", belongs=in_folders("staging"))
    marts = dbt_assets(manifest, name="build_marts", belongs=in_folders("intermediate", "marts"))
    baseline = baseline_assets(key for definition in (raw, marts, audience_assets) for key in definition.keys)
    columns = columns_asset(key for definition in (marts, audience_assets, baseline) for key in definition.keys)
    computed = [build_asset, raw, staging, clean_assets, identity_assets, marts, audience_assets, baseline, columns]
    verdict = verdict_asset(key for definition in computed for key in definition.keys)

    return dg.Definitions(
        assets=[*sources, *computed, verdict, version_asset(build_dependencies([*computed, verdict]))],
        asset_checks=[rule_checks(catalogue)],
        jobs=build_jobs(configuration, catalogue),
        schedules=[nightly_schedule(configuration.company)],
        sensors=[
            dead_runs,
            missed_night(configuration.company),
            stale_sources(configuration),
            arrived_files(configuration),
        ],
        executor=one_run_at_a_time,
    )


defs = build_defs()


def nightly_job() -> dg.JobDefinition:
    """The nightly job, for runs started by the command line."""
    return defs.resolve_job_def("nightly")
