"""A small build that went through every step, so that publishing it is all that is left; also for child processes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from pipelines import warehouse
from pipelines.build import Build, open_build, record_step
from pipelines.configuration import Configuration
from pipelines.publish.columns import register_columns
from pipelines.publish.release import PublishReport, release_build
from pipelines.settings import Settings

CANARY = "Kanarienvogel"
NOW = datetime.fromisoformat("2026-11-21T02:00:00")
VERDICT = {"status": "passed", "status_counts": {"passed": 3}}

PLAIN = {"personal": False}
PERSONAL = {"personal": True}


def describe(name: str, file: str, columns: dict[str, dict[str, Any]], *, kind: str = "model") -> dict[str, Any]:
    """One table as dbt's manifest has it; `columns` are the `meta` by name."""
    schema, _, table = name.partition(".")
    return {
        "resource_type": kind,
        "schema": schema,
        "name": table,
        "description": f"{table}. One row per one.",
        "config": {"meta": {"file": file, "owner": "unify", "purpose": "test"}},
        "columns": {
            column: {"name": column, "description": f"The {column}.", "data_type": "varchar", "config": {"meta": meta}}
            for column, meta in columns.items()
        },
    }


VERSION_COLUMNS = (
    "version build_id run_id company created_at as_of base_version configuration_digest watermarks verdict software"
)


def manifest() -> dict[str, Any]:
    """dbt's manifest of the tables of the small build."""
    tables = [
        describe("marts.customers", "warehouse", {"customer_id": PERSONAL, "country": PLAIN}),
        describe("marts.customer_profiles", "restricted", {"customer_id": PERSONAL, "last_name": PERSONAL}),
        describe("audit.rule_results", "warehouse", {"rule_id": PLAIN, "status": PLAIN}, kind="source"),
        describe("meta.version", "warehouse", dict.fromkeys(VERSION_COLUMNS.split(), PLAIN), kind="source"),
    ]
    return {
        "nodes": {f"marts.{t['name']}": t for t in tables if t["resource_type"] == "model"},
        "sources": {f"{t['schema']}.{t['name']}": t for t in tables if t["resource_type"] == "source"},
    }


def make_build(
    settings: Settings, configuration: Configuration, *, run: str = "run-1", customers: int = 3, day: int = 0
) -> Build:
    """Open a build and fill it; every customer has an id that names the run."""
    now = NOW + timedelta(days=day)
    build = open_build(settings, configuration, build_id=run, as_of=now, now=now)
    with warehouse.connect(settings.build_warehouse, settings) as connection:
        connection.execute(f"""
            create table marts.customers as
                select 'c_' || i as customer_id, 'DE' as country from range({customers}) r(i);
            create table marts.customer_profiles as
                select 'c_' || i as customer_id, '{CANARY}' as last_name from range({customers}) r(i);
            create table clean.persons as select 'r_0' as record_key, '{CANARY}' as last_name;
            create table raw.reconciliation as
                select 'crm' as source_system, 'contacts' as entity, timestamp '{now}' as loaded_at;
            create table identity.members as
                select 'r_' || i as record_key, 'c_' || i as customer_id from range({customers}) r(i);
            create table identity.customer_id_history as
                select 'c_' || i as customer_id, 'active' as status, 'c_' || i as current_customer_id,
                    '{build.version}' as status_version
                from range({customers}) r(i);
            create table identity.customer_id_events as
                select 'e_{build.version}_' || i as event_key, 'c_' || i as customer_id, 'created' as event
                from range({customers}) r(i);
        """)
        register_columns(connection, manifest())
    with warehouse.connect(settings.build_audit, settings) as connection:
        connection.execute(
            "create schema audit; create table audit.audit.rule_results as select 'crm_001' rule_id, 'passed' status"
        )
    record_step(settings, step="meta.columns", run_id=run, started_at=now, finished_at=now, rows=1)
    return build


def publish(settings: Settings, configuration: Configuration, build: Build, **options: Any) -> PublishReport:
    """Release a build that is taken to have passed the gate."""
    now = build.started_at + timedelta(minutes=5)
    return release_build(settings, configuration, build, verdict=VERDICT, now=now, run_id=build.build_id, **options)


def publish_new(settings: Settings, configuration: Configuration, **options: Any) -> str:
    """Make a build, publish it, and return its version."""
    return publish(settings, configuration, make_build(settings, configuration, **options)).version
