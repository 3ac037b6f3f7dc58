"""What the columns of an unknown file are: whose records they tell, which of ours each is, which one is the id.

Add here what is told by the names of columns and by shares of their values. The words are in `words`; the entry that
follows from all this is written in `profile`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.entities import ENTITIES, PERSON_ENTITY, SYSTEM_COLUMNS, Entity, Type
from pipelines.extract import contract
from pipelines.extract.words import COLUMN_WORDS, ID_WORD, RECORD_WORDS, fold_word, words_for
from pipelines.warehouse import identifier

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MOSTLY = 0.95  # of the filled values
NEARLY_ALL = 0.9  # of the records have an id, and one of their own, where a file repeats or lost some
BILLING_FIELDS = ("first_name", "last_name", "street", "postal_code", "city", "country")  # of who has ordered
NAMED_LIKE_THE_FILE = 3  # columns that the name of the file is worth when the entity is guessed


@dataclass
class FileColumn:
    """What one column of the file holds: shares of its filled values, and how many of them are there once only."""

    name: str
    kind: str
    fill_rate: float
    distinct_rate: float
    email_share: float = 0.0
    number_share: float = 0.0
    moment_share: float = 0.0
    zone_share: float = 0.0
    day_first: int = 0
    month_first: int = 0
    either: int = 0

    @property
    def is_unique(self) -> bool:
        """Always filled, and no value twice."""
        return self.fill_rate == self.distinct_rate == 1

    def fits(self, target: Type) -> bool:
        if self.fill_rate == 0 or target in {Type.TEXT, Type.BOOLEAN, Type.JSON}:
            return True
        if target in {Type.DATE, Type.TIMESTAMP}:
            return self.moment_share >= MOSTLY
        return self.number_share >= MOSTLY


def look_at_columns(connection: DuckDBPyConnection) -> list[FileColumn]:
    found = []
    for name, kind, *_ in connection.execute("describe delivered").fetchall():
        text = contract.as_text(identifier(name), kind)
        row = (
            connection.execute(
                f"""
            select count(*), count(text), count(distinct text), {", ".join(_SHARES)}
            from (select {text} as text from delivered)
            """
            ).fetchone()
            or (0,) * 10
        )
        total, filled, distinct, *counts = row
        emails, numbers, moments, zoned, *dates = (count or 0 for count in counts)
        share = 1 / filled if filled else 0
        native = {"number_share": 1.0} if kind == "DOUBLE" or contract.is_native(kind, Type.DECIMAL) else {}
        shares = {"email_share": emails * share, "number_share": numbers * share, "moment_share": moments * share}
        shares["zone_share"] = 1.0 if kind == "TIMESTAMP WITH TIME ZONE" else zoned * share
        found.append(
            FileColumn(
                name, kind, filled / total if total else 0, distinct / filled if filled else 0, **shares | native
            )
        )
        found[-1].day_first, found[-1].month_first, found[-1].either = dates
    return found


_HEAD = contract.date_head("text")
_FIRST, _SECOND = (f"try_cast(regexp_extract({_HEAD}, '^(\\d+)\\D(\\d+)$', {n}) as integer)" for n in (1, 2))
_SHARES = (
    "count(*) filter (where regexp_full_match(text, '[^@\\s]+@[^@\\s]+\\.[^@\\s]+'))",
    f"count(*) filter (where {contract.plain_number('text', ',')} is not null "
    f"or {contract.plain_number('text', '.')} is not null)",
    "count(*) filter (where coalesce("
    + ", ".join(contract.iso_text("text", order) for order in ("ymd", "dmy"))
    + ") is not null and not regexp_full_match(text, '\\d+'))",
    "count(*) filter (where regexp_matches(text, ':\\d\\d(\\.\\d+)?\\s*([zZ]|[+-]\\d\\d:?\\d*)$'))",
    f"count(*) filter (where {_FIRST} > 12 and {_SECOND} <= 12)",
    f"count(*) filter (where {_SECOND} > 12 and {_FIRST} <= 12)",
    f"count(*) filter (where {_FIRST} <= 12 and {_SECOND} <= 12 and {_FIRST} <> {_SECOND})",
)


def guess_entity(file_name: str, columns: list[FileColumn]) -> Entity:
    """The entity with most columns of these names; the name of the file counts as some."""
    word = fold_word(Path(file_name).name.split(".")[0]).rstrip("0123456789")

    def count(entity: Entity) -> tuple[int, int]:
        names = words_for(entity.name, RECORD_WORDS)
        named = NAMED_LIKE_THE_FILE * (word in names or any(len(n) > 4 and n in word for n in names))
        return len(map_columns(entity, columns, [])) + named, -list(ENTITIES.values()).index(entity)

    return max(ENTITIES.values(), key=count)


def map_columns(entity: Entity, columns: list[FileColumn], doubts: list[str]) -> dict[str, str]:
    """Canonical column to column of the file: by name, if the values fit; e-mail addresses also by their values."""
    mapping: dict[str, str] = {}
    for target in (*entity.columns, *SYSTEM_COLUMNS[1:]):
        words = words_for(target.name, COLUMN_WORDS)
        named = [c for c in columns if fold_word(c.name) in words and c.name not in mapping.values()]
        fitting = [c for c in named if c.fits(target.type)]
        doubts += [
            f"'{c.name}' is named like {target.name}, but its values are not of type {target.type.name.lower()}"
            for c in named
            if c not in fitting
        ]
        if target.name == "email" and not fitting:
            fitting = [c for c in columns if c.email_share >= MOSTLY]
        if len(fitting) > 1:
            doubts.append(f"{target.name} may be any of {', '.join(c.name for c in fitting)}; the fullest was taken")
        if fitting:
            mapping[target.name] = max(fitting, key=lambda c: (c.fill_rate, -columns.index(c))).name
    return mapping


def propose_key(
    entity: Entity, columns: list[FileColumn], mapping: dict[str, str], doubts: list[str]
) -> dict[str, str]:
    """The column with the id of the record: always filled, never twice, and best named like one.

    A list of persons without numbers has their mail addresses as ids, if each is there once: who gets another name is
    still the same record then.
    """
    able = [c for c in columns if c.kind != "BOOLEAN" and c.moment_share < MOSTLY and c.email_share < MOSTLY]
    unique = [c for c in able if c.is_unique]
    named = [c for c in unique if ID_WORD.search(fold_word(c.name))]
    if not named:
        named = _find_damaged_key(able, mapping, doubts)
    addresses = [c for c in columns if c.name == mapping.get("email") and c.is_unique]
    if not named and entity.is_person and addresses:
        doubts.append(
            f"no column looks like the id of a record; '{addresses[0].name}' is, because nobody has that of another"
        )
        return {"source_record_id": addresses[0].name}
    if not named:
        hint = f"; '{unique[0].name}' is filled and never occurs twice" if unique else ""
        doubts.append(f"no column looks like the id of a record, so its content is the id{hint}")
        return {}
    for canonical, column in list(mapping.items()):
        if column == named[0].name:
            del mapping[canonical]
    if len(named) > 1:
        doubts.append(f"the id may also be {', '.join(c.name for c in named[1:])}")
    return {"source_record_id": named[0].name}


def propose_persons(
    entity: Entity, columns: list[FileColumn], mapping: dict[str, str], doubts: list[str]
) -> dict[str, dict[str, str]]:
    """The persons that records name without more than a number, from the same file: who asks, who has ordered.

    Entity to canonical column to column of the file. Without them nobody would know whose the number is. Where the
    file has no number of the person, the mail address is it.
    """
    reference = next((c.name for c in entity.columns if c.references == "person"), None)
    role = PERSON_ENTITY.get(entity.role)
    if reference is None or role is None or entity.is_bulk:
        return {}
    if reference not in mapping and entity.column("email"):
        return {}  # the record says itself how its person is reached
    persons = ENTITIES[entity.role, role]
    taken = {name for target, name in mapping.items() if target not in {"email", "phone", "company_name"}}
    free = [c for c in columns if c.name not in taken]
    found = {t: n for t, n in map_columns(persons, free, []).items() if persons.column(t) in persons.columns}
    found |= {t: mapping[f"billing_{t}"] for t in BILLING_FIELDS if t not in found and f"billing_{t}" in mapping}
    if "email" not in found:
        return {}
    key = mapping.setdefault(reference, found["email"])
    doubts.append(
        f"{role} are read from the same file: for each '{key}' what the last line with it says; take them out if "
        f"another file has them"
    )
    return {role: {"source_record_id": key, **{t: n for t, n in found.items() if n != key or t == "email"}}}


def _find_damaged_key(columns: list[FileColumn], mapping: dict[str, str], doubts: list[str]) -> list[FileColumn]:
    """The column that would be the id if some records had not lost theirs, or were not there twice.

    One that is mapped refers to another record, of which several may be.
    """
    nearly = [
        c
        for c in columns
        if ID_WORD.search(fold_word(c.name))
        and min(c.fill_rate, c.distinct_rate) >= NEARLY_ALL
        and c.name not in mapping.values()
    ]
    for column in nearly[:1]:
        if column.fill_rate < 1:
            share = f"{1 - column.fill_rate:.1%}"
            doubts.append(
                f"{share} of the records have no '{column.name}', which seems to be the id; they will be rejected"
            )
        if column.distinct_rate < 1:
            share = f"{1 - column.distinct_rate:.1%}"
            doubts.append(
                f"{share} of the ids in '{column.name}' are those of another record; one of these will be kept"
            )
    return nearly
