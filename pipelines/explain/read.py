"""Why these records are one customer, or two are not: everything a published version knows about it.

Add here a fact that belongs to an explanation. How it is told is in `tell` and `page`; nothing here changes anything.
What is read is personal: it goes to who asked and nowhere else.
"""

from __future__ import annotations

import json
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Protocol, TypeVar, cast

from pipelines.errors import BuildError, KundenstammError
from pipelines.publish import open_files
from pipelines.resolve.hindsight import compared_again
from pipelines.resolve.ids import CUSTOMER_PREFIX
from pipelines.resolve.model import read_model
from pipelines.resolve.weights import PairWeight, weigh_pairs
from pipelines.warehouse import names_of_tables

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.settings import Settings

ROUNDING = 1e-3  # of a published weight, and more
MOST_PAIRS = 2_000  # of two customers, weighed to find the pair that fits best


class UnknownError(KundenstammError):
    """Nobody has this id, or no record this name."""


@dataclass(frozen=True)
class Record:
    """One person record. `values` are its own, as cleaned, by field; `customer_id` is whose it is."""

    key: str
    source: str
    entity: str
    id: str
    customer_id: str
    is_deleted: bool
    values: Mapping[str, str]

    @property
    def name(self) -> str:
        """As it is written in overrides.csv and on the command line."""
        return f"{self.source}:{self.entity}:{self.id}"


@dataclass(frozen=True)
class Link:
    """Evidence that joins `a` and `b`, or that was refused with a reason; `parts` is None when it was not weighed."""

    a: Record
    b: Record
    method: str
    rule: str
    weight: float | None
    reason: str | None
    parts: PairWeight | None = None


class HasKey(Protocol):
    """A record by its key."""

    @property
    def key(self) -> str: ...


class Joining(Protocol):
    """A link between two records, of persons or of companies."""

    @property
    def a(self) -> HasKey: ...
    @property
    def b(self) -> HasKey: ...


AnyLink = TypeVar("AnyLink", bound=Joining)


@dataclass(frozen=True)
class Decision:
    """A line of overrides.csv that names a record, and what became of it."""

    line: int
    kind: str
    a: str
    b: str | None
    field: str | None
    value: str | None
    status: str
    author: str
    reason: str
    decided_on: date
    expires_on: date | None


@dataclass(frozen=True)
class Event:
    """Something that happened to an id."""

    at: datetime
    customer_id: str
    event: str
    other_customer_id: str | None
    version: str
    reason: str


@dataclass(frozen=True)
class Value:
    """A value of the golden record and where it comes from."""

    field: str
    value: str
    record: Record | None
    strategy: str
    losing_count: int


@dataclass(frozen=True)
class CustomerExplanation:
    """Everything about one customer. `asked_id` may be an id that was merged into it."""

    version: str
    asked_id: str
    customer_id: str
    records: tuple[Record, ...]
    links: tuple[Link, ...]
    refused: tuple[Link, ...]
    decisions: tuple[Decision, ...]
    former_ids: tuple[str, ...]
    events: tuple[Event, ...]
    values: tuple[Value, ...]


@dataclass(frozen=True)
class PairExplanation:
    """Why two records are one customer or not.

    Attributes:
        path: the links that lead from one to the other, when they are one customer.
        refused: refused links between the two customers, that of the two records themselves first.
        weighed: the pair as the model sees it, None when one of the records is not weighed.
        threshold: the match probability from which on pairs are linked.
        decisions: lines of overrides.csv about records of both.
    """

    version: str
    a: Record
    b: Record
    path: tuple[Link, ...]
    refused: tuple[Link, ...]
    weighed: PairWeight | None
    threshold: float
    decisions: tuple[Decision, ...]

    @property
    def are_one(self) -> bool:
        return self.a.customer_id == self.b.customer_id


