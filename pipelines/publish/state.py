"""Bring `state/identity.duckdb` up to date from what was published: every id ever issued, and the model that links.

Beside them the last assignment of every record ever published, so that one which comes back is who it was. Add here
what of a version must outlive it. Nothing is ever dropped, and nothing older overwrites something newer, so
doing it twice, or after a rollback, changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines import warehouse
from pipelines.warehouse import identifier

if TYPE_CHECKING:
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from pipelines.settings import Settings

# Tables of a version's state.duckdb.
MEMBERS, HISTORY, EVENTS = "members", "customer_id_history", "customer_id_events"
MODEL, FREQUENCIES = "model", "model_frequencies"
IDENTITY = (MEMBERS, HISTORY, EVENTS, MODEL, FREQUENCIES)


def sync_state(settings: Settings) -> None:
    """Copy ids and events of the current version that the state does not have, in one transaction."""
    published = settings.current / "state.duckdb"
    if not published.exists():
        return
    settings.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    attach = {"published": published.resolve()}
    with warehouse.connect(_file(settings), settings, attach=attach) as connection:
        connection.execute("begin")
        for table in (HISTORY, EVENTS):
            connection.execute(f"create table if not exists {table} as from published.{table} limit 0")
        # Names of versions sort by age: a rolled-back version never takes back what a newer one has said.
        _update_newer(connection)
        connection.execute(
            f"insert into {HISTORY} by name from published.{HISTORY} "
            f"where customer_id not in (select customer_id from {HISTORY})"
        )
        connection.execute(
            f"insert into {EVENTS} by name from published.{EVENTS} "
            f"where event_key not in (select event_key from {EVENTS})"
        )
        _remember_members(connection, settings.current.resolve().name)
        _keep_model(connection)
        connection.execute("commit")
    _file(settings).chmod(0o600)


def _update_newer(connection: DuckDBPyConnection) -> None:
    columns = connection.execute(
        "select column_name from duckdb_columns() where database_name = 'published' and table_name = ? "
        "and column_name <> 'customer_id' order by column_index",
        [HISTORY],
    ).fetchall()
    assignments = ", ".join(f"{identifier(name)} = newer.{identifier(name)}" for (name,) in columns)
    connection.execute(
        f"update {HISTORY} set {assignments} from published.{HISTORY} as newer "
        f"where newer.customer_id = {HISTORY}.customer_id "
        f"and newer.status_version > coalesce({HISTORY}.status_version, '')"
    )


def _remember_members(connection: DuckDBPyConnection, version: str) -> None:
    """Keep for every record the customer of the newest version that held it."""
    connection.execute(f"create table if not exists {MEMBERS} (record_key text, customer_id text, version text)")
    connection.execute(
        f"update {MEMBERS} set customer_id = newer.customer_id, version = $1 from published.{MEMBERS} as newer "
        f"where newer.record_key = {MEMBERS}.record_key and {MEMBERS}.version < $1",
        [version],
    )
    connection.execute(
        f"insert into {MEMBERS} select record_key, customer_id, $1 from published.{MEMBERS} "
        f"where record_key not in (select record_key from {MEMBERS})",
        [version],
    )


def _keep_model(connection: DuckDBPyConnection) -> None:
    """Keep the model that was learned last; one that learned nothing is not kept, and the first versions had none."""
    query = "select 1 from duckdb_tables() where database_name = 'published' and table_name = ?"
    if not connection.execute(query, [MODEL]).fetchone():
        return
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
