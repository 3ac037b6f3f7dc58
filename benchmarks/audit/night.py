"""One night up to the results of all rules, in this process and without Dagster: nothing is published.

Change here how a night is computed for a measurement. What is planted and what is printed is decided elsewhere.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.activate import build_audiences
from pipelines.audit import RuleResult, load_catalogue, quarantine_records, run_audit, run_rules
from pipelines.audit.baseline import write_baseline
from pipelines.build import Build, current_build, open_build
from pipelines.clean import clean_records
from pipelines.configuration import Configuration, load_configuration
from pipelines.errors import KundenstammError
from pipelines.extract import build_raw, load_source
from pipelines.overrides import company_day
from pipelines.publish import publish_version, register_columns
from pipelines.publish.status import read_watermarks
from pipelines.resolve import resolve_accounts, resolve_identities, write_diff, write_outcomes
from pipelines.settings import Settings
from pipelines.transform import run_dbt
from pipelines.warehouse import PART_SCHEMAS, connect

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

AFTER_MIDNIGHT = timedelta(hours=2)
# The statements of dbt's models, by what was selected; the same every night.
_STATEMENTS: dict[tuple[str, ...], list[str]] = {}


def check_night(settings: Settings) -> list[RuleResult]:
    """Check every rule on the open build."""
    configuration, build = load_configuration(settings), current_build(settings)
    return run_rules(settings, configuration, build, load_catalogue(configuration).rules)


def prepare_night(
    settings: Settings, sample: Path, as_of: datetime, landed: Collection[str] = frozenset()
) -> list[str]:
    """Land what is in `sample` and compute the build on what is published; returns why sources could not be landed.

    Sources in `landed` have landed it already.
    """
    os.environ["KUNDENSTAMM_SAMPLE"] = str(sample)
    configuration, now = load_configuration(settings), as_of + AFTER_MIDNIGHT
    stopped = _land(settings, configuration, now, landed)
    build = open_build(settings, configuration, build_id="measured", as_of=as_of, now=now)
    with connect(settings.build_warehouse, settings) as connection:
        build_raw(connection, settings, configuration, since=read_watermarks(settings))
        quarantine_records(connection, load_catalogue(configuration).rules)
    _run_models(settings, "staging")
    with connect(settings.build_warehouse, settings) as connection:
        clean_records(connection, settings, configuration, build)
        _resolve(connection, settings, configuration, build)
    _run_models(settings, "intermediate", "marts")
    with connect(settings.build_warehouse, settings) as connection:
        build_audiences(connection, configuration, build)
        write_baseline(connection, settings, configuration, build)
        register_columns(connection)
    return stopped


def publish_night(settings: Settings, as_of: datetime) -> None:
    """Audit and publish the build of `prepare_night`, so that the next night has something to be compared with.

    Raises:
        KundenstammError: the audit refuses it.
    """
    configuration, build = load_configuration(settings), current_build(settings)
    run_audit(settings, configuration, build, keep_warm=True)
    publish_version(settings, configuration, build, dependencies={}, now=as_of + AFTER_MIDNIGHT, run_id="measured")


def _run_models(settings: Settings, *selected: str) -> None:
    """dbt makes the models once; later nights repeat its statements, which takes a fifth of the time."""
    if selected not in _STATEMENTS:
        results = run_dbt(settings, "run", list(selected))
        files = {file.stem: file for file in (settings.build_dir / "dbt" / "run").rglob("*.sql")}
        _STATEMENTS[selected] = [files[result.name].read_text() for result in results if result.name in files]
        return
    with connect(settings.build_warehouse, settings) as connection:
        for schema in selected:
            connection.execute(f"create schema if not exists {schema}")
            for part, schemas in PART_SCHEMAS.items():
                if schema in schemas:
                    connection.execute(f"create schema if not exists {part}.{schema}")
        for statement in _STATEMENTS[selected]:
            connection.execute(statement)


def _land(settings: Settings, configuration: Configuration, now: datetime, landed: Collection[str]) -> list[str]:
    stopped = []
    for source in configuration.sources:
        if source.name in landed:
            continue
        try:
            list(load_source(settings, configuration, source, run_id="measured", now=now.replace(tzinfo=UTC)))
        except KundenstammError as error:
            stopped.append(str(error))
    return stopped


def _resolve(connection: DuckDBPyConnection, settings: Settings, configuration: Configuration, build: Build) -> None:
    resolve_identities(connection, settings, configuration, build)
    resolve_accounts(connection, settings, configuration, build)
    write_outcomes(connection, company_day(build.as_of, configuration.company.time_zone))
    write_diff(connection, settings, build)
