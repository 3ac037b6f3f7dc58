"""`build/audit.duckdb`: the results and the verdict, under a seal.

Add a table here when the seal covers it, and describe it in `_audit_tables.yml`. Nothing here judges. What else is
published in schema `audit` is copied from the build, which the verdict's fingerprint covers: see `publish.copying`.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pipelines.audit.metrics import HISTORY, KEPT, state_file
from pipelines.audit.results import RuleResult, Severity, Status, Verdict, VerdictStatus
from pipelines.keys import load_secret
from pipelines.warehouse import connect, identifier, insert_rows

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.audit.failures import RuleFailure
    from pipelines.settings import Settings

# Catalog and schema: the file's stem names the catalog, which is called like the schema.
_SCHEMA = "audit.audit"

_RESULTS = """
    build_id text, version text, suite text, rule_id text, object text, dimension text, severity text, status text,
    element_count bigint, failed_count bigint, threshold double, observed double, owner text, description text,
    description_de text, remedy text, remedy_de text, ran_at timestamp,
    approved_because text, note text, rule_digest text
"""
_FAILURES = (
    "build_id text, version text, rule_id text, object text, key_name text, key text, customer_id text, fields text"
)
_VERDICT = """
    build_id text, version text, status text, config_digest text, warehouse_bytes bigint, warehouse_sha256 text,
    ran_at timestamp, passed_count bigint, failed_count bigint, warned_count bigint, not_applicable_count bigint,
    not_run_count bigint, critical_failed_count bigint, seal text
