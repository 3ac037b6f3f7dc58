"""The stages of a night one after the other in this process, without Dagster and without the audit.

What the next night starts from is kept as publishing keeps it: landings, ids and assignments. Figures are computed
when they are asked for, because no later night reads them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipelines.activate import build_audiences
from pipelines.build import Build, current_build, mark_published, open_build
from pipelines.clean import clean_records
from pipelines.configuration import load_configuration
from pipelines.extract import build_raw, load_source
from pipelines.extract.report import LoadReport
from pipelines.publish import state, sync_state
from pipelines.publish.copying import copy_identity
from pipelines.publish.switch import switch_to
from pipelines.resolve import ResolveReport, resolve_accounts, resolve_identities
from pipelines.settings import Settings
from pipelines.transform import run_dbt
from pipelines.warehouse import PART_SCHEMAS, SHARED, connect

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

AFTER_MIDNIGHT = timedelta(hours=2)


@dataclass(frozen=True)
class Night:
    """What one night did: a report per landed entity, by `source.entity`, and one of the identities."""

    loads: dict[str, LoadReport]
    identities: ResolveReport


def run_night(
    settings: Settings, sample: Path, as_of: datetime, staging: Sequence[str], patch: pytest.MonkeyPatch
) -> Night:
    """Land what is in `sample` two hours after as_of, say who is who, and make that the current version.

    `staging` are the statements that make dbt's views; they are the same every night.
    """
    patch.setenv("KUNDENSTAMM_SAMPLE", str(sample))
    configuration, now = load_configuration(settings), as_of + AFTER_MIDNIGHT
    run_id = f"{now:%m%d%H%M}"
    loads = {
        f"{report.source}.{report.entity}": report
        for source in configuration.sources
        for report in load_source(settings, configuration, source, run_id=run_id, now=now.replace(tzinfo=UTC))
    }
    build = open_build(settings, configuration, build_id=run_id, as_of=as_of, now=now)
    with connect(settings.build_warehouse, settings) as connection:
        build_raw(connection, settings, configuration)
        for statement in ("create schema if not exists staging", *staging):
            connection.execute(statement)
        clean_records(connection, settings, configuration, build)
        identities = resolve_identities(connection, settings, configuration, build)
        resolve_accounts(connection, settings, configuration, build)
    _keep(settings, build)
    return Night(loads, identities)


def read_staging(settings: Settings, staged_warehouse: Path) -> list[str]:
    """The statements that make the staging views of a build."""
    with connect(staged_warehouse, settings, read_only=True) as connection:
        views = connection.execute("select sql from duckdb_views() where schema_name = 'staging' order by view_oid")
        return [sql for (sql,) in views.fetchall()]


def compute_figures(settings: Settings) -> None:
    """The published tables of the build of the last night."""
    run_dbt(settings, "run", ["intermediate", "marts"])
    with connect(settings.build_warehouse, settings) as connection:
        build_audiences(connection, load_configuration(settings), current_build(settings))


def unite_files(connection: DuckDBPyConnection, name: str) -> None:
    """A catalog with the published tables of a build as views, whose files are attached as <name>_own and its parts."""
    schemas = [schema for schema in PART_SCHEMAS[SHARED] if schema != "audit"]
    connection.execute(f"attach ':memory:' as {name}")
    for schema in schemas:
        connection.execute(f"create schema {name}.{schema}")
    tables = connection.execute(
        "select database_name, schema_name, table_name from duckdb_tables() where list_contains($1, database_name) "
        "and list_contains($2, schema_name)",
        [[f"{name}_{part}" for part in ("own", *PART_SCHEMAS)], list(schemas)],
    ).fetchall()
    for file, schema, table in tables:
        connection.execute(f"create view {name}.{schema}.{table} as from {file}.{schema}.{table}")


def _keep(settings: Settings, build: Build) -> None:
    folder = settings.versions_dir / build.version
    folder.mkdir(parents=True)
    copy_identity(settings, folder / "state.duckdb", state.IDENTITY)
    switch_to(settings, build.version)
    sync_state(settings)
    mark_published(settings, now=build.started_at)
