"""Values of a database: as Arrow and as text, and which of them is the newest change.

Add here what a driver gives for a type. How a database is asked is in `sql`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pipelines.extract.offers import Position

if TYPE_CHECKING:
    import pyarrow as pa

# How far a change may lie ahead of our clock: a database's clock may run ahead, a local time without zone by more.
AHEAD = {"timestamptz": timedelta(minutes=5), "timestamp": timedelta(hours=14), "date": timedelta(days=1)}
MOST_INTEGER = 2**63 - 1


class Newest:
    """The newest change among the rows read, leaving out times that lie in the future."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.value: Any = None
        self.kind: str | None = None

    def look_at(self, values: Sequence[Any]) -> None:
        known = [v for v in values if v is not None]
        if not known:
            return
        self.kind = kind = _kind(known[0])
        if kind in AHEAD:
            limit: Any = self.now + AHEAD[kind]
            limit = limit.date() if kind == "date" else limit.replace(tzinfo=UTC) if kind == "timestamptz" else limit
            known = [v for v in known if v <= limit]
        newest = max(known, default=None)
        if newest is not None and (self.value is None or newest > self.value):
            self.value = newest

    def position(self, former: Position | None) -> Position:
        if self.value is None:
            return dict(former or {})
        is_time = self.kind in AHEAD
        newest = {"newest": self.value.isoformat() if is_time else str(self.value), "kind": str(self.kind)}
        if former and former.get("newest") is not None and former.get("kind") == self.kind:
            before, now = former["newest"], newest["newest"]
            is_later = int(before) > int(now) if self.kind == "integer" else before > now
            return dict(former) if is_later else newest
        return newest


def _kind(value: Any) -> str:
    if isinstance(value, datetime):
        return "timestamptz" if value.tzinfo else "timestamp"
    if isinstance(value, date):
        return "date"
    if isinstance(value, int) and not isinstance(value, bool):
        return "integer"
    return "text"


def to_arrow(values: Sequence[Any]) -> pa.Array:
    """One column of a batch: native where every value has one fitting type, else text that is written exactly."""
    import pyarrow as pa

    kinds = {type(v) for v in values} - {type(None)}
    if kinds == {str}:
        return pa.array(values, pa.string())
    if kinds == {bool}:
        return pa.array(values, pa.bool_())
    if kinds == {int} and all(v is None or -MOST_INTEGER <= v <= MOST_INTEGER for v in values):
        return pa.array(values, pa.int64())
    if kinds == {float}:
        return pa.array(values, pa.float64())
    if kinds == {date}:
        return pa.array(values, pa.date32())
    if kinds == {datetime}:
        zones = {v.tzinfo is not None for v in values if v is not None}
        if len(zones) == 1:
            return pa.array(values, pa.timestamp("us", tz="UTC" if True in zones else None))
    return pa.array([None if v is None else as_written(v) for v in values], pa.string())


def as_written(value: Any) -> str:
    """A value of a database as text, exact and independent of any locale."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    if isinstance(value, dict | list | tuple):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=as_written)
    return str(value)


def type_in_words(dialect: str, code: Any) -> str:
    """The database's type of a column that nobody mapped, as the report of unmapped columns says it."""
    if dialect == "postgresql":
        from psycopg import adapters

        found = adapters.types.get(code)
        return found.name if found else "other"
    from pymysql.constants import FIELD_TYPE

    names = {value: name for name, value in vars(FIELD_TYPE).items() if name.isupper()}
    return names.get(code, "other").lower()
