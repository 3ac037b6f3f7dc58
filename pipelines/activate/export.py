"""Write audiences as files that people open in a spreadsheet and tools import.

Add a column here when a channel needs it. Who is in an audience is decided in `audiences`.
"""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.spreadsheets import guard_cell

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

COLUMNS = ("customer_id", "contact_point_key", "value", "first_name", "last_name", "salutation")


def export_audiences(connection: DuckDBPyConnection, directory: Path) -> list[Path]:
    """Write `<audience>.csv` for every audience: UTF-8, header, comma, most valuable first; for owner and group only.

    A cell that a spreadsheet would take for a formula gets a leading apostrophe; phone numbers stay as they are.
    Semicolons, tabs and line ends within a cell become blanks. Returns the files by name.
    """
    audiences = connection.execute("select audience from activation.audiences order by audience").fetchall()
    return [_export_audience(connection, name, directory / f"{name}.csv") for (name,) in audiences]


def _export_audience(connection: DuckDBPyConnection, audience: str, file: Path) -> Path:
    rows = connection.execute(
        """
        select
            members.customer_id,
            members.contact_point_key,
            points.value,
            profiles.first_name,
            profiles.last_name,
            profiles.salutation
        from activation.audience_members as members
        inner join marts.customer_contact_points as points using (customer_id, contact_point_key)
        inner join marts.customer_profiles as profiles using (customer_id)
        where members.audience = ?
        order by members.priority
        """,
        [audience],
    )
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(COLUMNS)
        while batch := rows.fetchmany(10_000):
            writer.writerows([guard_cell(cell) for cell in row] for row in batch)
    return file
