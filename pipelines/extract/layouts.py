"""What is in a file: its columns, and the relation that reads them. One function per file type.

Add a file type here: it returns a `Layout`, and puts lines that are no record into table `unreadable`.
What the columns mean is decided in `fields`.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.configuration import FormatConfig
from pipelines.errors import SourceError
from pipelines.extract.files import DeliveredFile
from pipelines.warehouse import literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

DELIMITERS = (";", ",", "\t", "|")
HEADER_BYTES = 1 << 20
NEAR_THE_TOP = 20  # lines: the header is one of them
MOSTLY_ALIKE = 0.8
# Never part of valid JSON text, so that a whole line is one field.
NO_DELIMITER = "chr(1)"
MAX_LINE_BYTES = 16 << 20
# The line in which Excel says the delimiter, in front of the header.
SAID_DELIMITER = re.compile(r"sep=(.)\r?\n")
# A header cell that is a number, a date or an e-mail address is a value: the file has no header.
LOOKS_LIKE_DATA = re.compile(r"[\d.,/:\- ]*\d[\d.,/:\- ]*|[^@\s]+@[^@\s]+\.[^@\s]+")


@dataclass(frozen=True)
class Layout:
    """One readable file: `columns` by name with DuckDB's type, in file order; `relation` reads exactly these."""

    file: DeliveredFile
    columns: dict[str, str]
    relation: str
    stated: str
    delimiter: str = ","


def create_unreadable(connection: DuckDBPyConnection) -> None:
    """Make the empty tables of lines that are no record, and of records that must not count as absent.

    `unreadable(file, line, text, source_record_id, value_class)`, one row per line; the key is null when unknown.
    `protected(source_record_id)`, one row per record that other rejects may belong to.
    """
    connection.execute("create or replace temp table protected (source_record_id text)")
    connection.execute(
        "create or replace temp table unreadable "
        "(file text, line bigint, text text, source_record_id text, value_class text)"
    )


def read_csv_layout(
    file: DeliveredFile, readable: Path, encoding: str, form: FormatConfig, expected: Collection[str], where: str
) -> Layout:
    """The layout of a CSV file; without a configured delimiter the one that shows most expected columns is used.

    Raises:
        SourceError: when the first line is no header, or names a mapped column twice.
    """
    quote = form.quote or '"'
    with readable.open(encoding="utf-8-sig", newline="") as stream:
        head = stream.read(HEADER_BYTES)
    said = SAID_DELIMITER.match(head)
    head = head[said.end() :] if said else head
    above = _count_lines_above(head, said[1] if said else form.delimiter, quote, expected)
    head = "".join(head.splitlines(keepends=True)[above:])
    if said and not form.delimiter:
        delimiter = said[1]
    elif form.delimiter:
        delimiter = form.delimiter
    else:
        headers = {d: _first_record(head, d, quote) for d in DELIMITERS}
        delimiter = max(
            DELIMITERS, key=lambda d: (len(set(expected) & set(headers[d])), len(headers[d]), -DELIMITERS.index(d))
        )
    header = _first_record(head, delimiter, quote)
    if any(LOOKS_LIKE_DATA.fullmatch(cell) for cell in header) and not set(expected) & set(header):
        raise SourceError(
            f"{where}: the first line of {file.name} holds data instead of column names; "
            f"have it delivered with a header."
        )
    names = distinct_names(header, expected, file, where)
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names)
    relation = (
        f"read_csv({literal(readable)}, auto_detect = false, header = true, delim = {literal(delimiter)}, "
        f"quote = {literal(quote)}, escape = {literal(quote)}, columns = {{{columns}}}, skip = {above + bool(said)}, "
        f"max_line_size = {MAX_LINE_BYTES}, "
        "store_rejects = true, rejects_table = 'csv_errors', rejects_scan = 'csv_scans')"
    )
    shown = {"\t": "tab"}.get(delimiter, delimiter)
    stated = f"csv, delimiter {shown}, quote {quote}, encoding {encoding}"
    stated += f", header in line {above + bool(said) + 1}" if above else ""
    return Layout(file, dict.fromkeys(names, "VARCHAR"), relation, stated, delimiter)


