"""Pairs of records that people should decide about: shown, handed out as a sheet, and read back as overrides.

Add here what somebody who decides must see, or a form of the sheet. Which pairs are asked about is decided in
`resolve`, and what a decision does in `overrides`. Sheets are personal: only who may read the restricted file can make
one.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from pipelines.errors import BuildError, ConfigurationError
from pipelines.files import write_atomically
from pipelines.overrides import Kind, NewDecision, RecordName, append_decisions, read_overrides
from pipelines.publish import open_files

if TYPE_CHECKING:
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from pipelines.settings import Settings

KINDS = {"same": Kind.MUST_LINK, "different": Kind.CANNOT_LINK, "unsure": None}
OF_COMPANIES = ("company", "vat_id", "website")
SHOWN = (
    "first_name",
    "last_name",
    "birth_date",
    "email",
    "phone",
    "street",
    "house_number",
    "postal_code",
    "city",
    *OF_COMPANIES,
)
# What is filled in, and what a row is recognized by: a key that no spreadsheet rewrites as it does with 0012.
DECISION, AUTHOR, REASON, PAIR = "decision", "author", "why", "pair"
HEADER = (
    *("rank", "probability", "asked_because"),
    *("a", *(f"a_{name}" for name in SHOWN)),
    *("b", *(f"b_{name}" for name in SHOWN)),
    *(DECISION, AUTHOR, REASON, PAIR),
)


@dataclass(frozen=True)
class Pair:
    """One pair of the queue; `a` and `b` are the names of its records, the values as cleaned."""

    rank: int
    key_a: str
    key_b: str
    a: RecordName
    b: RecordName
    probability: float | None
    reason: str
    values_a: Mapping[str, str]
    values_b: Mapping[str, str]

    def cells(self) -> list[str | float | int]:
        """One row of the sheet, still undecided."""
        return [
            *(self.rank, "" if self.probability is None else self.probability, self.reason),
            *(_name(self.a), *(self.values_a.get(name, "") for name in SHOWN)),
            *(_name(self.b), *(self.values_b.get(name, "") for name in SHOWN)),
            *("", "", "", f"{self.key_a} {self.key_b}"),
        ]


@dataclass(frozen=True)
class ReviewReport:
    """What was read back: decisions that are new, those that were in the file already, and undecided rows."""

    added_count: int
    known_count: int
    undecided_count: int


def list_pairs(settings: Settings, today: date) -> list[Pair]:
    """The queue of the published version, most worthwhile first, without pairs that somebody decided since.

    Persons come first, then companies that are nearly alike or fit two others.

    Raises:
        BuildError: nothing is published, the version has no queue, or this user may not read the restricted file.
        ConfigurationError: overrides.csv is wrong.
    """
    decided = _decided(settings, today)
    with open_files(settings, "restricted", "warehouse") as connection:
        if not (_has_table(connection, "review_queue") and _has_table(connection, "compared_persons")):
            raise BuildError(
                "The published version has no queue of pairs that this release can show; run `kundenstamm run`."
            )
        rows = connection.execute(_QUEUE).fetchall()
        if _has_table(connection, "refused_account_links"):
            rows += connection.execute(_COMPANIES, [len(rows)]).fetchall()
    pairs = [_read_pair(row) for row in rows]
    return [pair for pair in pairs if frozenset((pair.a, pair.b)) not in decided]


def export_pairs(pairs: Sequence[Pair], file: Path, overrides_file: Path) -> None:
    """Write the sheet, mode 0600: Excel by the ending `.xlsx`, CSV by `.csv`.

    Raises:
        ConfigurationError: another ending, or the file is overrides.csv, whose decisions would be lost.
        OSError: the file cannot be written.
    """
    if file.expanduser().resolve() == overrides_file.resolve():
        raise ConfigurationError(
            [f"{file.name}: this is the file of what was decided, and a sheet would replace it; name another file."]
        )
    rows = [pair.cells() for pair in pairs]
    write_atomically(file, _to_excel(rows) if _is_excel(file) else _to_csv(rows))


def import_decisions(settings: Settings, file: Path, *, author: str | None, today: date) -> ReviewReport:
    """Append what was decided in a sheet to overrides.csv. All or nothing; what is there already is not repeated.

    Args:
        settings: names overrides.csv and the published version.
        file: a sheet of `export_pairs`, filled in.
        author: who decided, for rows that do not say so.
        today: the day of the decisions.

    Raises:
        ConfigurationError: what is wrong with the sheet, one sentence for every row, or with overrides.csv.
    """
    rows = _read_excel(file) if _is_excel(file) else _read_csv(file)
    names = _read_names(settings)
    problems: list[str] = []
    decisions: list[NewDecision] = []
    undecided = 0
    for line, cells in rows:
        told = cells.get(DECISION, "").lower()
        where = f"{file.name}, row {line}"
        if told not in KINDS and told:
            problems.append(
                f"{where}, column {DECISION}: this is no decision; allowed: {', '.join(KINDS)}, or nothing."
            )
            continue
        kind = KINDS.get(told)
        if kind is None:
            undecided += 1
            continue
        who, why = cells.get(AUTHOR, "") or author or "", cells.get(REASON, "")
        if not who:
            problems.append(f"{where}, column {AUTHOR}: it is empty; say who decided, there or with --author.")
        if not why:
            problems.append(f"{where}, column {REASON}: it is empty; say why.")
        records = [names.get(key) for key in cells.get(PAIR, "").split()]
        if len(records) != 2:
            problems.append(f"{where}, column {PAIR}: it names no two records; copy it from the sheet you were given.")
            continue
        if None in records:
            problems.append(
                f"{where}, column {PAIR}: one of its records is not in the published version any more; empty the "
                f"decision of this row."
            )
            continue
        a, b = (record for record in records if record is not None)
        shown = [(cells.get("a", ""), a), (cells.get("b", ""), b)]
        if any(name and _without_zeros(name) != _without_zeros(_name(record)) for name, record in shown):
            problems.append(f"{where}, column {PAIR}: it is the pair of another row; sort whole rows, or export anew.")
            continue
        decisions.append(NewDecision(kind, a, b, who, why, today, f"{where}:"))
    if problems:
        raise ConfigurationError(problems)
    added = append_decisions(settings.overrides_file, decisions)
    return ReviewReport(added, len(decisions) - added, undecided)


def tell_pairs(pairs: Sequence[Pair], total: int) -> Iterator[str]:
    """The queue for the terminal."""
    if not pairs:
        yield "There is nothing to decide."
        return
    for pair in pairs:
        probability = "" if pair.probability is None else f", probability {pair.probability:.3f}"
        yield f"{pair.rank:>4}  {pair.reason.replace('_', ' ')}{probability}"
        for side, values in ((pair.a, pair.values_a), (pair.b, pair.values_b)):
            yield f"      {_name(side)}  {' · '.join(values[name] for name in SHOWN if name in values)}"
    yield f"{len(pairs)} of {total} pairs to decide about. Fill in a sheet: kundenstamm review --export FILE.xlsx"


_PERSONAL = [name for name in SHOWN if name not in OF_COMPANIES]
_QUEUE = f"""
select rank, record_key_a, record_key_b, match_probability, reason,
    a.source_system, a.entity, a.source_record_id, b.source_system, b.entity, b.source_record_id,
    {", ".join(f"ra.{name}::text" for name in _PERSONAL)}, null, null, null,
    {", ".join(f"rb.{name}::text" for name in _PERSONAL)}, null, null, null
