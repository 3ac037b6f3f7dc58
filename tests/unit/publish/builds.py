"""A small build that went through every step, so that publishing it is all that is left; also for child processes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pipelines import warehouse
from pipelines.audit import RuleResult, Severity, Status, Verdict, VerdictStatus, load_verdict
from pipelines.audit.fingerprint import fingerprint
from pipelines.audit.store import write_verdict
from pipelines.build import Build, open_build, record_step
from pipelines.configuration import Configuration
from pipelines.publish.columns import register_columns
from pipelines.publish.release import PublishReport, release_build
from pipelines.settings import Settings

CANARY = "Kanarienvogel"
NOW = datetime.fromisoformat("2026-11-21T02:00:00")

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


PROFILE_COLUMNS = ("customer_id", "first_name", "last_name", "salutation")
POINT_COLUMNS = ("customer_id", "contact_point_key", "value")
CORRECTION_COLUMNS = ("record_key", "source_record_id", "rule", "before", "after")
MEMBER_COLUMNS = ("audience", "customer_id", "contact_point_key", "priority")
RESULT_COLUMNS = (
    "build_id version suite rule_id object dimension severity status element_count failed_count threshold observed "
    "owner description description_de remedy remedy_de ran_at approved_because note rule_digest"
)
VERSION_COLUMNS = (
    "version build_id run_id company created_at as_of base_version configuration_digest watermarks verdict software"
)


def manifest() -> dict[str, Any]:
    """dbt's manifest of the tables of the small build."""
    tables = [
        describe("marts.customers", "warehouse", {"customer_id": PERSONAL, "country": PLAIN}),
        describe("marts.customer_profiles", "restricted", dict.fromkeys(PROFILE_COLUMNS, PERSONAL)),
        describe("marts.customer_contact_points", "restricted", dict.fromkeys(POINT_COLUMNS, PERSONAL)),
        describe("activation.audiences", "warehouse", {"audience": PLAIN}, kind="source"),
        describe("activation.audience_members", "warehouse", dict.fromkeys(MEMBER_COLUMNS, PERSONAL), kind="source"),
        describe("audit.rule_results", "warehouse", dict.fromkeys(RESULT_COLUMNS.split(), PLAIN), kind="source"),
        describe("audit.corrections", "warehouse", {"record_key": PERSONAL, "rule": PLAIN}, kind="source"),
        describe(
            "audit.correction_plan", "warehouse", {"source_system": PLAIN, "correction_count": PLAIN}, kind="source"
        ),
        describe("audit.corrections_values", "restricted", dict.fromkeys(CORRECTION_COLUMNS, PERSONAL), kind="source"),
        describe("meta.version", "warehouse", dict.fromkeys(VERSION_COLUMNS.split(), PLAIN), kind="source"),
    ]
    return {
        "nodes": {f"marts.{t['name']}": t for t in tables if t["resource_type"] == "model"},
        "sources": {f"{t['schema']}.{t['name']}": t for t in tables if t["resource_type"] == "source"},
    }


def make_build(
    settings: Settings,
    configuration: Configuration,
    *,
    run: str = "run-1",
    customers: int = 3,
    day: int = 0,
    model: str | None = None,
) -> Build:
    """Open a build and fill it; every customer has an id that names the run, and `model` linked it, or its own."""
    now = NOW + timedelta(days=day)
    build = open_build(settings, configuration, build_id=run, as_of=now, now=now)
    with warehouse.connect(settings.build_warehouse, settings) as connection:
        connection.execute(f"""
            create table shared.marts.customers as
                select 'c_' || i as customer_id, 'DE' as country from range({customers}) r(i);
            create table restricted.marts.customer_profiles as
                select 'c_' || i as customer_id, 'Eva' as first_name, '{CANARY}' as last_name, 'Frau' as salutation
                from range({customers}) r(i);
            create table restricted.marts.customer_contact_points as
                select 'c_0' as customer_id, 'p_0' as contact_point_key, '{CANARY}@example.org' as value;
            create table activation.audiences as select 'lapsed' as audience;
            create table activation.audience_members as
                select 'lapsed' as audience, 'c_0' as customer_id, 'p_0' as contact_point_key, 1 as priority;
            create table clean.persons as select 'r_0' as record_key, '{CANARY}' as last_name;
            create table clean.corrections as
                select 'r_0' as record_key, '1' as source_record_id, 'title' as rule,
                    'Dr. {CANARY}' as before, '{CANARY}' as after;
            create table clean.correction_plan as select 'crm' as source_system, 1 as correction_count;
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
            create table identity.account_records as
                select 'r_f' || i as record_key, 'a_' || i as account_id from range({customers}) r(i);
            create table identity.account_id_history as
                select 'a_' || i as account_id, 'active' as status, 'a_' || i as current_account_id,
                    '{build.version}' as status_version
                from range({customers}) r(i);
            create table identity.model as
                select '{model or build.version}' as model_version, 1000 as profile_count, 'email' as comparison;
            create table identity.model_frequencies as
                select 'city' as field, '{model or build.version}' as value, 0.5 as frequency;
        """)
        register_columns(connection, manifest())
    write_verdict(settings, judge_build(settings, configuration, build, [("crm_001", "crm.contacts")]))
    record_step(settings, step="meta.columns", run_id=run, started_at=now, finished_at=now, rows=1)
    return build


def judge_build(
    settings: Settings,
    configuration: Configuration,
    build: Build,
    rules: Sequence[tuple[str, str]],
    *,
    failing: Collection[str] = (),
    digests: Mapping[str, str] | None = None,
) -> Verdict:
    """The verdict on the build as it is, with one critical result per (rule, object); `failing` rules fail.

    `digests`: of the rules as they are, by id.
    """
    size, sha256 = fingerprint(settings)
    results = [
        RuleResult(
            suite="contacts",
            rule_id=rule,
            object=name,
            dimension="validity",
            severity=Severity.CRITICAL,
            status=Status.FAILED if rule in failing else Status.PASSED,
            element_count=10,
            failed_count=3 if rule in failing else 0,
            threshold=0.0,
            observed=0.0,
            owner="crm team",
            description="Every e-mail is valid.",
            description_de="Jede E-Mail ist gültig.",
            remedy="Correct them in the CRM.",
            remedy_de="Im CRM berichtigen.",
            ran_at=build.started_at,
            rule_digest=(digests or {}).get(rule),
        )
        for rule, name in rules
    ]
    return Verdict(
        build_id=build.build_id,
        version=None if failing else build.version,
        status=VerdictStatus.REFUSED if failing else VerdictStatus.PASSED,
        config_digest=configuration.digest,
        warehouse_bytes=size,
        warehouse_sha256=sha256,
        ran_at=build.started_at,
        results=tuple(results),
    )


def publish(settings: Settings, configuration: Configuration, build: Build, **options: Any) -> PublishReport:
    """Release a build that is taken to have passed the gate."""
    verdict = load_verdict(settings)
    assert verdict is not None
    now = build.started_at + timedelta(minutes=5)
    return release_build(settings, configuration, build, verdict=verdict, now=now, run_id=build.build_id, **options)


def publish_new(settings: Settings, configuration: Configuration, **options: Any) -> str:
    """Make a build, publish it, and return its version."""
    return publish(settings, configuration, make_build(settings, configuration, **options)).version
