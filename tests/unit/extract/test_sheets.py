"""Workbooks: a sheet lands what the same table as CSV lands, and which sheet is meant is never guessed."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape

import pytest

from pipelines.errors import SourceError
from tests.unit.extract.conftest import Source

MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
DAY_ZERO = datetime.fromisoformat("1899-12-30")
DATE_STYLE, MOMENT_STYLE = 1, 2


def at(moment: str) -> datetime:
    return datetime.fromisoformat(moment)


def write_workbook(sheets: Mapping[str, Sequence[Sequence[Any]]]) -> bytes:
    """The smallest workbook that a spreadsheet program opens: texts, numbers, truth values, dates and moments."""
    names = list(sheets)
    ids = range(1, len(names) + 1)
    entries = "".join(f'<sheet name="{n}" sheetId="{i}" r:id="r{i}"/>' for i, n in zip(ids, names, strict=True))
    targets = [(f"r{i}", "worksheet", f"worksheets/sheet{i}.xml") for i in ids] + [("r0", "styles", "styles.xml")]
    links = "".join(f'<Relationship Id="{i}" Type="{RELATIONS}/{k}" Target="{t}"/>' for i, k, t in targets)
    root = f'<Relationship Id="r1" Type="{RELATIONS}/officeDocument" Target="xl/workbook.xml"/>'
    styles = "".join(f'<xf numFmtId="{number}" applyNumberFormat="1"/>' for number in (0, 14, 22))
    files = {
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships">{root}</Relationships>',
        "xl/workbook.xml": f'<workbook {MAIN} xmlns:r="{RELATIONS}"><sheets>{entries}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">{links}</Relationships>',
        "xl/styles.xml": f"<styleSheet {MAIN}><cellXfs>{styles}</cellXfs></styleSheet>",
    }
    for number, rows in zip(ids, sheets.values(), strict=True):
        lines = "".join(
            f"<row>{''.join(_cell(f'{chr(65 + at)}{line}', v) for at, v in enumerate(row))}</row>"
            for line, row in enumerate(rows, start=1)
        )
        files[f"xl/worksheets/sheet{number}.xml"] = f"<worksheet {MAIN}><sheetData>{lines}</sheetData></worksheet>"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, f'<?xml version="1.0" encoding="UTF-8"?>{text}')
    return buffer.getvalue()


def _cell(place: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return f'<c r="{place}" t="inlineStr"><is><t>{escape(value)}</t></is></c>'
    if isinstance(value, bool):
        return f'<c r="{place}" t="b"><v>{int(value)}</v></c>'
    if isinstance(value, datetime):
        return f'<c r="{place}" s="{MOMENT_STYLE}"><v>{(value - DAY_ZERO).total_seconds() / 86400!r}</v></c>'
    if isinstance(value, date):
        return f'<c r="{place}" s="{DATE_STYLE}"><v>{(value - DAY_ZERO.date()).days}</v></c>'
    return f'<c r="{place}"><v>{value}</v></c>'


HEADER = ("id", "ordered_at", "total_amount", "prices_include_tax", "status", "dunning_level")


@pytest.fixture
def orders(source: Source) -> Source:
    source.entity, source.role, source.file = "orders", "shop", "orders.xlsx"
    source.options = {"format": {"time_zone": "Europe/Berlin"}}
    return source


def landed(orders: Source) -> list[tuple[Any, ...]]:
    return orders.landed(f"select source_record_id, {', '.join(HEADER[1:])} from orders order by 1")


def test_cells_keep_their_types(orders: Source) -> None:
    rows = [
        HEADER,
        (1001, at("2026-07-01 12:30"), 1234.5, True, "paid", 0),
        (1002, at("2026-01-01 00:00"), 0.1, False, None, 2),
        (None,) * 6,
        (1003, None, None, None, "  ", None),
    ]
    orders.write(write_workbook({"Bestellungen": rows}))
    report = orders.load()
    assert landed(orders) == [
        ("1001", at("2026-07-01 10:30"), Decimal("1234.5"), True, "paid", 0),
        ("1002", at("2025-12-31 23:00"), Decimal("0.1"), False, None, 2),
        ("1003", None, None, None, None, None),
    ]
    assert report.detected == {"orders.xlsx": "workbook, sheet Bestellungen"}
    assert orders.load().status == "unchanged"


def test_columns_of_mixed_cells_are_read_as_text(orders: Source) -> None:
    orders.options["format"] |= {"decimal": ",", "dates": "dmy"}
    rows = [
        HEADER,
        ("A1", "31.12.2025 10:00:00", "1.234,50", "ja", 7, 1),
        (1002, at("2026-01-01 08:00"), 2.25, True, "paid", "zwei"),
    ]
    orders.write(write_workbook({"Blatt": rows}))
    report = orders.load()
    assert report.counts.rejected == 1  # no number
    rows[2] = (*rows[2][:5], "2")
    orders.write(write_workbook({"Blatt": rows}))
    orders.load()
    assert landed(orders) == [
        ("1002", at("2026-01-01 07:00"), Decimal("2.25"), True, "paid", 2),
        ("A1", at("2025-12-31 09:00"), Decimal("1234.5"), True, "7", 1),
    ]


def test_of_several_sheets_one_must_be_named(orders: Source) -> None:
    orders.write(write_workbook({"Januar": [HEADER, ("1",)], "Februar": [HEADER, ("2",), ("3",)]}))
    with pytest.raises(SourceError, match=r"has 2 sheets; name the one.*There are Januar, Februar"):
        orders.load()
    orders.options["format"] |= {"sheet": "März"}
    with pytest.raises(SourceError, match=r"has no sheet 'März'.*There are Januar, Februar"):
        orders.load()
    orders.options["format"] |= {"sheet": "Februar"}
    assert orders.load().counts.new == 2


@pytest.mark.parametrize("content", [b"id;status\n1;paid\n", write_workbook({"Blatt": [HEADER]})[:300]])
def test_what_is_no_workbook_lands_nothing(orders: Source, content: bytes) -> None:
    orders.write(content)
    with pytest.raises(SourceError, match="is no workbook that can be read"):
        orders.load()


def test_what_only_looks_like_a_workbook_lands_nothing(orders: Source) -> None:
    orders.file = "orders.ods"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("mimetype", "x")
    orders.write(buffer.getvalue())
    with pytest.raises(SourceError, match="is no workbook that can be read"):
        orders.load()


def test_an_empty_sheet_changes_nothing(orders: Source) -> None:
    orders.write(write_workbook({"Blatt": [(None, None)]}))
    with pytest.raises(SourceError, match=r"the sheet 'Blatt' of orders\.xlsx is empty"):
        orders.load()
    orders.write(write_workbook({"Blatt": [HEADER]}))
    assert orders.load().counts.delivered == 0
