"""Read an unknown file and propose its entry of `sources.yml`, with the doubts that a person must decide.

Add here what can be told from one file. Only names, shares and types leave it, never a value. Words for columns are in
`words`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.configuration import FormatConfig
from pipelines.configuration.sources import SourcesConfig, mappable_columns
from pipelines.entities import ENTITIES, PERSON_ENTITY, Entity, Type, entity_named
from pipelines.errors import SourceError
from pipelines.extract import contract
from pipelines.extract.beside import find_beside
from pipelines.extract.delivery import read_unmapped
from pipelines.extract.fields import ORDER_PREFIX
from pipelines.extract.files import describe_file
from pipelines.extract.guesses import (
    FileColumn,
    doubt_missing_key,
    find_shared_numbers,
    guess_entity,
    look_at_columns,
    map_columns,
    propose_key,
)
from pipelines.extract.words import STATE_WORDS, fold_word
from pipelines.settings import Settings
from pipelines.warehouse import connect, identifier, literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# Columns that hold one of a few words of ours, and which; of an entity, else of any. What cleaning reads in the words
# of others, as a sex, is not here.
CODED = {
    "orders.status": "paid, delivered, open, cancelled",
    "order_lines.order_status": "paid, delivered, open, cancelled",
    "tickets.status": "new, open, pending, hold, solved, closed",
    "permissions.status": "requested, granted, withdrawn, expired",
    "permissions.kind": "consent, existing_customer, objection",
    "touches.kind": "sent, delivered, opened, clicked, bounced, complained, unsubscribed",
    "contact_methods.kind": "email, phone, mobile, address",
    "ratings.kind": "csat, nps, review, survey",
    "permissions.channel": "email, sms, messenger, phone, post, ad_platform",
    "lifecycle_stage": "subscriber, lead, mql, sal, sql, opportunity, customer",
    "tickets.priority": "low, normal, high, urgent",
}


CURRENCY_OF_A_SIGN = {
    "€": "EUR",
    "$": "USD",
    "£": "GBP",
    "zł": "PLN",
    "Kč": "CZK",
    "Fr.": "CHF",
    "kr": "SEK",
    "kr.": "DKK",
}
MOST_WORDS = 100  # of a column with a few states


@dataclass(frozen=True)
class Proposal:
    """An entry of `sources.yml` as plain data, what a person must decide before it is used, what is good to know."""

    entry: dict[str, Any]
    doubts: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def profile_file(
    settings: Settings, path: Path, *, controller: str, entity_name: str | None = None, sheet: str | None = None
) -> Proposal:
    """Propose the entry for one file.

    Args:
        settings: limits and the temp folder.
        path: the file; packed ones as well.
        controller: a legal entity of company.yml.
        entity_name: what its records are; guessed when None.
        sheet: of a workbook; the only one when None.

    Raises:
        SourceError: when the file cannot be read, or there is no such entity.
    """
    if not path.exists():
        raise SourceError(f"There is no file {path}.")
    if path.is_dir():
        raise SourceError(f"{path} is a folder; name one of its files.")
    file = describe_file(path)
    with connect(None, settings) as connection:
        stated = read_unmapped(connection, settings, file, FormatConfig(sheet=sheet))
        columns = look_at_columns(connection)
        if entity_name is not None and entity_named(entity_name) is None:
            allowed = ", ".join(sorted({e.name for e in ENTITIES.values()}))
            raise SourceError(f"There is no entity '{entity_name}'; allowed: {allowed}.")
        entity = entity_named(entity_name) if entity_name else None
        doubts: list[str] = []
        notes: list[str] = []
        if entity is None:
            entity = guess_entity(sheet or path.name, columns)
            doubts.append(f"that its records are {entity.name} was guessed from the names of the file and its columns")
        mapping = map_columns(entity, columns, doubts)
        key = propose_key(entity, columns, mapping, doubts)
        beside = find_beside(connection, entity, columns, mapping, doubts, has_key=bool(key))
        if not key and not beside.key:
            doubts.append(doubt_missing_key(columns))
        own = mapping | {target: name for target, name in beside.columns.items() if isinstance(name, str)}
        form = _propose_format(file.type, columns, own, entity, doubts) | ({"sheet": sheet} if sheet else {})
        translated: dict[str, dict[str, str]] = {}
        doubts += _doubt_values(connection, columns, own, form, entity, translated)
        doubts += _take_signs_off(columns, own, entity, translated, beside.defaults)
        doubts += _tell_women_from_men(connection, own, translated)
    if not key and not mapping:
        doubts.append("none of its columns is known by name; its first line may be no header, but a title above it")
    mapped = {*own.values(), *key.values(), *beside.key, *beside.used}
    mapped |= {name for told in beside.entities.values() for name in told.values()}
    left = [f"{c.name} ({c.fill_rate:.0%} filled)" for c in columns if c.name not in mapped]
    if left:
        notes.append(f"not mapped, so not stored: {', '.join(left)}")
    if entity.is_person and (shared := find_shared_numbers(columns, mapped)):
        notes.append(
            f"if a number in {', '.join(shared)} means one person, who has several records, say so: "
            f"identifiers: {{{fold_word(shared[0])}: {shared[0]}}}"
        )
    notes.append(f"read as {stated}")
    named: dict[str, Any] = {"key": beside.key} if beside.key else {}
    named |= {"columns": {**key, **mapping, **beside.columns, **translated}} if key or mapping else {}
    named |= {"defaults": beside.defaults} if beside.defaults else {}
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
            **{
                other: {"path": path.name, "repeated": True, "columns": told} for other, told in beside.entities.items()
            },
        },
    }
    if entity.role not in PERSON_ENTITY and any(c.references == "person" for c in entity.columns):
        doubts.append("name the source whose persons are meant under `references`")
    else:
        SourcesConfig.model_validate({"sources": [entry]})  # what is proposed is valid
    return Proposal(entry, doubts, notes)


def _doubt_values(
    connection: DuckDBPyConnection,
    columns: list[FileColumn],
    mapping: dict[str, str],
    form: dict[str, str],
    entity: Entity,
    translated: dict[str, dict[str, str]],
) -> list[str]:
    """Values that their column's type will not take, and words of states; known ones get into `translated`."""
    kinds, signs = {c.name: c.kind for c in columns}, {c.name: c.sign for c in columns}
    doubts = []
    for target, name in mapping.items():
        column = mappable_columns(entity).get(target)
        if column is None or kinds[name] != "VARCHAR":
            continue
        text = contract.as_text(identifier(name), "VARCHAR")
        if column.type is not Type.TEXT and not signs[name] and (unfit := _unfit(column.type, form)):
            [(count, total)] = connection.execute(
                f"select count(*) filter (where {unfit}), count(text) from (select {text} as text from delivered)"
            ).fetchall()
            if count:
                kind = column.type.name.lower()
                doubts.append(
                    f"{count:,} of {total:,} values of '{name}' are no {kind}; their records will be rejected"
                )
        elif (words := CODED.get(f"{entity.name}.{target}", CODED.get(target))) is not None:
            doubts += _doubt_words(connection, entity, target, name, words, translated)
    return doubts