def collect_csv_errors(
    connection: DuckDBPyConnection, layout: Layout, form: FormatConfig, key: tuple[str, ...], row_count: int, where: str
) -> None:
    """Move the lines that the reader refused into `unreadable`, with their key where it can be read.

    Raises:
        SourceError: when most lines are no record: then the delimiter or the quote is wrong, not the line; or when a
            quote that is never closed takes the lines behind it for its own.
    """
    errors = connection.execute(
        "select line, any_value(csv_line), any_value(error_type::text) from csv_errors group by line order by line"
    ).fetchall()
    connection.execute("drop table csv_errors; drop table csv_scans")
    if not errors:
        return
    if len(errors) > row_count:
        raise SourceError(
            f"{where}: {len(errors)} of {len(errors) + row_count} lines of {layout.file.name} do not have the "
            f"{len(layout.columns)} columns of its header ({layout.stated}); correct delimiter and quote in "
            f"`format`, or have it delivered again, without lines above the header."
        )
    classes = {
        "MISSING COLUMNS": "line with too few columns",
        "TOO MANY COLUMNS": "line with too many columns",
        "UNQUOTED VALUE": "line with an open quote",
    }
    positions = [list(layout.columns).index(k) for k in key]
    rows = []
    for line, text, error in errors:
        cells = _first_record((text or "").lstrip("\r\n"), layout.delimiter, form.quote or '"')
        _assert_quote_is_closed(layout, line, text or "", error, where)
        found = [cells[p] if p < len(cells) else "" for p in positions]
        record_id = found[0] if len(found) == 1 and found[0] else None
        rows.append((layout.file.name, line, text, record_id, classes.get(error, "line that is no record")))
    connection.executemany("insert into unreadable values (?, ?, ?, ?, ?)", rows)


def _assert_quote_is_closed(layout: Layout, line: int, text: str, error: str, where: str) -> None:
    lost = text.strip("\r\n").count("\n")
    if error == "UNQUOTED VALUE" and lost:
        raise SourceError(
            f"{where}: a quote that opens in line {line} of {layout.file.name} is never closed, so the {lost} lines "
            f"behind it would be lost; nothing was changed. Have it delivered with every quote closed or doubled, or "
            f"set `format.quote` in sources.yml to a sign that the file does not use."
        )


def is_readable(connection: DuckDBPyConnection, layout: Layout) -> bool:
    """Whether the engine's reader finds its way through the whole file; single lines may still be no record."""
    import duckdb

    try:
        connection.execute(f"select count(*) from {layout.relation}")
    except duckdb.InvalidInputException:
        return False
    finally:
        connection.execute("drop table if exists csv_errors; drop table if exists csv_scans")
    return True


def read_jsonl_layout(
    connection: DuckDBPyConnection, file: DeliveredFile, readable: Path, encoding: str, number: int, where: str
) -> Layout:
    """The layout of a file with one JSON object per line: every key of any line, as text; nested ones as JSON text.

    Raises:
        SourceError: when most lines are no JSON object.
    """
    table = f"json_lines_{number}"
    connection.execute(
        f"""
        create or replace temp table {table} as
        select text
        from read_csv({literal(readable)}, auto_detect = false, header = false, delim = {NO_DELIMITER}, quote = '',
            escape = '', columns = {{'text': 'VARCHAR'}}, max_line_size = {MAX_LINE_BYTES})
        where prefix(text, '{{') or trim(text) <> ''
        """
    )
    # Most lines of a file have the same keys in the same order; NULL is a line that is no object.
    forms = connection.execute(
        f"""
        select keys, min(line), count(*)
        from (
            select rowid + 1 as line,
                case when prefix(ltrim(text, ' ' || chr(9)), '{{') then try(json_keys(text)) end as keys
            from {table}
        )
        group by keys
        """
    ).fetchall()
    total = sum(count for _, _, count in forms)
    bad = sum(count for keys, _, count in forms if keys is None)
    first = connection.execute(f"select trim(text) from {table} limit 1").fetchone()
    is_array = first is not None and first[0].startswith("[")
    if bad * 2 > total:
        if is_array:
            raise SourceError(
                f"{where}: {file.name} is one JSON array; deliver one object per line, which `jq -c '.[]'` makes of it."
            )
        raise SourceError(
            f"{where}: {bad} of {total} lines of {file.name} are no JSON object; deliver one object per line, "
            f"or set `format.type`."
        )
    if bad:
        broken = "coalesce(json_type(case when json_valid(text) then text end), '') <> 'OBJECT'"
        connection.execute(
            f"insert into unreadable select {literal(file.name)}, rowid + 1, text, null, 'line that is no JSON object' "
            f"from {table} where {broken}"
        )
        connection.execute(f"delete from {table} where {broken}")
    first_line: dict[str, int] = {}
    for keys, line, _ in forms:
        for key in keys or ():
            first_line[key] = min(line, first_line.get(key, line))
    keys = sorted(first_line, key=lambda key: (first_line[key], key))
    twins = {k.lower(): k for k in keys}
    if len(twins) < len(keys):
        twin = next(k for k in keys if twins[k.lower()] != k)
        raise SourceError(
            f"{where}: {file.name} has two fields named '{twin}' that differ in upper and lower case only; "
            f"rename one of them at the source."
        )
    structure = literal(json.dumps(dict.fromkeys(keys, "VARCHAR"), ensure_ascii=False))
    relation = f"(select unnest(json_transform(text, {structure})) from {table})" if keys else table
    return Layout(file, dict.fromkeys(keys, "VARCHAR"), relation, f"jsonl, encoding {encoding}")