from audit.review_queue
join marts.source_record_keys as a on a.record_key = record_key_a
join marts.source_record_keys as b on b.record_key = record_key_b
left join audit.compared_persons as ra on ra.record_key = record_key_a
left join audit.compared_persons as rb on rb.record_key = record_key_b
order by rank, record_key_a, record_key_b
"""


# Plain contradictions are not asked about: two VAT ids, entries or legal forms of the two records themselves.
_COMPANY_VALUES = {"street": "street", "postal_code": "postal_code", "city": "city"} | dict(
    zip(OF_COMPANIES, ("name", "vat_id", "domain"), strict=True)
)
_COMPANIES = f"""
select ? + row_number() over (
        order by match_probability is null, abs(match_probability - 0.75), record_key_a, record_key_b) as rank,
    record_key_a, record_key_b, match_probability, reason,
    a.source_system, 'companies', a.source_record_id, b.source_system, 'companies', b.source_record_id,
    {", ".join(f"a.{_COMPANY_VALUES[n]}::text" if n in _COMPANY_VALUES else "null" for n in SHOWN)},
    {", ".join(f"b.{_COMPANY_VALUES[n]}::text" if n in _COMPANY_VALUES else "null" for n in SHOWN)}
from audit.refused_account_links
join audit.compared_companies as a on a.record_key = record_key_a
join audit.compared_companies as b on b.record_key = record_key_b
where reason in ('too_little', 'ambiguous', 'cluster_disagrees') or starts_with(reason, 'cluster_has_')
order by rank
"""


def _has_table(connection: DuckDBPyConnection, name: str) -> bool:
    query = "select 1 from duckdb_tables() where schema_name = 'audit' and table_name = ?"
    return connection.execute(query, [name]).fetchone() is not None


def _read_pair(row: Sequence[object]) -> Pair:
    rank, key_a, key_b, probability, reason, *rest = row
    names, values = rest[:6], rest[6:]
    sides = [values[: len(SHOWN)], values[len(SHOWN) :]]
    values_a, values_b = ({n: str(v) for n, v in zip(SHOWN, side, strict=True) if v is not None} for side in sides)
    a, b = (RecordName(*(str(part) for part in side)) for side in (names[:3], names[3:]))
    number = None if probability is None else float(str(probability))
    return Pair(int(str(rank)), str(key_a), str(key_b), a, b, number, str(reason), values_a, values_b)


def _read_names(settings: Settings) -> dict[str, RecordName]:
    """Every person and company record of the published version by its key."""
    with open_files(settings, "restricted", "warehouse") as connection:
        rows = connection.execute(
            "select record_key, source_system, entity, source_record_id from marts.source_record_keys "
            "where customer_id is not null"
        ).fetchall()
        if _has_table(connection, "compared_companies"):
            rows += connection.execute(
                "select record_key, source_system, 'companies', source_record_id from audit.compared_companies"
            ).fetchall()
    return {key: RecordName(*name) for key, *name in rows}


def _decided(settings: Settings, today: date) -> set[frozenset[RecordName]]:
    found = read_overrides(settings.overrides_file, None)
    if found.problems:
        raise ConfigurationError(list(found.problems))
    return {frozenset((o.a, o.b)) for o in found.overrides.rows if o.b is not None and o.holds_on(today)}


def _name(record: RecordName) -> str:
    return f"{record.source}:{record.entity}:{record.record}"


def _without_zeros(name: str) -> str:
    """As a spreadsheet may have rewritten it."""
    return re.sub(r"(?<![0-9])0+(?=[0-9])", "", name.strip())


def _is_excel(file: Path) -> bool:
    if file.suffix.lower() not in (".xlsx", ".csv"):
        raise ConfigurationError([f"{file.name}: the ending says what it is; allowed: .xlsx, .csv."])
    return file.suffix.lower() == ".xlsx"


def _to_csv(rows: Sequence[Sequence[str | float | int]]) -> bytes:
    """UTF-8 with its mark, as Excel needs it."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(HEADER)
    writer.writerows([_as_text(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def _as_text(cell: str | float | int) -> str | float | int:
    """What a spreadsheet would take for a formula is marked as text."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in {"=", "+", "-", "@", "\t", "\r"} else cell


def _to_excel(rows: Sequence[Sequence[str | float | int]]) -> bytes:
    from openpyxl import Workbook
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    book = Workbook()
    sheet = book.worksheets[0]
    sheet.freeze_panes = "A2"
    sheet.append(HEADER)
    for line, row in enumerate(rows, start=2):
        for position, value in enumerate(row, start=1):
            text = ILLEGAL_CHARACTERS_RE.sub("", value) if isinstance(value, str) else value
            if text != "":
                cell = sheet.cell(line, position, text)
                cell.data_type = "s" if isinstance(text, str) else "n"  # never a formula
    allowed = DataValidation("list", formula1=f'"{",".join(KINDS)}"', allow_blank=True)
    column = get_column_letter(HEADER.index(DECISION) + 1)
    allowed.add(f"{column}2:{column}{len(rows) + 1}")
    sheet.add_data_validation(allowed)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _read_csv(file: Path) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigurationError([f"{file.name}: it is not UTF-8; save it as 'CSV UTF-8'."]) from None
    first = text.split("\n", 1)[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    return _read_rows(file, csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


def _read_excel(file: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of the first sheet; the reader is the one of delivered workbooks, whose errors are all of one kind."""
    import python_calamine as calamine

    try:
        with file.open("rb") as stream, calamine.load_workbook(stream) as book:
            rows = book.get_sheet_by_index(0).to_python(skip_empty_area=False)
    except calamine.PasswordError:
        raise ConfigurationError([f"{file.name}: it is protected by a password; save it without."]) from None
    except calamine.CalamineError:
        raise ConfigurationError([f"{file.name}: this is no Excel file; save it as .xlsx or .csv."]) from None
    return _read_rows(file, iter([[_cell_text(cell) for cell in row] for row in rows]))


def _cell_text(cell: object) -> str:
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


def _read_rows(file: Path, rows: Iterator[list[str]]) -> Iterator[tuple[int, dict[str, str]]]:
    """Every filled row by the names of the columns, which may stand in any order."""
    header = [cell.strip().lower() for cell in next(rows, [])]
    if missing := [name for name in (DECISION, AUTHOR, REASON, PAIR) if header.count(name) != 1]:
        raise ConfigurationError(
            [f"{file.name}: the columns {', '.join(missing)} must be there once each; export a sheet anew."]
        )
    for line, row in enumerate(rows, start=2):
        cells = [cell.strip().removeprefix("'") for cell in row]
        if any(cells):
            yield line, dict(zip(header, cells, strict=False))