def explain_customer(settings: Settings, name: str) -> CustomerExplanation:
    """Explain the customer of this id, also of one that was merged away, or of this record.

    Raises:
        UnknownError: the id was never issued, nobody carries it any more, or the record is not there.
        BuildError: nothing is published, or by an earlier release, or this user may not read the restricted file.
    """
    with _open(settings) as version:
        current = version.find_records(name)[0].customer_id
        records = version.read_records("customer_id = ?", [current])
        keys = [record.key for record in records]
        links = version.read_links("audit.links", "record_key_a = any($1) and record_key_b = any($1)", keys)
        refused = version.read_links("audit.refused_links", "record_key_a = any($1) or record_key_b = any($1)", keys)
        weighed = version.weigh(_pairs([*links, *refused]))
        former = version.fetch(
            "select customer_id from warehouse.marts.customer_id_history "
            "where current_customer_id = ? and customer_id <> ? order by customer_id",
            [current, current],
        )
        former_ids = tuple(str(row[0]) for row in former)
        return CustomerExplanation(
            version=version.name,
            asked_id=name if _is_customer(name) else current,
            customer_id=current,
            records=tuple(records),
            links=tuple(_in_order(_with_parts(links, weighed), keys)),
            refused=tuple(_in_order(_with_parts(refused, weighed), keys)),
            decisions=tuple(version.read_decisions(keys)),
            former_ids=former_ids,
            events=tuple(version.read_events([current, *former_ids])),
            values=tuple(version.read_values(current, records)),
        )


def explain_pair(settings: Settings, a: str, b: str) -> PairExplanation:
    """Explain why two records are one customer, or why not.

    Args:
        settings: names the published version.
        a, b: each a record (`source:entity:id`, or its key) or a customer; of a customer the record that fits best.

    Raises:
        UnknownError: one is not there, or both are the same.
        BuildError: nothing is published, or by an earlier release, or this user may not read the restricted file.
    """
    with _open(settings) as version:
        sides = [version.find_records(name) for name in (a, b)]
        pairs = [(x, y) for x in sides[0] for y in sides[1] if x.key != y.key]
        if not pairs:
            raise UnknownError("Both are the same record; name two.")
        mine, theirs = (version.keys_of(records[0].customer_id) for records in sides)
        are_one = mine == theirs
        if are_one:
            links = version.read_links("audit.links", "record_key_a = any($1) and record_key_b = any($1)", mine)
        else:
            links = version.read_links(
                "audit.refused_links",
                "(record_key_a = any($1) and record_key_b = any($2)) or "
                "(record_key_b = any($1) and record_key_a = any($2))",
                mine,
                theirs,
            )
        weighed = version.weigh([*((x.key, y.key) for x, y in pairs[:MOST_PAIRS]), *_pairs(links)])
        links = _with_parts(links, weighed)
        first, second = max(
            pairs, key=lambda pair: w.weight if (w := weighed.get((pair[0].key, pair[1].key))) else -1e9
        )
        links.sort(key=lambda link: {link.a.key, link.b.key} != {first.key, second.key})
        about = [d for d in version.read_decisions([*mine, *theirs]) if d.b is not None]
        return PairExplanation(
            version=version.name,
            a=first,
            b=second,
            path=tuple(find_path(links, first.key, second.key)) if are_one else (),
            refused=() if are_one else tuple(links),
            weighed=weighed.get((first.key, second.key)),
            threshold=version.read_threshold(),
            decisions=tuple(about),
        )


def _is_customer(name: str) -> bool:
    return name.startswith(CUSTOMER_PREFIX) and ":" not in name


def _pairs(links: Iterable[Link]) -> list[tuple[str, str]]:
    return [(link.a.key, link.b.key) for link in links]


def _with_parts(links: Iterable[Link], weighed: Mapping[tuple[str, str], PairWeight]) -> list[Link]:
    """The links with their parts, unless these do not add up: another release of this software folded the values."""
    return [
        replace(link, parts=parts)
        if (parts := weighed.get((link.a.key, link.b.key))) and _add_up(parts, link.weight)
        else link
        for link in links
    ]


def _add_up(parts: PairWeight, weight: float | None) -> bool:
    return weight is None or abs(parts.weight - weight) < ROUNDING


