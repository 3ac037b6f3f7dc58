"""From files to typed records: table `delivered` as the files have it, table `arrived` as the contract wants it.

Add a step between reading and comparing here. What is already landed is not looked at; see `changes`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipelines.configuration import Configuration, FormatConfig, SourceConfig
from pipelines.entities import Entity
from pipelines.errors import SourceError
from pipelines.extract import contract
from pipelines.extract.fields import (
    Field,
    assert_columns_delivered,
    composite_key,
    expected_columns,
    key_source,
    landed_columns,
    map_fields,
    used_columns,
)
from pipelines.extract.files import DeliveredFile, assert_not_changed_meanwhile
from pipelines.extract.layouts import (
    Layout,
    collect_csv_errors,
    create_unreadable,
    is_readable,
    read_csv_layout,
    read_jsonl_layout,
    read_parquet_layout,
)
from pipelines.extract.packing import unpack
from pipelines.extract.reading import entity_of
from pipelines.extract.records import convert_records, decide_conventions
from pipelines.extract.report import UnmappedColumn
from pipelines.extract.sheets import read_sheet_layout
from pipelines.extract.text import has_mixed_line_ends, make_readable, unify_line_ends
from pipelines.scratch import scratch_folder
from pipelines.settings import Settings
from pipelines.warehouse import identifier, literal, log_privately

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SAMPLE_ROWS = 1000  # for naming the type of a column that nobody mapped
FLAG = "filled: "
# Files that somebody may have put together by hand: only these have lines that are no records.
SHEET_LIKE = frozenset({"csv", "workbook"})
# What stands in the id of a line that sums up the others.
TOTALS = (
    *("summe", "gesamt", "gesamtsumme", "zwischensumme", "endsumme", "anzahl"),
    *("sum", "total", "totals", "grand total", "subtotal", "count"),
)


@dataclass(frozen=True)
class Delivery:
    """What tables `delivered`, `arrived` and `unreadable` of the connection hold.

    Attributes:
        fields: the landed fields.
        delivered_count: records and broken lines in the files.
        is_keyed: whether records have an id of their own; else it is their content.
        detected: how files and columns are written, in words.
        unmapped: columns nobody mapped.
    """

    fields: list[Field]
    delivered_count: int
    is_keyed: bool
    detected: dict[str, str]
    unmapped: tuple[UnmappedColumn, ...]


def read_delivery(
    connection: DuckDBPyConnection,
    settings: Settings,
    configuration: Configuration,
    source: SourceConfig,
    entity: Entity,
    files: list[DeliveredFile],
    known_types: Mapping[str, str] | None = None,
) -> Delivery:
    """Read the files into `delivered` and convert them into `arrived`.

    `arrived`, one row per readable record: `_row` (file order), `source_record_id`, the mapped columns in their types,
    `identifiers`, `custom`, `_content` (a hash, where records have no id of their own), `_field` and `_class` (the
    first field that breaks the contract) and `_rounded` (how many amounts were).

    `known_types` are types in words of columns that nobody mapped, where the source says them itself.

    Raises:
        SourceError: when a file cannot be read as configured, or how it is written cannot be decided.
    """
    config, form = source.entities[entity.name], source.format_of(entity.name)
    where = f"{source.name}.{entity.name}"
    expected = expected_columns(entity, config)
    create_unreadable(connection)
    # A column with the name of a field is taken as that field, unless the mapping says where the field comes from.
    mapped_by_name = [c.name for c in landed_columns(entity, config) if c.name not in config.columns]
    with _layouts(connection, settings, files, form, [*expected, *mapped_by_name], where) as layouts:
        columns = _common_types(layouts)
        for layout in layouts:
            # A JSON field that is empty may be left out, but not in every line of every file.
            present = columns if layout.file.type == "jsonl" else layout.columns
            assert_columns_delivered(expected, present, layout.file.name, layout.stated, where)
        used = used_columns(entity, config, list(columns))
        elsewhere = set(columns) if config.repeated else _mapped_beside(source, entity, list(columns))
        unmapped_names = [c for c in columns if c not in used and c not in elsewhere]
        known = {name: kind for name, kind in (known_types or {}).items() if name in unmapped_names}
        types = known | _sampled_types(
            connection, settings, layouts, [n for n in unmapped_names if n not in known], where
        )
        row_count = _fill_delivered(
            connection, settings, layouts, columns, used, form, key_source(config, list(columns)), where
        )
    assert_not_changed_meanwhile(files, where)
    mapped = {c: columns[c] for c in used}
    fields = map_fields(connection, entity, config, mapped, where)
    if not config.key and not any(field.expression for field in fields):
        raise SourceError(
            f"{where}: no column of {layouts[0].file.name} is mapped in sources.yml; it has {', '.join(columns)}. Say "
            f"below `columns` which field of ours each is, or take the entity out."
        )
    zone = form.time_zone or configuration.company.time_zone
    conventions, stated = decide_conventions(connection, fields, form, zone, where)
    key = composite_key(config, mapped, fields)
    is_keyed = key is not None or any(f.name == "source_record_id" for f in fields)
    convert_records(connection, settings, fields, conventions, key, where)
    if config.repeated:
        row_count -= _keep_last_lines(connection, is_dated=any(f.name == "updated_at" for f in fields))
    return Delivery(
        fields=fields,
        delivered_count=row_count + _number(connection, "select count(*) from unreadable"),
        is_keyed=is_keyed,
        detected={layout.file.name: layout.stated for layout in layouts if layout.file.is_original} | stated,
        unmapped=_report_unmapped(connection, unmapped_names, types),
    )


def _keep_last_lines(connection: DuckDBPyConnection, *, is_dated: bool) -> int:
    """Leave one line of each id in `arrived`, the newest that can be landed; returns how many were taken out.

    A line without an id tells of no such record: an order of a guest has no customer.
    """
    changed = "coalesce(updated_at, '-infinity'::timestamp), " if is_dated else ""
    return _number(
        connection,
        f"""
        delete from arrived
        where source_record_id is null or _row not in (
            select max_by(_row, (_field is null, {changed}_row))
            from arrived
            where source_record_id is not null
            group by source_record_id
        )
        """,
    )


def _mapped_beside(source: SourceConfig, entity: Entity, columns: list[str]) -> set[str]:
    """Columns that another entity of the source takes from the same files: the customers who are on the orders."""
    path = source.entities[entity.name].path
    others = [n for n, config in source.entities.items() if n != entity.name and path and config.path == path]
    return {c for name in others for c in used_columns(entity_of(source, name), source.entities[name], columns)}


def read_unmapped(connection: DuckDBPyConnection, settings: Settings, file: DeliveredFile, form: FormatConfig) -> str:
    """Read all columns of one file into `delivered` and say how it is written.

    Raises:
        SourceError: when it cannot be read.
    """
    where = str(file.path.parent)
    create_unreadable(connection)
    with _layouts(connection, settings, [file], form, [], where) as layouts:
        columns = _common_types(layouts)
        _fill_delivered(connection, settings, layouts, columns, list(columns), form, (), where)
        return layouts[0].stated


def forget_delivery(connection: DuckDBPyConnection) -> None:
    """Free the memory of a delivery that is landed."""
    tables = ("delivered", "delivered_files", "unreadable", "arrived", "twins", "compared", "absences", "refused")
    for table in (*tables, "protected", "other_lines"):
        connection.execute(f"drop table if exists temp.{table}")


@contextmanager
def _layouts(
    connection: DuckDBPyConnection,
    settings: Settings,
    files: list[DeliveredFile],
    form: FormatConfig,
    named: list[str],
    where: str,
) -> Iterator[list[Layout]]:
    """The layout of every file; copies that were made to read it are removed in the end.

    `named` are columns that the mapping uses when they are there.
    """
    found = []
    with scratch_folder(settings.temp_dir) as copies:
        for number, delivered in enumerate(files):
            file = unpack(delivered, copies, where)
            if file.type == "parquet":
                layout = read_parquet_layout(connection, file, where)
            elif file.type == "workbook":
                layout = read_sheet_layout(connection, file, form, named, number, where)
            else:
                readable, encoding = make_readable(file, form.encoding, copies, where)
                is_mixed = has_mixed_line_ends(readable)
                if is_mixed and file.type == "jsonl":
                    readable = unify_line_ends(readable, copies)
                if file.type == "csv":
                    layout = read_csv_layout(file, readable, encoding, form, named, where)
                    if is_mixed and not is_readable(connection, layout):
                        layout = read_csv_layout(file, unify_line_ends(readable, copies), encoding, form, named, where)
                else:
                    layout = read_jsonl_layout(connection, file, readable, encoding, number, where)
            found.append(replace(layout, stated=f"{layout.stated}, {file.packing}") if file.packing else layout)
        yield found


def _common_types(layouts: list[Layout]) -> dict[str, str]:
    """Every column of any file with its type; text where the files differ."""
    columns: dict[str, str] = {}
    for layout in layouts:
        for name, kind in layout.columns.items():
            columns[name] = kind if columns.get(name, kind) == kind else "VARCHAR"
    return columns


def _sampled_types(
    connection: DuckDBPyConnection, settings: Settings, layouts: list[Layout], names: list[str], where: str
) -> dict[str, str]:
    """The type of columns nobody mapped, in words, from the first rows of the first file that has them."""
    types = {}
    for name in names:
        layout = next(found for found in layouts if name in found.columns)
        kind = layout.columns[name]
        if kind != "VARCHAR":
            types[name] = kind.lower()
    for layout in layouts:
        texts = [n for n in names if n not in types and n in layout.columns]
        if not texts:
            continue
        cleaned = ", ".join(f"{contract.as_text(identifier(n), 'VARCHAR')} as {identifier(n)}" for n in texts)
        forms = (
            "try_cast({0} as bigint) is not null",
            "try_cast({0} as double) is not null",
            "regexp_matches({0}, '^\\d+[-/.]\\d+[-/.]\\d+')",
        )
        checks = ", ".join(
            f"coalesce(bool_and({form.format(identifier(n))}) filter (where {identifier(n)} is not null), false)"
            for n in texts
            for form in forms
        )
        with _told_when_damaged(settings, layout, where):
            row = connection.execute(
                f"select {checks} from (select {cleaned} from {layout.relation} limit {SAMPLE_ROWS})"
            ).fetchone()
        _drop_csv_errors(connection)
        for position, name in enumerate(texts):
            integer, number, date = (row or ())[position * 3 : position * 3 + 3]
            types[name] = "integer" if integer else "number" if number else "date" if date else "text"
    return types


@contextmanager
def _told_when_damaged(settings: Settings, layout: Layout, where: str) -> Iterator[None]:
    """Turn what the engine says of damage within a file into a sentence; disk and memory have types of their own."""
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        if type(error) not in {duckdb.Error, duckdb.InvalidInputException, duckdb.SerializationException}:
            raise
        log_privately(settings, error)
        raise SourceError(
            f"{where}: {layout.file.name} is damaged: it cannot be read to its end as {layout.stated}. Nothing was "
            f"changed. Have it delivered again, or correct `format` in sources.yml. The engine's own words are in "
            f"build/errors.log."
        ) from None


def _fill_delivered(
    connection: DuckDBPyConnection,
    settings: Settings,
    layouts: list[Layout],
    columns: dict[str, str],
    used: list[str],
    form: FormatConfig,
    key: tuple[str, ...],
    where: str,
) -> int:
    """Table `delivered`: used columns as they are; of the others only whether they are filled. Rows in file order.

    Lines that repeat the header or sum up the others are no records: they go to `unreadable`. Table `delivered_files`
    says which rows an original file has. Returns how many rows there are.
    """
    flags = [c for c in columns if c not in used]
    definition = [f"{identifier(c)} {columns[c]}" for c in used]
    definition += [f"{identifier(FLAG + c)} boolean" for c in flags]
    connection.execute(
        f"create or replace temp table delivered ({', '.join(definition) or identifier(FLAG) + ' boolean'})"
    )
    connection.execute("create or replace temp table other_lines (row bigint)")
    connection.execute("create or replace temp table delivered_files (file text, first_row bigint, end_row bigint)")
    total = 0
    for layout in layouts:
        select = []
        for name in used:
            present = layout.columns.get(name)
            same = present == columns[name]
            text = contract.as_text(identifier(name), present or "VARCHAR")
            select.append("null" if present is None else identifier(name) if same else text)
        for name in flags:
            present = layout.columns.get(name)
            select.append("false" if present is None else f"{contract.as_text(identifier(name), present)} is not null")
        with _told_when_damaged(settings, layout, where):
            inserted = _number(
                connection, f"insert into delivered select {', '.join(select) or 'false'} from {layout.relation}"
            )
        if layout.file.type == "csv":
            collect_csv_errors(connection, layout, form, key, inserted, where)
        if len(key) == 1 and layout.file.type in SHEET_LIKE and layout.columns.get(key[0]) == "VARCHAR":
            _note_other_lines(connection, layout, key[0], total)
        if layout.file.is_original:
            connection.execute(
                "insert into delivered_files values ($1, $2, $3)", [layout.file.name, total, total + inserted]
            )
        total += inserted
    return total - _number(connection, "delete from delivered where rowid in (select row from other_lines)")


def _note_other_lines(connection: DuckDBPyConnection, layout: Layout, key: str, first_row: int) -> None:
    """Add to `unreadable` the lines of a file that are no records, and their rows to `other_lines`."""
    column = identifier(key)
    is_header = f"{column} = {literal(key)}"
    # Most ids end with a digit, which no word does: to see that takes a fifth of the rest.
    is_word = f"right({column}, 1) not between '0' and '9'"
    is_total = contract.is_one_of(f"lower(trim({column}, {contract.WHITE_SPACE} || ':.'))", TOTALS)
    is_total = f"({is_word} and {is_total})"
    found = _number(
        connection,
        f"""
        insert into other_lines
        select rowid from delivered where rowid >= {first_row} and ({is_header} or {is_total})
        """,
    )
    if found:
        connection.execute(
            f"""
            insert into unreadable
            select {literal(layout.file.name)}, rowid - {first_row} + 2, to_json(delivered)::varchar, null,
                case when {is_header} then 'line that repeats the header' else 'line of totals' end
            from delivered
            where rowid >= {first_row} and rowid in (select row from other_lines)
            """
        )


def _drop_csv_errors(connection: DuckDBPyConnection) -> None:
    connection.execute("drop table if exists csv_errors; drop table if exists csv_scans")


def _report_unmapped(
    connection: DuckDBPyConnection, names: list[str], types: dict[str, str]
) -> tuple[UnmappedColumn, ...]:
    if not names:
        return ()
    shares = ", ".join(f"coalesce(avg({identifier(FLAG + n)}::integer), 0)" for n in names)
    row = connection.execute(f"select {shares} from delivered").fetchone() or ()
    return tuple(UnmappedColumn(n, types[n], round(float(share), 4)) for n, share in zip(names, row, strict=True))


def _number(connection: DuckDBPyConnection, query: str) -> int:
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0
