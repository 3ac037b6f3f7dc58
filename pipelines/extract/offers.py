"""What a connector hands over for landing: files of records, how complete they are, and where the next read begins.

Add a property of a delivery here when landing must know it. How records are fetched belongs into `connectors`, what
becomes of them into `changes`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from pipelines.extract.files import DeliveredFile
from pipelines.extract.spool import Spool

Position = Mapping[str, Any]


@dataclass(frozen=True)
class Gone:
    """A record that its source only names: deleted, or merged into another one. Times as ISO 8601 text."""

    record_id: str
    deleted_at: str | None = None
    merged_into: str | None = None


@dataclass(frozen=True)
class Parents:
    """Records whose children were delivered in full: a landed child of theirs that was not delivered is gone.

    `column` is the child's reference to them, e.g. `order_record_id` of order lines.
    """

    column: str
    record_ids: frozenset[str]


@dataclass(frozen=True)
class Offer:
    """One delivery of one entity.

    Attributes:
        files: the records, in the order in which they came.
        is_complete: whether a landed record that is not among them is gone.
        position: where the next read begins; committed with the rows. None for files, which are known by content.
        gone: records that the source named as gone without delivering them.
        parents: for an increment, whose children it holds all.
        stated: how the delivery was read, in words, for the load record.
        types: the source's own types of columns, in words.
        is_increment: the files hold what is new or changed, each is landed once, and an older version never
            replaces a newer one.
    """

    files: list[DeliveredFile]
    is_complete: bool = True
    position: Position | None = None
    gone: tuple[Gone, ...] = ()
    parents: Parents | None = None
    stated: dict[str, str] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    is_increment: bool = False


@dataclass(frozen=True)
class Reading:
    """One read of one stream: what a connector is asked for.

    Attributes:
        entities: the entities of the stream that are landed.
        position: where to begin; None to read everything.
        spools: where records of each entity go.
        columns: per entity, the source's fields that the mapping names.
        now: the time of the load, UTC.
        until: with a position, read only what changed before this moment (UTC); None to read to the end.
    """

    entities: tuple[str, ...]
    position: Position | None
    spools: Mapping[str, Spool]
    columns: Mapping[str, tuple[str, ...]]
    now: datetime
    until: datetime | None = None


class Connector(Protocol):
    """A way to a system. Constructing one contacts nobody."""

    # Whether increments tell of every deletion; otherwise everything is read again every `full_every_days`.
    tells_deletions: bool

    def read(self, reading: Reading) -> dict[str, Offer]:
        """Fetch one stream into the spools.

        Raises:
            SourceError: the system refuses or does not answer, with the remedy.
        """
        ...

    def rewind(self, position: Position, since: datetime) -> Position:
        """The position from which everything that changed since a moment (UTC) is read again."""
        ...

    def check(self) -> list[str]:
        """Sentences about what works: who we are at the system, which rights are there.

        Raises:
            SourceError: the first thing that does not work.
        """
        ...
