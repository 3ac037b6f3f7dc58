"""Read an unknown file and propose its entry of `sources.yml`, with the doubts that a person must decide.

Add here what can be told from one file. Only names, shares and types leave it, never a value. Words for columns are in
`words`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.configuration import FormatConfig
from pipelines.configuration.sources import SourcesConfig
from pipelines.entities import ENTITIES, PERSON_ENTITY, SYSTEM_COLUMNS, Entity, Type, entity_named
from pipelines.errors import SourceError
from pipelines.extract import contract
from pipelines.extract.delivery import read_unmapped
from pipelines.extract.files import describe_file
from pipelines.extract.words import COLUMN_WORDS, ID_WORD, RECORD_WORDS, fold_word, words_for
from pipelines.settings import Settings
from pipelines.warehouse import connect, identifier, literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# Columns that hold one of a few words of ours, and which; of an entity, else of any.
CODED = {
    "gender": "female, male, diverse",
    "orders.status": "paid, delivered, open, cancelled",
    "tickets.status": "new, open, pending, hold, solved, closed",
    "permissions.status": "requested, granted, withdrawn, expired",
    "permissions.kind": "consent, existing_customer, objection",
    "touches.kind": "sent, delivered, opened, clicked, bounced, complained, unsubscribed",
    "contact_methods.kind": "email, phone, mobile, address",
    "ratings.kind": "csat, nps, review, survey",
    "permissions.channel": "email, sms, messenger, phone, post, ad_platform",
    "lifecycle_stage": "subscriber, lead, mql, sal, sql, opportunity, customer",
    "priority": "low, normal, high, urgent",
}
MOSTLY = 0.95  # of the filled values
NEARLY_ALL = 0.9  # of the records have an id, and one of their own, where a file repeats or lost some
BILLING_FIELDS = ("first_name", "last_name", "street", "postal_code", "city", "country")  # of who has ordered
NAMED_LIKE_THE_FILE = 3  # columns that the name of the file is worth when the entity is guessed


@dataclass
class _Column:
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


@dataclass(frozen=True)
class Proposal:
    """An entry of `sources.yml` as plain data, what a person must decide before it is used, what is good to know."""

    entry: dict[str, Any]
    doubts: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def profile_file(settings: Settings, path: Path, *, controller: str, entity_name: str | None = None) -> Proposal:
    """Propose the entry for one file.

    Args:
        settings: limits and the temp folder.
        path: the file; packed ones as well.
        controller: a legal entity of company.yml.
        entity_name: what its records are; guessed when None.

    Raises:
        SourceError: when the file cannot be read, or there is no such entity.
    """
    if path.is_dir():
        raise SourceError(f"{path} is a folder; name one of its files.")
    file = describe_file(path)
    with connect(None, settings) as connection:
        stated = read_unmapped(connection, settings, file, FormatConfig())
        columns = _look_at_columns(connection)
        if entity_name is not None and entity_named(entity_name) is None:
            allowed = ", ".join(sorted({e.name for e in ENTITIES.values()}))
            raise SourceError(f"There is no entity '{entity_name}'; allowed: {allowed}.")
        entity = entity_named(entity_name) if entity_name else None
        doubts: list[str] = []
        notes: list[str] = []
        if entity is None:
            entity = _guess_entity(path.name, columns)
            doubts.append(f"that its records are {entity.name} was guessed from the names of the file and its columns")
        mapping = _map_columns(entity, columns, doubts)
        form = _propose_format(file.type, columns, mapping, entity, doubts)
        key = _propose_key(entity, columns, mapping, doubts)
        persons = _propose_persons(entity, columns, mapping, doubts)
        doubts += _doubt_values(connection, columns, mapping, form, entity)
    if not key and not mapping:
        doubts.append("none of its columns is known by name; its first line may be no header, but a title above it")
    mapped = {*mapping.values(), *key.values(), *(name for config in persons.values() for name in config.values())}
    left = [f"{c.name} ({c.fill_rate:.0%} filled)" for c in columns if c.name not in mapped]
    if left:
        notes.append(f"not mapped, so not stored: {', '.join(left)}")
    notes.append(f"read as {stated}")
    named = {"columns": {**key, **mapping}} if key or mapping else {}
    name = fold_word(path.resolve().parent.name)
    entry = {
        "name": (name if name[:1].isalpha() else f"source{name}")[:30],
        "role": entity.role,
        "controller": controller,
        "connector": "files",
        "path": str(path.resolve().parent),
        "format": form,
        "entities": {
            entity.name: {"path": path.name, **named},
            **{other: {"path": path.name, "repeated": True, "columns": own} for other, own in persons.items()},
        },
    }
    if entity.role not in PERSON_ENTITY and any(c.references == "person" for c in entity.columns):
        doubts.append("name the source whose persons are meant under `references`")
    else:
        SourcesConfig.model_validate({"sources": [entry]})  # what is proposed is valid
    return Proposal(entry, doubts, notes)


def _look_at_columns(connection: DuckDBPyConnection) -> list[_Column]:
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
            _Column(name, kind, filled / total if total else 0, distinct / filled if filled else 0, **shares | native)
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


def _guess_entity(file_name: str, columns: list[_Column]) -> Entity:
    """The entity with most columns of these names; the name of the file counts as some."""
    word = fold_word(Path(file_name).name.split(".")[0]).rstrip("0123456789")

    def count(entity: Entity) -> tuple[int, int]:
        names = words_for(entity.name, RECORD_WORDS)
        named = NAMED_LIKE_THE_FILE * (word in names or any(len(n) > 4 and n in word for n in names))
        return len(_map_columns(entity, columns, [])) + named, -list(ENTITIES.values()).index(entity)

    return max(ENTITIES.values(), key=count)


def _map_columns(entity: Entity, columns: list[_Column], doubts: list[str]) -> dict[str, str]:
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


def _propose_key(entity: Entity, columns: list[_Column], mapping: dict[str, str], doubts: list[str]) -> dict[str, str]:
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


def _propose_persons(
    entity: Entity, columns: list[_Column], mapping: dict[str, str], doubts: list[str]
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
    found = {t: n for t, n in _map_columns(persons, free, []).items() if persons.column(t) in persons.columns}
    found |= {t: mapping[f"billing_{t}"] for t in BILLING_FIELDS if t not in found and f"billing_{t}" in mapping}
    if "email" not in found:
        return {}
    key = mapping.setdefault(reference, found["email"])
    doubts.append(
        f"{role} are read from the same file: for each '{key}' what the last line with it says; take them out if "
        f"another file has them"
    )
    return {role: {"source_record_id": key, **{t: n for t, n in found.items() if n != key or t == "email"}}}


def _find_damaged_key(columns: list[_Column], mapping: dict[str, str], doubts: list[str]) -> list[_Column]:
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


def _doubt_values(
    connection: DuckDBPyConnection,
    columns: list[_Column],
    mapping: dict[str, str],
    form: dict[str, str],
    entity: Entity,
) -> list[str]:
    """Values that their column's type will not take, and words that are one but for their spelling."""
    kinds = {c.name: c.kind for c in columns}
    doubts = []
    for target, name in mapping.items():
        column = entity.column(target)
        if column is None or kinds[name] != "VARCHAR":
            continue
        text = contract.as_text(identifier(name), "VARCHAR")
        if column.type is not Type.TEXT and (unfit := _unfit(column.type, form)):
            [(count, total)] = connection.execute(
                f"select count(*) filter (where {unfit}), count(text) from (select {text} as text from delivered)"
            ).fetchall()
            if count:
                kind = column.type.name.lower()
                doubts.append(
                    f"{count:,} of {total:,} values of '{name}' are no {kind}; their records will be rejected"
                )
        elif (words := CODED.get(f"{entity.name}.{target}", CODED.get(target))) is not None:
            word = "lower(regexp_replace(text, '[^\\p{L}\\p{N}]', '', 'g'))"
            ours = ", ".join(literal(fold_word(ours)) for ours in words.split(", "))
            [(distinct, spelt, others)] = connection.execute(
                f"select count(distinct {word}), count(distinct text), count(distinct text) filter "
                f"(where {word} not in ({ours})) from (select {text} as text from delivered)"
            ).fetchall()
            if spelt > distinct:
                doubts.append(f"the {distinct} words in '{name}' are spelt in {spelt} ways, by case, blanks or signs")
            if others:
                doubts.append(
                    f"{others} of the {spelt} words in '{name}' are none of ours ({words}); translate them: "
                    f'{target}: {{sql: "case ... when ... then ... else ... end"}}'
                )
    return doubts