def _in_order(links: Iterable[Link], keys: Sequence[str]) -> list[Link]:
    """Links in the order of these records, each told from the first of them that it has."""
    places = {key: place for place, key in enumerate(keys)}

    def place(record: Record) -> int:
        return places.get(record.key, len(places))

    turned = [link if place(link.a) <= place(link.b) else replace(link, a=link.b, b=link.a) for link in links]
    return sorted(turned, key=lambda link: (place(link.a), place(link.b), link.a.name, link.b.name, link.rule))


def find_path(links: Iterable[AnyLink], a: str, b: str) -> list[AnyLink]:
    """The fewest links that lead from the record of key `a` to that of `b`; none when none do."""
    neighbors: dict[str, list[tuple[str, AnyLink]]] = defaultdict(list)
    for link in links:
        neighbors[link.a.key].append((link.b.key, link))
        neighbors[link.b.key].append((link.a.key, link))
    paths: dict[str, list[AnyLink]] = {a: []}
    waiting = deque([a])
    while waiting:
        node = waiting.popleft()
        for other, link in neighbors[node]:
            if other not in paths:
                paths[other] = [*paths[node], link]
                waiting.append(other)
    return paths.get(b, [])


@contextmanager
def open_version(settings: Settings) -> Iterator[DuckDBPyConnection]:
    """A connection on the published version, whose files are `restricted` (in use), `warehouse` and `state`.

    Raises:
        BuildError: nothing is published, or this user may not read the restricted file.
    """
    with open_files(settings, "restricted", "warehouse", "state") as connection:
        yield connection


@contextmanager
def _open(settings: Settings) -> Iterator[_Version]:
    with open_version(settings) as connection:
        if not {"audit.compared_persons", "audit.silenced_values"} <= names_of_tables(connection):
            raise BuildError(
                "The published version is of an earlier release, which kept other tables for this; run "
                "`kundenstamm run`, then ask again."
            )
        yield _Version(connection, settings)


