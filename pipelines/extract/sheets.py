"""What is in a sheet of a workbook (Excel, OpenDocument): its columns, with a type where all their cells agree in one.

Add here what is peculiar to sheets. How texts are read is the matter of `contract`, as for every other file.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.configuration import FormatConfig
from pipelines.errors import SourceError
from pipelines.extract.files import DeliveredFile
from pipelines.extract.layouts import Layout, distinct_names
from pipelines.warehouse import identifier

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Cells = Sequence[Any]
NEAR_THE_TOP = 20  # rows: the header is one of them


def read_sheet_layout(
    connection: DuckDBPyConnection,
    file: DeliveredFile,
    form: FormatConfig,
    expected: Collection[str],
    number: int,
    where: str,
) -> Layout:
    """The layout of a sheet: `format.sheet`, else the only one that is there. A title above the header is passed over.

    Numbers, dates and truth values keep their type in columns that hold nothing else; elsewhere they are written out.

    Raises:
        SourceError: when the workbook cannot be read, or which sheet is meant cannot be decided.
    """
    import pyarrow as pa

    name, rows = _read_rows(file, form.sheet, where)
    filled = [row for row in rows if any(cell != "" for cell in row)]
    if not filled:
        raise SourceError(
            f"{where}: the sheet '{name}' of {file.name} is empty; not even a header is there, so nothing was changed. "
            f"Have it delivered again, or name another sheet as `format.sheet`."
        )
    filled = filled[_find_header(filled, expected) :]
    names = distinct_names([_write_out(cell, ".") for cell in filled[0]], expected, file, where)
    arrays, types = [], {}
    for column, cells in zip(names, zip(*filled[1:], strict=True) if filled[1:] else [()] * len(names), strict=True):
        types[column], values = _typed(cells, form.decimal or ".")
        arrays.append(pa.array(values, _arrow_type(types[column])))
    table = f"sheet_{number}"
    connection.register("content_of_sheet", pa.table(arrays, names))
    connection.execute(f"create or replace temp table {identifier(table)} as from content_of_sheet")
    connection.unregister("content_of_sheet")
    return Layout(file, types, identifier(table), f"workbook, sheet {name}")


def list_sheets(path: Path) -> list[str]:
    """The sheets of a workbook that are filled; none of what is no workbook that can be read."""
    import python_calamine as calamine

    try:
        with calamine.load_workbook(str(path)) as workbook:
            return [name for name in workbook.sheet_names if workbook.get_sheet_by_name(name).total_height]
    except (calamine.CalamineError, OSError):
        return []


def _find_header(rows: Sequence[Cells], expected: Collection[str]) -> int:
    """The first of the rows, if it has a column that may be used; else the first that is filled half as far as any."""
    near = [[_write_out(cell, ".").strip() for cell in row if cell != ""] for row in rows[:NEAR_THE_TOP]]
    if set(expected) & set(near[0]):
        return 0
    widest = max(map(len, near))
    return next(index for index, cells in enumerate(near) if 2 * len(cells) >= widest and len(cells) >= min(2, widest))


def _read_rows(file: DeliveredFile, wanted: str | None, where: str) -> tuple[str, list[Cells]]:
    import python_calamine as calamine

    try:
        with calamine.load_workbook(str(file.path)) as workbook:
            sheets = workbook.sheet_names
            if not sheets:
                raise calamine.WorksheetNotFound
            if (wanted or sheets[0]) not in sheets or (wanted is None and len(sheets) > 1):
                problem = f"has no sheet '{wanted}'" if wanted else f"has {len(sheets)} sheets"
                raise SourceError(
                    f"{where}: {file.name} {problem}; name the one to read as `format.sheet` in sources.yml. "
                    f"There are {', '.join(sheets)}."
                )
            name = wanted or sheets[0]
            return name, list(workbook.get_sheet_by_name(name).to_python(skip_empty_area=False))
    except calamine.PasswordError:
        problem = "is protected by a password; deliver it without"
    except (calamine.CalamineError, OSError):
        problem = "is no workbook that can be read; have it delivered again, or set `format.type`"
    raise SourceError(f"{where}: {file.name} {problem}.") from None


def _typed(cells: Cells, mark: str) -> tuple[str, list[Any]]:
    """DuckDB's type of a column and its values; None where a cell is empty."""
    kinds = {_kind(cell) for cell in cells if cell != ""}
    if kinds == {"DATE", "TIMESTAMP"}:  # a moment at midnight is read as a date
        return "TIMESTAMP", [_at_midnight(cell) if type(cell) is date else cell or None for cell in cells]
    kind = kinds.pop() if len(kinds) == 1 else "VARCHAR"
    if kind == "VARCHAR":
        return kind, [None if cell == "" else _write_out(cell, mark) for cell in cells]
    return kind, [None if cell == "" else cell for cell in cells]


def _at_midnight(day: date) -> datetime:
    return datetime.combine(day, time.min)


def _kind(cell: Any) -> str:
    if isinstance(cell, bool):
        return "BOOLEAN"
    if isinstance(cell, int | float):
        return "DOUBLE"
    return {datetime: "TIMESTAMP", date: "DATE"}.get(type(cell), "VARCHAR")


def _arrow_type(kind: str) -> Any:
    import pyarrow as pa

    types = {"BOOLEAN": pa.bool_(), "DOUBLE": pa.float64(), "TIMESTAMP": pa.timestamp("us"), "DATE": pa.date32()}
    return types.get(kind, pa.string())


def _write_out(cell: Any, mark: str) -> str:
    """A cell as text: whole numbers without point, dates and times as in ISO 8601."""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell).replace(".", mark)
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ")
    if isinstance(cell, date | time):
        return cell.isoformat()
    return str(cell)
