"""What a night costs in which one record of a hundred says something else, beside a full run of the same data.

Add a figure of a night here. That both give the same tables is what the tests of `increments` prove; it is told here,
too, because a fast night that gives others is none.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipelines.publish import state, sync_state
from pipelines.publish.copying import copy_identity
from pipelines.publish.switch import switch_to
from pipelines.resolve import resolve_identities
from pipelines.resolve.kept import cache_file
from pipelines.warehouse import connect

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.build import Build
    from pipelines.configuration import Configuration
    from pipelines.settings import Settings

# Of two hundred records one has another mailbox and one another phone.
_CHANGES = (
    "update clean.persons set email = changed, email_match = changed "
    "from (select record_key as key, 'new' || hash(record_key) % 1000000 || '@example.com' as changed "
    "from clean.persons where hash(record_key) % 200 = 0) where key = record_key",
    "update clean.persons set phone = '+4930' || hash(record_key) % 10000000 where hash(record_key) % 200 = 1",
)
_TABLES = ("members", "links", "refused_links", "silenced_values", "review_queue", "customer_id_history")


@dataclass(frozen=True)
class NightCost:
    """Records in all and matched anew, processor time of the night and of the full run, and whether all is the same."""

    records: int
    renewed: int
    cpu_seconds: float
    full_cpu_seconds: float
    is_same: bool


def measure_night(settings: Settings, configuration: Configuration, build: Build) -> NightCost:
    """Take what is resolved in the build for published, change one record of a hundred, and resolve it both ways."""
    folder = settings.versions_dir / build.version
    folder.mkdir(parents=True)
    copy_identity(settings, folder / "state.duckdb", state.IDENTITY)
    switch_to(settings, build.version)
    sync_state(settings)
    night = replace(build, version=f"{build.version}-night")
    with connect(settings.build_warehouse, settings) as connection:
        for change in _CHANGES:
            connection.execute(change)
        began = time.process_time()
        report = resolve_identities(connection, settings, configuration, night)
        cpu_seconds = time.process_time() - began
        for table in _TABLES:
            connection.execute(f"create or replace temp table night_{table} as from identity.{table}")
        cache_file(settings).unlink()
        began = time.process_time()
        resolve_identities(connection, settings, configuration, night)
        full_cpu_seconds = time.process_time() - began
        is_same = not any(_differs(connection, table) for table in _TABLES)
    return NightCost(report.record_count, report.renewed_count, cpu_seconds, full_cpu_seconds, is_same)


def _differs(connection: DuckDBPyConnection, table: str) -> bool:
    sides = f"from night_{table}", f"from identity.{table}"
    return any(
        connection.execute(f"{a} except all {b} limit 1").fetchone() is not None for a, b in (sides, sides[::-1])
    )