"""


@dataclass(frozen=True)
class DetailTable:
    """A table beside verdict and results, under the same seal. `columns` is its definition, `rows` are by position."""

    name: str
    columns: str
    rows: Sequence[Sequence[object]]


def write_verdict(
    settings: Settings,
    verdict: Verdict,
    failures: Sequence[RuleFailure] = (),
    metrics: Sequence[tuple[Any, ...]] = (),
    details: Sequence[DetailTable] = (),
) -> None:
    """Replace `build/audit.duckdb`; a crash before the end leaves no verdict.

    Args:
        metrics: rows of this build; those of versions before it are copied from the state.
    """
    settings.build_audit.unlink(missing_ok=True)
    settings.build_audit.with_name(settings.build_audit.name + ".wal").unlink(missing_ok=True)
    kept = state_file(settings)
    attached = {"kept": kept} if metrics and kept.exists() else {}
    with connect(settings.build_audit, settings, attach=attached) as connection:
        connection.execute("begin")
        connection.execute(f"create schema {_SCHEMA}")
        connection.execute(f"create table {_SCHEMA}.rule_results ({_RESULTS})")
        connection.execute(f"create table {_SCHEMA}.verdict ({_VERDICT})")
        insert_rows(connection, f"{_SCHEMA}.rule_results", [_result_row(verdict, result) for result in verdict.results])
        connection.execute(f"create table {_SCHEMA}.rule_failures ({_FAILURES})")
        insert_rows(connection, f"{_SCHEMA}.rule_failures", [_failure_row(verdict, failure) for failure in failures])
        connection.execute(f"create table {_SCHEMA}.metrics ({HISTORY})")
        insert_rows(connection, f"{_SCHEMA}.metrics", metrics)
        if attached:
            _copy_history(connection)
        for table in details:
            connection.execute(f"create table {_SCHEMA}.{identifier(table.name)} ({table.columns})")
            insert_rows(connection, f"{_SCHEMA}.{identifier(table.name)}", table.rows)
        seal = _seal(verdict, _details(connection), settings)
        insert_rows(connection, f"{_SCHEMA}.verdict", [_verdict_row(verdict, seal)])
        connection.execute("commit")


def _copy_history(connection: DuckDBPyConnection) -> None:
    """The figures of earlier versions, of `KEPT` days: a year has hundreds of thousands."""
    table = f"{_SCHEMA}.metrics"
    connection.execute(
        f"insert into {table} by name select * from kept.metrics where version not in (select version from {table}) "
        f"and day >= (select max(day) from {table}) - {KEPT.days} order by version, metric, object, part"
    )


def load_verdict(settings: Settings) -> Verdict | None:
    """The verdict on the open build, or None when there is none. Whether it holds is for the gate to say.

    Raises:
        WarehouseError: the file is not readable as a database, or lacks the tables.
    """
    if not settings.build_audit.exists():
        return None
    with connect(settings.build_audit, settings, read_only=True) as connection:
        return _read(connection)[0]


def load_sealed_verdict(settings: Settings) -> tuple[Verdict | None, bool]:
    """The verdict, and whether its seal is intact: nobody changed a row of the file since it was made."""
    if not settings.build_audit.exists():
        return None, False
    with connect(settings.build_audit, settings, read_only=True) as connection:
        verdict, seal = _read(connection)
        if verdict is None:
            return None, False
        return verdict, hmac.compare_digest(seal, _seal(verdict, _details(connection), settings))


def _read(connection: DuckDBPyConnection) -> tuple[Verdict | None, str]:
    rows = connection.execute(f"from {_SCHEMA}.verdict").fetchall()
    if len(rows) != 1:
        return None, ""
    [(strangers,)] = connection.execute(
        f"select count(*) from {_SCHEMA}.rule_results as r cross join {_SCHEMA}.verdict as v "
        "where r.build_id is distinct from v.build_id or r.version is distinct from v.version"
    ).fetchall()
    build_id, version, status, config_digest, size, sha256, ran_at, *_, seal = rows[0]
    found = connection.execute(f"from {_SCHEMA}.rule_results order by suite, rule_id, object, status").fetchall()
    results = tuple(_as_result(row) for row in found)
    verdict = Verdict(build_id, version, VerdictStatus(status), config_digest, size, sha256, ran_at, results)
    return verdict, "" if strangers else str(seal)  # results of another build break it


def _as_result(row: tuple[Any, ...]) -> RuleResult:
    _, _, suite, rule_id, name, dimension, severity, status, *rest = row
    return RuleResult(suite, rule_id, name, dimension, Severity(severity), Status(status), *rest)


def _result_row(verdict: Verdict, r: RuleResult) -> tuple[Any, ...]:
    return (
        verdict.build_id,
        verdict.version,
        r.suite,
        r.rule_id,
        r.object,
        r.dimension,
        r.severity.value,
        r.status.value,
        r.element_count,
        r.failed_count,
        r.threshold,
        r.observed,
        r.owner,
        r.description,
        r.description_de,
        r.remedy,
        r.remedy_de,
        r.ran_at,
        r.approved_because,
        r.note,
        r.rule_digest,
    )


def _failure_row(verdict: Verdict, f: RuleFailure) -> tuple[Any, ...]:
    fields = ", ".join(f.fields) or None
    return verdict.build_id, verdict.version, f.rule_id, f.object, f.key_name, f.key, f.customer_id, fields


def _verdict_row(verdict: Verdict, seal: str) -> tuple[Any, ...]:
    return (
        verdict.build_id,
        verdict.version,
        verdict.status.value,
        verdict.config_digest,
        verdict.warehouse_bytes,
        verdict.warehouse_sha256,
        verdict.ran_at,
        *verdict.status_counts.values(),
        verdict.critical_failed_count,
        seal,
    )


def _details(connection: DuckDBPyConnection) -> list[tuple[str, str]]:
    """Name and SHA-256 of every table beside verdict and results, whatever the order of its rows."""
    names = connection.execute(
        "select table_name from duckdb_tables() where database_name = 'audit' "
        "and table_name not in ('verdict', 'rule_results') order by table_name"
    ).fetchall()
    found = []
    for (name,) in names:
        row = connection.execute(
            f"select sha256(coalesce(string_agg(content::text, chr(10) order by content::text), '')) "
            f"from {_SCHEMA}.{identifier(name)} as content"
        ).fetchone()
        found.append((name, str(row and row[0])))
    return found


def _seal(verdict: Verdict, details: Sequence[tuple[str, str]], settings: Settings) -> str:
    """HMAC-SHA-256 of the whole file under the data folder's secret: a row changed by hand breaks it."""
    header = [str(v) for v in (replace(verdict, results=()).__dict__ | {"results": len(verdict.results)}).values()]
    rows = sorted([repr(v) for v in _result_row(verdict, r)] for r in verdict.results)
    content = json.dumps([header, rows, details], ensure_ascii=False).encode()
    return hmac.new(load_secret(settings).encode(), content, hashlib.sha256).hexdigest()