class _Version:
    """The published version while it is read."""

    def __init__(self, connection: DuckDBPyConnection, settings: Settings) -> None:
        self.connection = connection
        self.folder = settings.current.resolve()
        self.name = self.folder.name
        self._model = read_model(connection, "state.model")
        self._as_of = cast("datetime", self.fetch("select as_of from warehouse.meta.version")[0][0])

    def fetch(self, query: str, parameters: Sequence[object] = ()) -> list[tuple[object, ...]]:
        return self.connection.execute(query, list(parameters)).fetchall()

    def resolve_id(self, customer_id: str) -> str:
        row = self.connection.execute(
            "select current_customer_id, status_version from warehouse.marts.customer_id_history where customer_id = ?",
            [customer_id],
        ).fetchone()
        if row is None:
            raise UnknownError(
                f"This customer id was never issued up to the published version {self.name}; it is mistyped, or of a "
                f"version that was rolled back. marts.customer_id_history has all ids."
            )
        if row[0] is None:
            raise UnknownError(
                f"This customer id is retired since version {row[1]}: no record of it is left, or what is left is "
                f"somebody else's."
            )
        return str(row[0])

    def read_records(self, condition: str, parameters: Sequence[object]) -> list[Record]:
        cursor = self.connection.execute(
            f"""
            with chosen as (
                select keys.*, records.customer_id as belongs_to, records.is_deleted
                from restricted.marts.source_record_keys as keys
                join warehouse.marts.customer_source_records as records using (record_key)
            )
            select record_key, chosen.source_system, chosen.entity, source_record_id, belongs_to, is_deleted,
                first_name, last_name, birth_date, email, phone, mobile, street, house_number, postal_code, city
            from chosen left join restricted.audit.compared_persons using (record_key)
            where {condition}
            order by chosen.source_system, chosen.entity, source_record_id
            """,
            list(parameters),
        )
        fields = [column[0] for column in cursor.description][6:]
        return [
            Record(
                *(key, source, entity, own_id, customer_id, bool(is_deleted)),
                {f: str(v) for f, v in zip(fields, values, strict=True) if v is not None},
            )
            for key, source, entity, own_id, customer_id, is_deleted, *values in cursor.fetchall()
        ]

    def find_records(self, name: str) -> list[Record]:
        """The record of this name or key, or all records of this customer."""
        if _is_customer(name):
            return self.read_records("belongs_to = ?", [self.resolve_id(name)])
        if name.count(":") >= 2:
            condition = "chosen.source_system = ? and chosen.entity = ? and source_record_id = ?"
            found = self.read_records(condition, name.split(":", 2))
        else:
            found = self.read_records("record_key = ?", [name])
        if not found:
            raise UnknownError(
                "A record that was named is not in the published version. Name records as source:entity:id, by "
                "their record_key, or name a customer; `kundenstamm explain CUSTOMER_ID` lists the records of one."
            )
        return found

    def keys_of(self, customer_id: str) -> list[str]:
        query = "select record_key from warehouse.marts.customer_source_records where customer_id = ? order by 1"
        return [str(row[0]) for row in self.fetch(query, [customer_id])]

    def read_links(self, table: str, condition: str, *keys: Sequence[str]) -> list[Link]:
        reason = "reason" if table == "audit.refused_links" else "null"
        rows = self.connection.execute(
            f"select record_key_a, record_key_b, method, rule, match_weight, {reason} from warehouse.{table} "
            f"where {condition} order by record_key_a, record_key_b, method, rule",
            list(keys),
        ).fetchall()
        named = {key for row in rows for key in row[:2]}
        records = {r.key: r for r in self.read_records("record_key = any(?)", [sorted(named)])}
        return [Link(records[a], records[b], method, rule, weight, why) for a, b, method, rule, weight, why in rows]

    def weigh(self, pairs: Sequence[tuple[str, str]]) -> dict[tuple[str, str], PairWeight]:
        """The pairs field by field; empty when the version was weighed by other comparisons than this software's."""
        if self._model is None or not pairs:
            return {}
        keys = sorted({key for pair in pairs for key in pair})
        with compared_again(self.connection, keys, self._as_of):
            return weigh_pairs(self.connection, self._model, pairs)

    def read_decisions(self, keys: Sequence[str]) -> Iterator[Decision]:
        rows = self.connection.execute(
            """
            select line, kind, coalesce(a.source_system || ':' || a.entity || ':' || a.source_record_id, a_record_key),
                coalesce(b.source_system || ':' || b.entity || ':' || b.source_record_id, b_record_key),
                field, value, status, author, reason, decided_on, expires_on
            from restricted.audit.overrides as o
            left join restricted.marts.source_record_keys as a on a.record_key = o.a_record_key
            left join restricted.marts.source_record_keys as b on b.record_key = o.b_record_key
            where o.a_record_key = any($1) or o.b_record_key = any($1)
            order by line
            """,
            [keys],
        ).fetchall()
        return (Decision(*row) for row in rows)

    def read_events(self, ids: Sequence[str]) -> Iterator[Event]:
        rows = self.connection.execute(
            'select "at", customer_id, event, other_customer_id, version, reason '
            "from warehouse.marts.customer_id_events where customer_id = any($1) or other_customer_id = any($1) "
            'order by "at", version, customer_id, event, event_key',
            [ids],
        ).fetchall()
        return (Event(*row) for row in rows)

    def read_values(self, customer_id: str, records: Sequence[Record]) -> Iterator[Value]:
        by_key = {record.key: record for record in records}
        rows = self.connection.execute(
            "select field, value, record_key, strategy, losing_count from restricted.marts.customer_field_lineage "
            "where customer_id = ? order by field",
            [customer_id],
        ).fetchall()
        return (Value(field, value, by_key.get(key), how, lost) for field, value, key, how, lost in rows)

    def read_threshold(self) -> float:
        manifest = json.loads((self.folder / "manifest.json").read_text(encoding="utf-8"))
        return float(manifest["configuration"]["identity"]["match_probability"])
