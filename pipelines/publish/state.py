"""Bring `state/identity.duckdb` up to date from what was published: every id ever issued, and the model that links.

Beside them the last assignment of every record ever published, so that one which comes back is who it was. Add here
what of a version must outlive it. Nothing is ever dropped, and nothing older overwrites something newer, so
doing it twice, or after a rollback, changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines import warehouse
from pipelines.audit.metrics import keep_metrics
from pipelines.warehouse import identifier, literal

if TYPE_CHECKING:
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from pipelines.settings import Settings

# Tables of a version's state.duckdb.
MEMBERS, HISTORY, EVENTS = "members", "customer_id_history", "customer_id_events"
ACCOUNT_RECORDS, ACCOUNT_HISTORY = "account_records", "account_id_history"
MODEL, FREQUENCIES = "model", "model_frequencies"
IDENTITY = (MEMBERS, HISTORY, EVENTS, ACCOUNT_RECORDS, ACCOUNT_HISTORY, MODEL, FREQUENCIES)


def sync_state(settings: Settings) -> None:
    """Copy what the current version has and the state does not: figures, then ids and events in one transaction."""
    keep_metrics(settings)
    published = settings.current / "state.duckdb"
    if not published.exists():
        return
    settings.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    attach = {"published": published.resolve()}
    with warehouse.connect(_file(settings), settings, attach=attach) as connection:
        connection.execute("begin")
        version = settings.current.resolve().name
        _keep_history(connection, HISTORY, "customer_id")
        _keep_events(connection)
        _remember_members(connection, MEMBERS, "customer_id", version)
        if _is_published(connection, ACCOUNT_RECORDS):
            _keep_history(connection, ACCOUNT_HISTORY, "account_id")
            _remember_members(connection, ACCOUNT_RECORDS, "account_id", version)
        if _is_published(connection, MODEL):
            _keep_model(connection)
        connection.execute("commit")
    _file(settings).chmod(0o600)


def _is_published(connection: DuckDBPyConnection, table: str) -> bool:
    """Whether the version has the table; the first versions had neither accounts nor a model."""
    query = "select 1 from duckdb_tables() where database_name = 'published' and table_name = ?"
    return connection.execute(query, [table]).fetchone() is not None


def _keep_history(connection: DuckDBPyConnection, table: str, id_column: str) -> None:
    """Keep every id ever issued with what it is in the newest version.

    Names of versions sort by age: a rolled-back version never takes back what a newer one has said.
    """
    connection.execute(f"create table if not exists {table} as from published.{table} limit 0")
    columns = connection.execute(
        "select column_name from duckdb_columns() where database_name = 'published' and table_name = ? "
        "and column_name <> ? order by column_index",
        [table, id_column],
    ).fetchall()
    assignments = ", ".join(f"{identifier(name)} = newer.{identifier(name)}" for (name,) in columns)
    connection.execute(
        f"update {table} set {assignments} from published.{table} as newer "
        f"where newer.{id_column} = {table}.{id_column} "
        f"and newer.status_version > coalesce({table}.status_version, '')"
    )
    connection.execute(
        f"insert into {table} by name from published.{table} where {id_column} not in (select {id_column} from {table})"
    )


def _keep_events(connection: DuckDBPyConnection) -> None:
    connection.execute(f"create table if not exists {EVENTS} as from published.{EVENTS} limit 0")
    connection.execute(
        f"insert into {EVENTS} by name from published.{EVENTS} where event_key not in (select event_key from {EVENTS})"
    )


def _remember_members(connection: DuckDBPyConnection, table: str, id_column: str, version: str) -> None:
    """Keep for every record the customer or account of the newest version that held it.

    The table is written anew: nearly all of its rows change, and updating texts row by row takes ten times as long.
    """
    connection.execute(f"create table if not exists {table} (record_key text, {id_column} text, version text)")
    told = f"(select record_key from {table} where version >= {literal(version)})"
    news = f"published.{table} where record_key not in {told}"
    if connection.execute(f"select 1 from {news} limit 1").fetchone() is None:
        return
    connection.execute(
        f"create or replace table {table} as "
        f"select record_key, {id_column}, {literal(version)} as version from {news} "
        f"union all select record_key, {id_column}, version from {table} "
        f"where version >= {literal(version)} or record_key not in (select record_key from published.{table})"
    )


def _keep_model(connection: DuckDBPyConnection) -> None:
    """Keep the model that was learned last; one that learned nothing is not kept."""
    for table in (MODEL, FREQUENCIES):
        connection.execute(f"create table if not exists {table} as from published.{table} limit 0")
    learned = connection.execute(
        f"select 1 from published.{MODEL} where profile_count > 0 "
        f"having max(model_version) > coalesce((select max(model_version) from {MODEL}), '')"
    ).fetchone()
    if learned:
        for table in (MODEL, FREQUENCIES):
            connection.execute(f"delete from {table}")
            connection.execute(f"insert into {table} by name from published.{table}")


def _file(settings: Settings) -> Path:
    return settings.state_dir / "identity.duckdb"
