"""What the columns of an unknown file are: whose records they tell, which of ours each is, which one is the id.

Add here what is told by the names of columns and by shares of their values. The words are in `words`; the entry that
follows from all this is written in `profile`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.entities import ENTITIES, PERSON_ENTITY, SYSTEM_COLUMNS, Column, Entity, Type
from pipelines.extract import contract
from pipelines.extract.words import (
    COLUMN_WORDS,
    OF_AN_ADDRESS,
    RECORD_WORDS,
    REFERRED,
    fold_word,
    is_number,
    reduce_word,
    words_for,
    words_for_number,
    words_of_an_order,
)
from pipelines.warehouse import identifier

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MOSTLY = 0.95  # of the filled values
HALF = 0.5
NEARLY_ALL = 0.9  # of the records have an id, and one of their own, where a file repeats or lost some
# Columns that the name of the file is worth when the entity is guessed: `order_reviews` are reviews, and of orders.
NAMED_LIKE_THE_FILE, NAMED_IN_THE_FILE = 3, 2
REFERENCE = "_record_id"
CUSTOMERS, ORDERS, ORDER_LINES = (ENTITIES["shop", name] for name in ("customers", "orders", "order_lines"))
OF_A_LINE = frozenset({"product_record_id", "quantity", "unit_amount"})
ADDRESS = frozenset({"street", "postal_code", "city", "region", "country"})
CONTACT_POINT = ADDRESS | {"email", "phone", "mobile", "full_name"}
WITH_AN_ADDRESS = ADDRESS | {"phone", "company_name"}
MERE_NAME = frozenset({"name", "name1", "naam", "nom", "nombre", "nome"})  # whole, or the part that no other column is
# Records that are about nothing without this column.
CARRIES = {"attributes": "value", "contact_methods": "value", "ratings": "score"}
SHARES_OF_SOMETHING = frozenset({"discount_amount", "tax_amount"})  # columns of these names may hold .2 for 20 percent


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
    fraction_share: float = 0.0
    fraction_count: int = 0
    dotted: int = 0
    degree_share: float = 0.0
    sign: str | None = None  # of the currency, beside the amounts; amounts in several are no numbers

    @property
    def is_unique(self) -> bool:
        """Always filled, and no value twice."""
        return self.fill_rate == self.distinct_rate == 1

    def fits(self, target: Column) -> bool:
        """Whether the values can be those of the canonical column."""
        if self.fill_rate == 0 or target.type in {Type.TEXT, Type.BOOLEAN, Type.JSON}:
            return True
        if target.type in {Type.DATE, Type.TIMESTAMP}:
            return self.moment_share >= MOSTLY
        if target.name in SHARES_OF_SOMETHING and self.fraction_count and self.fraction_share == 1:
            return False
        return self.number_share >= MOSTLY


def look_at_columns(connection: DuckDBPyConnection) -> list[FileColumn]:
    found = []
    for name, kind, *_ in connection.execute("describe delivered").fetchall():
        text = contract.as_text(identifier(name), kind)
        row = connection.execute(
            f"""
            select count(*), count(text), count(distinct text), {", ".join(_COUNTS.values())}
            from (
                select text, sign, {_AMOUNT} as number
                from (select text, {contract.currency_sign("text")} as sign from (select {text} as text from delivered))
            )
            """
        ).fetchone() or (0,) * (3 + len(_COUNTS))
        total, filled, distinct = row[:3]
        counts = dict(zip(_COUNTS, row[3:], strict=True))
        share = 1 / filled if filled else 0
        is_number = kind == "DOUBLE" or contract.is_native(kind, Type.DECIMAL)
        has_many_signs = counts["first_sign"] != counts["last_sign"]
        found.append(
            FileColumn(
                name,
                kind,
                fill_rate=filled / total if total else 0,
                distinct_rate=distinct / filled if filled else 0,
                email_share=counts["emails"] * share,
                number_share=1.0 if is_number else 0.0 if has_many_signs else counts["numbers"] * share,
                moment_share=counts["moments"] * share,
                zone_share=1.0 if kind == "TIMESTAMP WITH TIME ZONE" else counts["zoned"] * share,
                day_first=counts["day_first"],
                month_first=counts["month_first"],
                either=counts["either"],
                fraction_share=counts["fractions"] * share,
                fraction_count=counts["parts"],
                dotted=counts["dotted"],
                degree_share=counts["degrees"] * share,
                sign=None if has_many_signs else counts["first_sign"],
            )
        )
    return found


_HEAD = contract.date_head("text")
_FIRST, _SECOND = (f"try_cast(regexp_extract({_HEAD}, '^(\\d+)\\D(\\d+)$', {n}) as integer)" for n in (1, 2))
_AMOUNT = contract.as_number_text("trim(replace(text, coalesce(sign, ''), ''))")
_NUMBER = "try_cast(replace(text, ',', '.') as double)"
_DEGREE = r"(?i)\b(dr|prof|dipl|mag|ing|ph\.?d|mba|[mb]\.?sc|mrs?|ms|herr|frau)\b"
_COUNTS = {
    "emails": "count(*) filter (where regexp_full_match(text, '[^@\\s]+@[^@\\s]+\\.[^@\\s]+'))",
    "numbers": f"count(*) filter (where {contract.plain_number('number', ',')} is not null "
    f"or {contract.plain_number('number', '.')} is not null)",
    "moments": "count(*) filter (where coalesce("
    + ", ".join(contract.iso_text("text", order) for order in ("ymd", "dmy"))
    + ") is not null and not regexp_full_match(text, '\\d+'))",
    "zoned": "count(*) filter (where regexp_matches(text, ':\\d\\d(\\.\\d+)?\\s*([zZ]|[+-]\\d\\d:?\\d*)$'))",
    "fractions": f"count(*) filter (where {_NUMBER} between 0 and 1)",
    "parts": f"count(*) filter (where {_NUMBER} > 0 and {_NUMBER} < 1)",
    "dotted": f"count(*) filter (where regexp_full_match({_HEAD}, '\\d+\\.\\d+'))",
    "degrees": f"count(*) filter (where regexp_matches(text, '{_DEGREE}'))",
    "first_sign": "min(sign)",
    "last_sign": "max(sign)",
    "day_first": f"count(*) filter (where {_FIRST} > 12 and {_SECOND} <= 12)",
    "month_first": f"count(*) filter (where {_SECOND} > 12 and {_FIRST} <= 12)",
    "either": f"count(*) filter (where {_FIRST} <= 12 and {_SECOND} <= 12 and {_FIRST} <> {_SECOND})",
}


def guess_entity(file_name: str, columns: list[FileColumn]) -> Entity:
    """The entity with most columns of these names; the name of the file counts as some."""
    word = fold_word(Path(file_name).name.split(".")[0]).rstrip("0123456789")

    def count(entity: Entity) -> tuple[int, int]:
        mapping = map_columns(entity, columns, [])
        if CARRIES.get(entity.name, "") not in {"", *mapping}:
            return 0, 0
        own = words_for_number(entity.name)
        numbers = [c for c in columns if fold_word(c.name) in own and c.name not in mapping.values()]
        known = len(mapping) + max((1 + c.is_unique for c in numbers), default=0)
        if entity == ORDER_LINES and carries_orders(columns, mapping):
            free = [c for c in columns if c.name not in mapping.values()]
            known += len({*map_columns(ORDERS, free, []).values(), *map_columns(CUSTOMERS, free, []).values()})
        return known + _count_name(entity, word), -list(ENTITIES.values()).index(entity)

    return max(ENTITIES.values(), key=count)


def _count_name(entity: Entity, word: str) -> int:
    names = {name for name in words_for(entity.name, RECORD_WORDS) if len(name) > 4 or name == word}
    if any(word.endswith(name) for name in names):
        return NAMED_LIKE_THE_FILE
    return NAMED_IN_THE_FILE if any(name in word for name in names) else 0


def carries_orders(columns: list[FileColumn], mapping: dict[str, str]) -> bool:
    """Whether several records of a file are lines of one order."""
    order = next((c for c in columns if c.name == mapping.get("order_record_id")), None)
    return (
        order is not None and order.fill_rate >= MOSTLY and order.distinct_rate < 1 and bool(OF_A_LINE & set(mapping))
    )


def map_columns(entity: Entity, columns: list[FileColumn], doubts: list[str]) -> dict[str, str]:
    """Canonical column to column of the file: by name, if the values fit; e-mail addresses also by their values."""
    mapping: dict[str, str] = {}
    for target in (*entity.columns, *SYSTEM_COLUMNS[1:]):
        named = _find_named(entity, target, [c for c in columns if c.name not in mapping.values()])
        fitting = [c for c in named if c.fits(target)]
        doubts += [
            f"'{c.name}' is named like {target.name}, but its values are "
            + (f"not of type {target.type.name.lower()}" if c.number_share < MOSTLY else "shares")
            for c in named
            if c not in fitting
        ]
        if target.name == "email" and not fitting:
            fitting = [c for c in columns if c.email_share >= MOSTLY]
        if target.references and any(is_number(c.name) for c in fitting):
            fitting = [c for c in fitting if is_number(c.name)]
        if len(fitting) > 1:
            doubts.append(f"{target.name} may be any of {', '.join(c.name for c in fitting)}; the fullest was taken")
        if fitting:
            mapping[target.name] = max(fitting, key=lambda c: (c.fill_rate, -columns.index(c))).name
    _settle_names(mapping)
    title = next((c for c in columns if c.name == mapping.get("title")), None)
    if title and title.fill_rate and title.degree_share < HALF and "job_title" not in mapping:
        mapping["job_title"] = mapping.pop("title")  # English systems mean the position by it
    if entity == ORDERS and "ordered_at" not in mapping and "created_at" in mapping:
        mapping["ordered_at"] = mapping.pop("created_at")  # a shop makes an order when it is placed
    return mapping


def _find_named(entity: Entity, target: Column, columns: list[FileColumn]) -> list[FileColumn]:
    """Columns that are called like a canonical one, in the plainest way that there is in the file.

    A name may tell one of several (`Email - Work`), begin with the word for the record (`customer_city` of customers),
    or say that the address is meant (`MailingCity`).
    """
    words = words_for(target.name, COLUMN_WORDS, entity.name) | _words_by_parts(entity, target)
    nouns = words_for(entity.name, RECORD_WORDS)
    called = {c.name: {fold_word(c.name)} for c in columns}
    ways = [called]
    if target.name in CONTACT_POINT:
        ways.append({name: {reduce_word(name)} for name in called})
    ways.append({name: _strip(_strip({*forms, reduce_word(name)}, nouns), nouns) for name, forms in called.items()})
    if target.references:
        ways.append({name: _strip(forms, REFERRED.split()) for name, forms in called.items()})
    if target.name in WITH_AN_ADDRESS and entity.column("street"):
        ways.append(
            {name: _strip(forms | {reduce_word(name)}, OF_AN_ADDRESS.split()) for name, forms in ways[-1].items()}
        )
    return next((named for way in ways if (named := [c for c in columns if way[c.name] & words])), [])


def _strip(forms: set[str], starts: Iterable[str]) -> set[str]:
    return forms | {form.removeprefix(start) for form in forms for start in starts}


def _words_by_parts(entity: Entity, target: Column) -> set[str]:
    """Words that are put together: for the number of another record, for a part of an address of an order."""
    if target.references and target.references != entity.name:
        named = PERSON_ENTITY.values() if target.references == "person" else [target.references]
        return {word for name in named for word in words_for_number(name)}
    if entity == ORDERS and target.name in {"email", "phone", "company_name"}:
        return words_of_an_order(f"billing_{target.name}")
    return words_of_an_order(target.name) if entity == ORDERS else set()


def _settle_names(mapping: dict[str, str]) -> None:
    """What a mere `Name` is beside a column for one part of the name: the other part."""
    if fold_word(mapping.get("full_name", "")) not in MERE_NAME:
        return
    for part, other in (("first_name", "last_name"), ("last_name", "first_name")):
        if part in mapping and other not in mapping:
            mapping[other] = mapping.pop("full_name")
            return


def propose_key(
    entity: Entity, columns: list[FileColumn], mapping: dict[str, str], doubts: list[str]
) -> dict[str, str]:
    """The column with the id of the record: always filled, never twice, and best named like one.

    A list of persons without numbers has their mail addresses as ids, if each is there once: who gets another name is
    still the same record then.
    """
    house = words_for("house_number", COLUMN_WORDS)
    able = [c for c in columns if c.kind != "BOOLEAN" and c.moment_share < MOSTLY and c.email_share < MOSTLY]
    able = [c for c in able if fold_word(c.name) not in house]
    # One that is mapped refers to another record; by chance each of these may be there once.
    referring = {name for target, name in mapping.items() if target.endswith(REFERENCE) or target in {"sku", "number"}}
    able = [c for c in able if c.name in referring or c.name not in mapping.values()]
    named = [c for c in able if c.is_unique and is_number(c.name)]
    own = words_for_number(entity.name)
    named.sort(key=lambda c: (c.name in referring, fold_word(c.name) not in own))
    if not named:
        named = _find_damaged_key(able, mapping, doubts)
    addresses = [c for c in columns if c.name == mapping.get("email") and c.is_unique]
    if not named and entity.is_person and addresses:
        doubts.append(
            f"no column looks like the id of a record; '{addresses[0].name}' is, because nobody has that of another"
        )
        return {"source_record_id": addresses[0].name}
    titles = [c for c in columns if c.name == mapping.get("name") and c.is_unique]
    if not named and entity.name == "companies" and titles:
        doubts.append(f"no column looks like the id of a record; '{titles[0].name}' is, because no two have the same")
        return {"source_record_id": titles[0].name}
    if not named:
        return {}
    for canonical, column in list(mapping.items()):
        if column == named[0].name:
            del mapping[canonical]
    if others := [c.name for c in named[1:] if c.name not in mapping.values()]:
        doubts.append(f"the id may also be {', '.join(others)}")
    return {"source_record_id": named[0].name}


def doubt_missing_key(columns: list[FileColumn]) -> str:
    """What to say of a file in which no column is the id."""
    unique = next((c.name for c in columns if c.kind != "BOOLEAN" and c.is_unique), None)
    hint = f"; '{unique}' is filled and never occurs twice" if unique else ""
    return f"no column looks like the id of a record, so its content is the id{hint}"


def _find_damaged_key(columns: list[FileColumn], mapping: dict[str, str], doubts: list[str]) -> list[FileColumn]:
    """The column that would be the id if some records had not lost theirs, or were not there twice.

    One that is mapped refers to another record, of which several may be.
    """
    nearly = [
        c
        for c in columns
        if is_number(c.name) and min(c.fill_rate, c.distinct_rate) >= NEARLY_ALL and c.name not in mapping.values()
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


def find_shared_numbers(columns: list[FileColumn], mapped: set[str]) -> list[str]:
    """Columns that are no column of ours and number what several records may be of: the person, by another system."""
    return [
        c.name
        for c in columns
        if c.name not in mapped and is_number(c.name) and c.fill_rate >= NEARLY_ALL and HALF <= c.distinct_rate < 1
    ]