def _take_signs_off(
    columns: list[FileColumn],
    mapping: dict[str, str],
    entity: Entity,
    translated: dict[str, dict[str, str]],
    defaults: dict[str, Any],
) -> list[str]:
    """Amounts that have the sign of a currency get into `translated` without it, and the currency into `defaults`."""
    signs = {c.name: c.sign for c in columns}
    told = mappable_columns(entity)
    doubts = []
    for target, name in mapping.items():
        sign = signs[name]
        if sign is None or target not in told or told[target].type is not Type.DECIMAL:
            continue
        translated[target] = {"sql": f"trim(replace({identifier(name)}, {literal(sign)}, ''))"}
        doubts.append(f"the amounts in '{name}' are read without the '{sign}' beside them; all must have it")
        prefix = target[: len(ORDER_PREFIX)] if target.startswith(ORDER_PREFIX) else ""
        currency = f"{prefix}currency"
        if currency in told and currency not in mapping:
            defaults[currency] = CURRENCY_OF_A_SIGN.get(sign, sign)
    return doubts


def _tell_women_from_men(
    connection: DuckDBPyConnection, mapping: dict[str, str], translated: dict[str, dict[str, str]]
) -> list[str]:
    """Where the sexes are H and M, M is mujer, and gets into `translated`; everywhere else it is read as male."""
    if (name := mapping.get("gender")) is None:
        return []
    letter = f"upper(trim({identifier(name)}::text))"
    found = connection.execute(
        f"select distinct {letter} as letter from delivered where {letter} <> '' order by letter limit 3"
    ).fetchall()
    if found != [("H",), ("M",)]:
        return []
    translated["gender"] = {"sql": f"case {letter} when 'H' then 'male' when 'M' then 'female' end"}
    return [f"'M' in '{name}' is taken for female, as in hombre and mujer, because the only other value is 'H'"]


