"""What a load has to say: counts, detected format, columns nobody mapped. Names and numbers, never values.

Add a figure here when an owner or the audit needs it for every load. Nothing here reads or writes.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from datetime import datetime


@dataclass(frozen=True)
class Counts:
    """Where the delivered records went, and what became of the landed ones.

    `delivered = new + changed + unchanged + revived + rejected + superseded + repeated` holds for every load.
    `deleted` (live before or new, and gone now) and `rounded` (amounts with more than four decimals) are counted apart.
    """

    delivered: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    revived: int = 0
    rejected: int = 0
    superseded: int = 0
    repeated: int = 0
    deleted: int = 0
    rounded: int = 0

    @property
    def accounted(self) -> int:
        """Records whose whereabouts are known; equal to `delivered` or the load is wrong."""
        kept = self.new + self.changed + self.unchanged + self.revived
        return kept + self.rejected + self.superseded + self.repeated

    def delivered_again(self) -> Counts:
        """The counts of a load that delivers exactly the same files once more."""
        kept = self.new + self.changed + self.unchanged + self.revived
        return Counts(
            delivered=self.delivered,
            unchanged=kept,
            rejected=self.rejected,
            superseded=self.superseded,
            repeated=self.repeated,
            rounded=self.rounded,
        )

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


COUNT_NAMES = tuple(f.name for f in fields(Counts))


@dataclass(frozen=True)
class UnmappedColumn:
    """A column of the files that `sources.yml` does not mention; it is not landed."""

    name: str
    type: str
    fill_rate: float


@dataclass(frozen=True)
class LoadReport:
    """The outcome of one entity of one source.

    Attributes:
        source: name of the source.
        entity: name of the entity; `orders` derived from flat order lines have a report of their own.
        status: `loaded`, `unchanged` (files, mapping and contract are those of the last load), `disabled`, or `kept`
            (the source could not be loaded, and what an earlier load landed is used).
        counts: see `Counts`; all zero when disabled or kept.
        live_count: landed records that are not deleted, after the load.
        seconds: wall-clock time.
        detected: per file or column what was configured or detected, e.g. `{"contacts.csv": "csv, delimiter ;"}`.
        unmapped: columns nobody mapped.
        message: one sentence for the owner.
        loaded_at: when the landed records were read, UTC; None when they never were.
    """

    source: str
    entity: str
    status: str
    counts: Counts
    live_count: int
    seconds: float
    message: str
    detected: dict[str, str] = field(default_factory=dict)
    unmapped: tuple[UnmappedColumn, ...] = ()
    loaded_at: datetime | None = None

    def facts(self) -> dict[str, object]:
        """The report as plain data for run metadata: names and numbers only."""
        unmapped = ", ".join(f"{c.name} ({c.type}, {c.fill_rate:.0%} filled)" for c in self.unmapped)
        return {
            "status": self.status,
            "rows": self.live_count,
            **self.counts.as_dict(),
            "seconds": round(self.seconds, 3),
            "message": self.message,
            **({"unmapped": unmapped} if unmapped else {}),
            **({"format": "; ".join(f"{k}: {v}" for k, v in self.detected.items())} if self.detected else {}),
        }