def read_parquet_layout(connection: DuckDBPyConnection, file: DeliveredFile, where: str) -> Layout:
    """The layout of a Parquet file, with its own types.

    Raises:
        SourceError: when it is no Parquet file.
    """
    import duckdb

    relation = f"read_parquet({literal(file.path)})"
    try:
        rows = connection.execute(f"describe select * from {relation}").fetchall()
    except duckdb.Error:
        raise SourceError(
            f"{where}: {file.name} is no readable Parquet file; have it delivered again, or set `format.type`."
        ) from None
    return Layout(file, {name: kind for name, kind, *_ in rows}, relation, "parquet")


def _count_lines_above(head: str, delimiter: str | None, quote: str, expected: Collection[str]) -> int:
    """How many lines of a title stand above the header: narrower ones, above lines that nearly all are alike."""
    lines = head.splitlines(keepends=True)[:NEAR_THE_TOP]
    for sign in [delimiter] if delimiter else DELIMITERS:
        rows = [_first_record(line, sign, quote) for line in lines]
        widths = [sum(cell != "" for cell in row) for row in rows]
        width = max(widths, default=0)
        above = next((index for index, filled in enumerate(widths) if filled == width), 0)
        header, below = rows[above] if rows else [], rows[above + 1 :]
        is_header = width > 1 and not any(LOOKS_LIKE_DATA.fullmatch(cell) for cell in header)
        are_titles = all(2 * sum(cell != "" for cell in row) <= width or len(row) < len(header) for row in rows[:above])
        alike = sum(len(row) == len(header) for row in below)
        is_known = not expected or set(expected) & set(header)
        if is_header and is_known and are_titles and alike and alike >= MOSTLY_ALIKE * len(below):
            return above
    return 0


def _first_record(text: str, delimiter: str, quote: str) -> list[str]:
    csv.field_size_limit(MAX_LINE_BYTES)
    try:
        record = next(csv.reader(text.splitlines(keepends=True), delimiter=delimiter, quotechar=quote), [])
    except csv.Error:
        record = []
    return [cell.strip() for cell in record]


def distinct_names(header: list[str], expected: Collection[str], file: DeliveredFile, where: str) -> list[str]:
    """Header names made distinct for the engine, which does not tell upper from lower case."""
    names: list[str] = []
    taken: set[str] = set()
    for position, cell in enumerate(header, start=1):
        name = cell or f"column_{position}"
        if name.lower() in taken:
            if name in expected:
                raise SourceError(
                    f"{where}: {file.name} has the column '{name}' twice; which one is meant cannot be decided. "
                    f"Rename one of them at the source."
                )
            name = f"{name} ({position})"
        taken.add(name.lower())
        names.append(name)
    return names
