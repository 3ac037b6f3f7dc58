"""Which sources were not loaded for too long: read from their landings, without a run.

Add here what makes a source stale. What becomes of it is decided by the rules of the audit and by alerts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pipelines.warehouse import connect

if TYPE_CHECKING:
    from pipelines.configuration import Configuration
    from pipelines.settings import Settings


@dataclass(frozen=True)
class StaleSource:
    """A source that is switched on, with its last load (UTC, without zone) and how old that may be."""

    name: str
    loaded_at: datetime
    max_age_days: int


def find_stale_sources(settings: Settings, configuration: Configuration, now: datetime) -> list[StaleSource]:
    """Sources whose newest load is older than `max_age_days`; one that was never loaded is new, not stale.

    Raises:
        WarehouseError: a landing cannot be read, for instance because a run is writing it.
    """
    stale = []
    for source in configuration.sources:
        file = settings.landing_file(source.name)
        if not source.enabled or not file.exists():
            continue
        with connect(file, settings, read_only=True) as connection:
            row = connection.execute("select max(loaded_at) from loads").fetchone()
        if row and row[0] and row[0] < now - timedelta(days=source.max_age_days):
            stale.append(StaleSource(source.name, row[0], source.max_age_days))
    return stale