def _unfit(target: Type, form: dict[str, str]) -> str | None:
    """SQL over `text`: whether it will not be read as that type; None where that depends on what nobody decided yet."""
    if target in {Type.DATE, Type.TIMESTAMP}:
        given = contract.as_date_text("text")
        iso = contract.iso_text("text", form.get("dates", "ymd"))
        day = f"regexp_extract({iso}, '^\\d{{4}}-\\d{{1,2}}-\\d{{1,2}}')"
        return f"({given}) is not null and try_cast({day} as date) is null"
    if target is Type.BOOLEAN:
        words = ", ".join(literal(word) for word in (*contract.TRUE_WORDS, *contract.FALSE_WORDS))
        return f"lower(text) not in ({words})"
    if target in {Type.DECIMAL, Type.INTEGER}:
        return f"{contract.plain_number('text', ',')} is null and {contract.plain_number('text', '.')} is null"
    return None


def _propose_format(
    file_type: str, columns: list[_Column], mapping: dict[str, str], entity: Entity, doubts: list[str]
) -> dict[str, str]:
    """The form of dates where the values tell it; what the file tells by itself need not be written."""
    form = {"type": file_type}
    types = {c.name: c.type for c in (*entity.columns, *SYSTEM_COLUMNS)}
    dated = [
        c for c in columns if any(types[n] in {Type.DATE, Type.TIMESTAMP} for n, m in mapping.items() if m == c.name)
    ]
    day_first, month_first, either = (sum(getattr(c, n) for c in dated) for n in ("day_first", "month_first", "either"))
    choice = contract.decide(day_first, month_first)
    if choice is not None:
        form["dates"] = ("dmy", "mdy")[choice]
    elif day_first or month_first or either:
        doubts.append("whether day or month comes first in its dates cannot be told; set `format.dates` to dmy or mdy")
    if any(
        c.zone_share < 1 and c.fill_rate
        for n, m in mapping.items()
        for c in dated
        if m == c.name and types[n] is Type.TIMESTAMP
    ):
        doubts.append("times without a zone are read in the company's; set `format.time_zone` if they are in another")
    return form