def _doubt_words(
    connection: DuckDBPyConnection,
    entity: Entity,
    target: str,
    name: str,
    words: str,
    translated: dict[str, dict[str, str]],
) -> list[str]:
    """What the words of a column with a few states are, beside ours; those of other systems are translated."""
    text = contract.as_text(identifier(name), "VARCHAR")
    found = connection.execute(
        f"select lower({text}) as word, count(distinct {text}) from delivered where {text} is not null "
        f"group by word order by word limit {MOST_WORDS}"
    ).fetchall()
    theirs = {
        their: our for our, all_ in STATE_WORDS.get(f"{entity.name}.{target}", {}).items() for their in all_.split()
    }
    ours = {fold_word(our) for our in words.split(", ")}
    known = {word: theirs[fold_word(word)] for word, _ in found if fold_word(word) in theirs}
    others = sum(1 for word, _ in found if fold_word(word) not in ours and word not in known)
    distinct, spelt = len({fold_word(word) for word, _ in found}), sum(count for _, count in found)
    doubts = []
    if spelt > distinct:
        doubts.append(f"the {distinct} words in '{name}' are spelt in {spelt} ways, by case, blanks or signs")
    if known:
        cases = " ".join(f"when {literal(word)} then {literal(our)}" for word, our in known.items())
        translated[target] = {"sql": f"case lower(trim({identifier(name)})) {cases} else {identifier(name)} end"}
        doubts.append(
            f"{len(known)} of the {distinct} words in '{name}' were translated into ours; check whether rightly"
        )
    if others:
        doubts.append(
            f"{others} of the {distinct} words in '{name}' are none of ours ({words}); translate them: "
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
        return f"lower({contract.as_flag_text('text')}) not in ({words})"
    if target in {Type.DECIMAL, Type.INTEGER}:
        number = contract.as_number_text("text")
        read = " and ".join(f"{contract.plain_number('number', mark)} is null" for mark in ",.")
        return f"(select number is not null and {read} from (select {number} as number))"
    return None


def _propose_format(
    file_type: str, columns: list[FileColumn], mapping: dict[str, str], entity: Entity, doubts: list[str]
) -> dict[str, str]:
    """The form of dates where the values tell it; what the file tells by itself need not be written."""
    form = {"type": file_type}
    types = {name: column.type for name, column in mappable_columns(entity).items()}
    dated = [
        c for c in columns if any(types[n] in {Type.DATE, Type.TIMESTAMP} for n, m in mapping.items() if m == c.name)
    ]
    day_first, month_first, either = (sum(getattr(c, n) for c in dated) for n in ("day_first", "month_first", "either"))
    choice = contract.decide(day_first, month_first)
    if choice is not None:
        form["dates"] = ("dmy", "mdy")[choice]
    elif any(c.dotted for c in dated) and all(c.dotted or not c.fill_rate for c in dated):
        form["dates"] = "dmy"
        doubts.append("its dates have dots, so the day is taken to come first; no value tells")
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
