"""From delivered texts to typed records: how each column writes its values, then table `arrived`.

Add a decision about a whole column here, and what every record carries. The SQL for one value belongs into `contract`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pipelines.configuration import FormatConfig
from pipelines.entities import Type
from pipelines.errors import SourceError
from pipelines.extract import contract
from pipelines.extract.fields import CUSTOM_PREFIX, IDENTIFIER_PREFIX, Field, default_value
from pipelines.settings import Settings
from pipelines.warehouse import identifier, literal, log_privately

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def decide_conventions(
    connection: DuckDBPyConnection, fields: list[Field], form: FormatConfig, zone: str, where: str
) -> tuple[dict[str, contract.Conventions], dict[str, str]]:
    """How each column writes numbers and dates, by field and in words: as configured, else as the whole column shows.

    Raises:
        SourceError: when a column can be read in two ways with different meaning.
    """
    numbers = [f for f in fields if _is_open(f, (Type.DECIMAL, Type.INTEGER)) and form.decimal is None]
    dates = [f for f in fields if _is_open(f, (Type.DATE, Type.TIMESTAMP)) and form.dates is None]
    marks = _decide_marks(_number_evidence(connection, numbers), where)
    orders = _decide_orders({f.name: _date_evidence(connection, f) for f in dates}, where)
    conventions = {
        f.name: contract.Conventions(
            decimal=form.decimal or marks.get(f.name, "."), dates=form.dates or orders.get(f.name, "ymd"), zone=zone
        )
        for f in fields
    }
    stated = {name: f"decimal mark {mark}" for name, mark in marks.items()}
    stated |= {name: f"dates {order}" for name, order in orders.items()}
    return conventions, stated


def _number_evidence(connection: DuckDBPyConnection, fields: Sequence[Field]) -> dict[str, tuple[int, ...]]:
    if not fields:
        return {}
    texts = ", ".join(f"{contract.as_number_text(_text(f))} as {identifier(f.name)}" for f in fields)
    aggregates = ", ".join(e for f in fields for e in contract.number_evidence(identifier(f.name)))
    row = connection.execute(f"select {aggregates} from (select {texts} from delivered)").fetchone() or ()
    return {f.name: row[3 * i : 3 * i + 3] for i, f in enumerate(fields)}


def _date_evidence(connection: DuckDBPyConnection, field: Field) -> tuple[int, ...]:
    """What stands where there is no date, as 00.00.0000, is no evidence: both numbers are the same."""
    head = contract.date_head(_text(field))
    heads = connection.execute(f"select {head} as head, count(*) from delivered group by head").fetchall()
    return contract.date_evidence({head: count for head, count in heads if head})


def _text(field: Field) -> str:
    return contract.as_text(field.expression or "null", field.kind)


def _read(delivered: str, field: Field) -> str:
    """SQL for the text of a delivered value; NULL where it says that there is none of its type."""
    text = contract.as_text(delivered, field.kind)
    if field.kind != "VARCHAR" or field.type not in {Type.DECIMAL, Type.INTEGER, Type.BOOLEAN}:
        return text
    return contract.as_flag_text(text) if field.type is Type.BOOLEAN else contract.as_number_text(text)


def _is_open(field: Field, types: tuple[Type, ...]) -> bool:
    return field.type in types and field.expression is not None and field.kind == "VARCHAR"


def _decide_marks(evidence: dict[str, tuple[int, ...]], where: str) -> dict[str, str]:
    marks = {}
    total = (sum(e[0] for e in evidence.values()), sum(e[1] for e in evidence.values()))
    for name, (comma, point, either) in evidence.items():
        choice = contract.decide(comma, point)
        if choice is None and comma == point == 0:
            choice = contract.decide(*total)  # a column of whole numbers is written like its neighbours
        if choice is None and (either or comma or point):
            raise SourceError(
                f"{where}: whether ',' or '.' is the decimal mark in '{name}' cannot be decided from the "
                f"column; set `format.decimal` in sources.yml."
            )
        if choice is not None:
            marks[name] = ",."[choice]
    return marks


def _decide_orders(evidence: dict[str, tuple[int, ...]], where: str) -> dict[str, str]:
    orders = {}
    for name, (day_first, month_first, either) in evidence.items():
        choice = contract.decide(day_first, month_first)
        if choice is None and (either or day_first or month_first):
            raise SourceError(
                f"{where}: whether day or month comes first in '{name}' cannot be decided from the column; "
                f"set `format.dates` to dmy or mdy in sources.yml."
            )
        if choice is not None:
            orders[name] = ("dmy", "mdy")[choice]
    return orders


def convert_records(
    connection: DuckDBPyConnection,
    settings: Settings,
    fields: list[Field],
    conventions: dict[str, contract.Conventions],
    key: str | None,
    where: str,
) -> None:
    """Create `arrived` from `delivered`.

    Raises:
        SourceError: when an expression of the mapping fails on a value.
    """
    import duckdb

    given, read, usual, filled, dated, typed, checked, broken, rounded = [], [], [], [], [], [], [], [], []
    for field in fields:
        name, text = identifier(field.name), identifier(f"text of {field.name}")
        if field.expression is None:
            checked.append(f"{default_value(field)} as {name}")
            continue
        convention, is_native = conventions[field.name], contract.is_native(field.kind, field.type)
        delivered = identifier(f"value of {field.name}") if is_native else text
        given.append(f"{field.expression} as {delivered}")
        read.append(delivered if is_native else f"{_read(delivered, field)} as {delivered}")
        if field.type is Type.TEXT:
            value = text
        elif is_native:
            value = contract.convert_native(delivered, field.kind, field.type, convention.zone)
            text = f"{delivered}::varchar"  # only written out where the conversion fails
        elif field.type in {Type.DATE, Type.TIMESTAMP}:
            # The patterns for everything that may be a date are tried where the usual ones do not fit.
            at_once, iso = identifier(f"usual {field.name}"), identifier(f"iso of {field.name}")
            usual.append(f"{contract.convert_usual(text, field.type, convention)} as {at_once}")
            if _is_open(field, (field.type,)):
                filled.append(
                    f"case when {at_once} is null then {contract.as_date_text(text)} else {text} end as {text}"
                )
            dated.append(f"case when {at_once} is null then {contract.iso_text(text, convention.dates)} end as {iso}")
            value = f"coalesce({at_once}, {contract.convert_text(iso, field.kind, field.type, convention)})"
        else:
            value = contract.convert_text(text, field.kind, field.type, convention)
        typed.append(f"{value} as {name}")
        default = "" if field.default is None else f", {default_value(field)}"
        checked.append(f"coalesce({name}{default}) as {name}")
        if field.type is not Type.TEXT:
            broken.append((f"{delivered} is not null and {name} is null", field, text))
            typed.append(delivered)
            checked.append(delivered)
        if field.type is Type.DECIMAL and not is_native:
            rounded.append(f"{contract.is_rounded(text, field.kind, convention.decimal, name)}::integer")
    if key is not None:
        given.append(f'{key} as "composite key"')
        read.append('"composite key"')
        typed.append('"composite key"')
        checked.append('"composite key" as source_record_id')
    failing = " ".join(f"when {test} then {literal(f.name)}" for test, f, _ in broken)
    failed = " ".join(f"when {test} then {text}" for test, _, text in broken)
    contents = ["source_record_id"] if key is not None else []
    contents += [f.name for f in fields if key is None or f.name != "source_record_id"]
    columns = [identifier(n) for n in contents if not n.startswith((IDENTIFIER_PREFIX, CUSTOM_PREFIX))]
    if "source_record_id" not in contents:
        columns.append(f"{_content(contents, {f.name: text for _, f, text in broken})} as _content")
    query = f"""
        create or replace temp table arrived as
        with given as (select rowid as _row, {", ".join(given) or "1"} from delivered),
        read as (select _row, {", ".join(read) or "1"} from given),
        usual as (select {", ".join(["*", *usual])} from read),
        filled as (select * {f"replace ({', '.join(filled)})" if filled else ""} from usual),
        dated as (select {", ".join(["*", *dated])} from filled),
        typed as (select _row, {", ".join(typed) or "1"} from dated),
        checked as (
            select _row, {", ".join(checked)},
                {f"case {failing} end" if failing else "null::varchar"} as _field,
                {f"case {failed} end" if failed else "null::varchar"} as _text,
                {" + ".join(rounded) or "0"} as _rounded
            from typed
        )
        select _row, {", ".join(columns)}, {_json(fields, IDENTIFIER_PREFIX)} as identifiers,
            {_json(fields, CUSTOM_PREFIX)} as custom,
            _field, {_value_class([f for _, f, _ in broken])} as _class, _rounded
        from checked
    """
    try:
        connection.execute(query)
    except (duckdb.ConversionException, duckdb.InvalidInputException, duckdb.OutOfRangeException) as error:
        log_privately(settings, error)
        raise SourceError(
            f"{where}: an expression of the mapping fails on a delivered value; use try_cast and try_strptime in "
            f"`sql`. The engine's own words are in build/errors.log."
        ) from None


def _content(names: Sequence[str], delivered: Mapping[str, str]) -> str:
    """SQL for the hash of a record that has no id of its own: of `name=value` of what is filled, by name.

    `delivered` is, by name, the text of a value that may not have been converted.
    """
    values = {n: f"{identifier(n)}::varchar" for n in sorted(names)}
    values |= {n: f"coalesce({values[n]}, {delivered[n]})" for n in values if n in delivered}
    named = ", ".join(f"{literal(f'{name}=')} || {value}" for name, value in values.items())
    return f"md5(concat_ws(chr(31), {named}))"


def _value_class(fields: list[Field]) -> str:
    """SQL for what the refused `_text` of `_field` is, written once per type: its patterns take long to prepare."""
    names: dict[Type, list[str]] = {}
    for field in fields:
        names.setdefault(field.type, []).append(literal(field.name))
    cases = [f"when _field in ({', '.join(n)}) then {contract.value_class('_text', t)}" for t, n in names.items()]
    return f"case {' '.join(cases)} end" if cases else "null::varchar"


def _json(fields: list[Field], prefix: str) -> str:
    """SQL for a JSON object of the filled fields with this prefix; NULL when none is filled."""
    names = [f.name for f in fields if f.name.startswith(prefix)]
    if not names:
        return "null::json"
    parts = ", ".join(
        f"{literal(_json_key(n.removeprefix(prefix)))} || to_json({identifier(n)})::varchar" for n in names
    )
    return f"('{{' || nullif(concat_ws(',', {parts}), '') || '}}')::json"


def _json_key(name: str) -> str:
    return f'"{name}":'
