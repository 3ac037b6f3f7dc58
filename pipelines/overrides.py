"""What people decided about single records, in `overrides.csv` of the data folder: read, checked, made a table.

Add here a kind of decision and what makes a row of it wrong. What a decision does belongs to the stage it is about:
`resolve` keeps records together or apart, `clean` leaves a correction out, the golden record takes a pinned value.

The file names people, so a message names line and column, never a value.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from pipelines import keys
from pipelines.entities import ENTITIES, PERSON_ENTITY
from pipelines.errors import ConfigurationError
from pipelines.files import write_atomically

if TYPE_CHECKING:
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from pipelines.configuration.sources import SourceConfig

FILE = "overrides.csv"
COLUMNS = (
    *("kind", "a_source", "a_entity", "a_record", "b_source", "b_entity", "b_record"),
    *("field", "value", "author", "reason", "date", "expires"),
)
COMPANIES, ORDERS = "companies", "orders"

# What can be pinned: the fields of the golden record.
PINNABLE = (
    *("salutation", "title", "first_name", "last_name", "email", "phone", "mobile", "street", "house_number"),
    *("postal_code", "city", "region", "country", "birth_date", "company_name", "job_title", "language", "gender"),
)
# What cleaning may correct: every value of a person record itself.
CORRECTABLE = tuple(
    dict.fromkeys(
        (*(c.name for e in ENTITIES.values() if e.is_person for c in e.columns if not c.references), "house_number")
    )
)

# What a pinned value must look like where it is published for every analyst, or where cleaning never sees it.
_FORMS = {
    "country": (re.compile(r"[A-Z]{2}"), "a country as two capital letters, like DE"),
    "language": (re.compile(r"[a-z]{2}"), "a language as two letters, like de"),
    "region": (re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?"), "a region code like DE-BY"),
    "email": (re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]{2,}"), "an e-mail address"),
    "phone": (re.compile(r"\+[1-9]\d{6,14}"), "a number like +4930123456, without blanks"),
    "mobile": (re.compile(r"\+[1-9]\d{6,14}"), "a number like +4930123456, without blanks"),
}

_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_GERMAN_DATE = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")  # what a German Excel makes of an ISO date


class Kind(StrEnum):
    """What is decided: about two records, about a customer's field, about a record's field."""

    MUST_LINK = "must-link"
    CANNOT_LINK = "cannot-link"
    PIN_VALUE = "pin-value"
    REJECT_CORRECTION = "reject-correction"

    @property
    def is_about_two(self) -> bool:
        return self in (Kind.MUST_LINK, Kind.CANNOT_LINK)


@dataclass(frozen=True, order=True)
class RecordName:
    """A record as its source knows it."""

    source: str
    entity: str
    record: str


@dataclass(frozen=True)
class Override:
    """One decision. `line` is where it begins in the file; `expires_on` is the last day on which it holds."""

    line: int
    kind: Kind
    a: RecordName
    b: RecordName | None
    field: str | None
    value: str | None
    author: str
    reason: str
    decided_on: date
    expires_on: date | None

    def holds_on(self, day: date) -> bool:
        return self.expires_on is None or self.expires_on >= day


@dataclass(frozen=True)
class Overrides:
    """All decisions, in the order of the file; `digest` is the SHA-256 of the file, None when there is none."""

    rows: tuple[Override, ...] = ()
    digest: str | None = None


@dataclass(frozen=True)
class OverridesFile:
    """What could be read, and one sentence for every problem."""

    overrides: Overrides
    problems: tuple[str, ...] = ()


def read_overrides(file: Path, sources: Sequence[SourceConfig] | None) -> OverridesFile:
    """Read and check the file; a missing one is one without decisions.

    Args:
        file: UTF-8, with or without its mark, separated by commas or semicolons, as spreadsheets write it.
        sources: the sources that records may be of; None when they are not known, then this is not checked.
    """
    try:
        content = file.read_bytes()
    except (FileNotFoundError, NotADirectoryError):  # what is wrong with the data folder is said by who needs it
        return OverridesFile(Overrides())
    except OSError as error:
        return OverridesFile(Overrides(), (f"{FILE}: it cannot be read ({error.strerror}); check its permissions.",))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return OverridesFile(Overrides(), (f"{FILE}: it is not UTF-8; save it as 'CSV UTF-8'.",))
    rows, problems = _read_rows(text, _entities_by_source(sources) if sources is not None else None)
    problems += _find_opposites(rows)
    return OverridesFile(Overrides(tuple(rows), hashlib.sha256(content).hexdigest()), tuple(problems))


def _find_opposites(rows: Sequence[Override]) -> Iterator[str]:
    """Two lines without an end that say the opposite of the same two records.

    Where one of them expires, the day of the run decides, and longer ways around need all lines: the audit tells those.
    """
    earlier: dict[frozenset[RecordName], list[Override]] = {}
    for row in rows:
        if row.b is None or row.expires_on:
            continue
        same_pair = earlier.setdefault(frozenset((row.a, row.b)), [])
        for other in same_pair:
            if other.kind != row.kind:
                yield (
                    f"{FILE}, line {row.line}: it says the opposite of line {other.line} about the same two records; "
                    f"take one of them back, or let it expire."
                )
        same_pair.append(row)


@dataclass(frozen=True)
class NewDecision:
    """A decision about two records that is to be appended; `origin` says where it was made, for messages."""

    kind: Kind
    a: RecordName
    b: RecordName
    author: str
    reason: str
    decided_on: date
    origin: str


def append_decisions(file: Path, decisions: Sequence[NewDecision]) -> int:
    """Append those that the file does not hold yet; what is in it stays as it is. Returns how many.

    Raises:
        ConfigurationError: the file is wrong, or a decision says the opposite of one that is there or of another of
            these; nothing was written.
    """
    found = read_overrides(file, None)
    problems = list(found.problems)
    today = max((decision.decided_on for decision in decisions), default=date.min)
    known = {
        frozenset((o.a, o.b)): (o.kind, f"line {o.line} of {FILE}")
        for o in found.overrides.rows
        if o.b and o.holds_on(today)
    }
    added: list[NewDecision] = []
    for decision in decisions:
        pair = frozenset((decision.a, decision.b))
        kind, where = known.setdefault(pair, (decision.kind, decision.origin.rstrip(":")))
        if kind != decision.kind:
            problems.append(f"{decision.origin} it says the opposite of {where}; take one of them back.")
        elif where == decision.origin.rstrip(":"):
            added.append(decision)
    if problems:
        raise ConfigurationError(problems)
    if added:
        before = file.read_bytes() if file.exists() else b""
        content = before + _to_lines(added, before.decode("utf-8-sig"))
        _, wrong = _read_rows(content.decode("utf-8-sig"), None)
        if wrong:
            raise ConfigurationError(wrong)
        file = file.resolve()
        write_atomically(file, content, like=file.stat() if before else None)
    return len(added)


def _to_lines(decisions: Sequence[NewDecision], before: str) -> bytes:
    """The rows in the form of the file: its separator, its order of columns, its ends of lines."""
    first = next((line for line in before.splitlines() if line.strip(" \t,;")), "")
    delimiter = _delimiter(first)
    header = [cell.strip().lower() for cell in next(csv.reader([first], delimiter=delimiter), [])] or list(COLUMNS)
    ending = "\r\n" if "\r\n" in before else "\n"
    text = io.StringIO()
    if before and not before.endswith("\n"):
        text.write(ending)
    writer = csv.writer(text, delimiter=delimiter, lineterminator=ending)
    if not first:
        writer.writerow(COLUMNS)
    for d in decisions:
        cells = {
            "kind": d.kind.value,
            **{f"a_{name}": getattr(d.a, name) for name in ("source", "entity", "record")},
            **{f"b_{name}": getattr(d.b, name) for name in ("source", "entity", "record")},
            "author": d.author,
            "reason": d.reason,
            "date": d.decided_on.isoformat(),
        }
        writer.writerow([cells.get(name, "") for name in header])
    return text.getvalue().encode()


def _delimiter(first: str) -> str:
    return ";" if first.count(";") > first.count(",") else ","


def company_day(as_of: datetime, time_zone: str) -> date:
    """The day of `as_of`, which is UTC, where the company is."""
    return as_of.replace(tzinfo=UTC).astimezone(ZoneInfo(time_zone)).date()


def write_overrides(connection: DuckDBPyConnection, overrides: Overrides, as_of: datetime, time_zone: str) -> None:
    """Replace `config.overrides`: one row per decision, records by their keys.

    `is_active` is false when the decision expired before the day of `as_of`, and when the same field of the same record
    was pinned anew later. The keys need the secret (`keys.use_secret`).
    """
    today = company_day(as_of, time_zone)
    connection.execute(f"create or replace table config.overrides ({TABLE_COLUMNS})")
    if not overrides.rows:
        return
    columns: dict[str, list[object]] = {
        "line": [o.line for o in overrides.rows],
        "kind": [o.kind.value for o in overrides.rows],
        "source_a": [o.a.source for o in overrides.rows],
        "entity_a": [o.a.entity for o in overrides.rows],
        "record_a": [o.a.record for o in overrides.rows],
        "source_b": [o.b.source if o.b else None for o in overrides.rows],
        "entity_b": [o.b.entity if o.b else None for o in overrides.rows],
        "record_b": [o.b.record if o.b else None for o in overrides.rows],
        **{name: [getattr(o, name) for o in overrides.rows] for name in ("field", "value", "author", "reason")},
        **{name: [getattr(o, name) for o in overrides.rows] for name in ("decided_on", "expires_on")},
    }
    connection.execute(
        f"""
        insert into config.overrides
        select kind, {keys.record_key("source_a", "entity_a", "record_a")},
            {keys.record_key("source_b", "entity_b", "record_b")}, field, value,
            expires_on is null or expires_on::date >= $today::date, line, author, reason, decided_on, expires_on
        from (select {", ".join(f"unnest(${name}) as {name}" for name in columns)})
        order by line
        """,
        {**columns, "today": today},
    )
    connection.execute(
        """
        update config.overrides as older set is_active = false
        where is_active and kind = 'pin-value' and exists (
            select 1 from config.overrides as newer
            where newer.is_active and newer.kind = older.kind and newer.a_record_key = older.a_record_key
              and newer.field = older.field and (newer.decided_on, newer.line) > (older.decided_on, older.line))
        """
    )


TABLE_COLUMNS = (
    "kind text, a_record_key text, b_record_key text, field text, value text, is_active boolean, line integer, "
    "author text, reason text, decided_on date, expires_on date"
)


def _entities_by_source(sources: Sequence[SourceConfig]) -> dict[str, tuple[str, ...]]:
    """The entities of each source whose records are persons, or companies.

    A source with persons may also be referred to for one that it never delivered.
    """
    found = {}
    for source in sources:
        landed = [entity for name in source.landed_entities if (entity := source.find_entity(name))]
        names = {e.name for e in landed if e.is_person or e.name in (COMPANIES, ORDERS)}
        if source.role in PERSON_ENTITY:
            names.add(PERSON_ENTITY[source.role])
        found[source.name] = tuple(sorted(names))
    return found


def _read_rows(text: str, known: Mapping[str, tuple[str, ...]] | None) -> tuple[list[Override], list[str]]:
    reader = csv.reader(io.StringIO(text), delimiter=_delimiter(text.split("\n", 1)[0]), strict=True)
    rows: list[Override] = []
    problems: list[str] = []
    header: list[str] | None = None
    before = 0
    try:
        for cells in reader:
            line, before = before + 1, reader.line_num
            trimmed = [cell.strip() for cell in cells]
            if not any(trimmed):
                continue
            if header is None:
                header = [cell.lower() for cell in trimmed]
                while header and not header[-1]:
                    header.pop()
                if wrong := list(_header_problems(header, line)):
                    return [], wrong
                continue
            if any(trimmed[len(header) :]):
                problems.append(f"{FILE}, line {line}: it has more cells than the first line has columns.")
                continue
            row = _Row(line, dict(zip(header, trimmed, strict=False)), known)
            override = row.read()
            problems += row.problems
            rows += [override] if override else []
    except csv.Error:
        problems.append(f"{FILE}, line {before + 1}: a quotation mark is not closed, or stands inside a cell; mend it.")
    return rows, problems


def _header_problems(header: Sequence[str], line: int) -> Iterator[str]:
    for name in COLUMNS:
        if header.count(name) != 1:
            what = "is missing; add it" if name not in header else "is there twice; remove one"
            yield f"{FILE}, line {line}: the column {name} {what}. The columns are {', '.join(COLUMNS)}."
    if set(header) - set(COLUMNS):
        unknown = [str(position) for position, name in enumerate(header, start=1) if name not in COLUMNS]
        yield (
            f"{FILE}, line {line}: column number {', '.join(unknown)} has a name that is not known; "
            f"allowed: {', '.join(COLUMNS)}."
        )


class _Row:
    """One line while it is read: collects what is wrong with it, all at once."""

    def __init__(self, line: int, cells: Mapping[str, str], known: Mapping[str, tuple[str, ...]] | None) -> None:
        self.line = line
        self.cells = cells
        self.known = known
        self.problems: list[str] = []

    def read(self) -> Override | None:
        """The decision, None when anything is wrong."""
        try:
            kind = Kind(self._text("kind").lower())
        except ValueError:
            self._complain("kind", f"this is no kind of decision; allowed: {', '.join(Kind)}")
            return None
        a = self._record("a", kind)
        b = self._record("b", kind) if kind.is_about_two else None
        if not kind.is_about_two:
            self._require_empty(kind, "b_source", "b_entity", "b_record")
        if a and b:
            self._check_pair(a, b)
        field, value = self._field(kind)
        author, reason = self._require("author", "who decided it"), self._require("reason", "why")
        decided_on = self._date("date") if self._require("date", "when it was decided") else None
        expires_on = self._date("expires") if self._text("expires") else None
        if decided_on and expires_on and expires_on < decided_on:
            self._complain("expires", "it lies before the date of the decision")
        if self.problems or a is None or decided_on is None:
            return None
        return Override(self.line, kind, a, b, field, value, author, reason, decided_on, expires_on)

    def _text(self, column: str) -> str:
        return self.cells.get(column, "")

    def _complain(self, column: str, what: str) -> None:
        self.problems.append(f"{FILE}, line {self.line}, column {column}: {what}.")

    def _require(self, column: str, what: str) -> str:
        text = self._text(column)
        if not text:
            self._complain(column, f"it is empty; say {what}")
        return text

    def _require_empty(self, kind: Kind, *columns: str) -> None:
        for column in columns:
            if self._text(column):
                self._complain(column, f"{kind} has no use for it; leave it empty")

    def _record(self, side: str, kind: Kind) -> RecordName | None:
        source = self._require(f"{side}_source", "which source knows the record")
        entity = self._require(f"{side}_entity", "of which entity the record is")
        record = self._require(f"{side}_record", "the id of the record at its source")
        if source and self.known is not None:
            if source not in self.known:
                self._complain(
                    f"{side}_source", f"this is no source of sources.yml; allowed: {', '.join(sorted(self.known))}"
                )
            elif entity:
                allowed = [e for e in self.known[source] if kind.is_about_two or e != COMPANIES]
                if entity not in allowed:
                    named = f"allowed: {', '.join(allowed)}" if allowed else "that source has none"
                    self._complain(
                        f"{side}_entity", f"this is no entity of that source with persons or companies; {named}"
                    )
        return RecordName(source, entity, record) if source and entity and record else None

    def _check_pair(self, a: RecordName, b: RecordName) -> None:
        if a == b:
            self._complain("b_record", "it is the same record as a; name two")
        elif (a.entity == COMPANIES) != (b.entity == COMPANIES):
            self._complain("b_entity", "one record is a company and the other a person; name two of one sort")

    def _field(self, kind: Kind) -> tuple[str | None, str | None]:
        if kind.is_about_two:
            self._require_empty(kind, "field", "value")
            return None, None
        allowed = PINNABLE if kind is Kind.PIN_VALUE else CORRECTABLE
        field = self._require("field", "which field is meant").lower()
        if field and field not in allowed:
            self._complain("field", f"this is no field that {kind} can be about; allowed: {', '.join(allowed)}")
        value = self._text("value")
        if kind is Kind.PIN_VALUE and not value:
            self._complain("value", "it is empty; say which value holds")
        if kind is Kind.PIN_VALUE and field == "birth_date" and value:
            day = self._date("value")
            value = day.isoformat() if day else ""
        if kind is Kind.PIN_VALUE and value and field in _FORMS and not _FORMS[field][0].fullmatch(value):
            self._complain("value", f"this cannot be the {field}; write {_FORMS[field][1]}")
        return field, value or None

    def _date(self, column: str) -> date | None:
        text = self._text(column)
        try:
            if match := _GERMAN_DATE.fullmatch(text):
                return date(int(match[3]), int(match[2]), int(match[1]))
            if _ISO_DATE.fullmatch(text):
                return date.fromisoformat(text)
        except ValueError:
            pass
        self._complain(column, "this is no date; write it like 2026-01-31")
        return None
