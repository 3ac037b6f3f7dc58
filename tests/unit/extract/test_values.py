"""How values are read: the same content lands the same rows from every file type, and doubt is refused."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.entities import Type
from pipelines.errors import SourceError
from pipelines.extract import contract
from pipelines.settings import Settings
from pipelines.warehouse import connect
from tests.unit.extract.conftest import Source


def land_orders(source: Source, columns: dict[str, Any], content: str, **form: Any) -> list[tuple[Any, ...]]:
    source.entity, source.role, source.file = "orders", "shop", "orders.csv"
    source.mapping = {"columns": {"source_record_id": "id", **columns}, "format": form}
    source.write(content)
    source.load()
    return source.landed(f"select {', '.join(columns)} from orders order by source_record_id")


def test_every_file_type_lands_the_same_rows(source: Source) -> None:
    query = """
        select * from (values
            (1, 'Größe 42', 1234.5, 3, date '1980-12-31', timestamp '2025-07-01 10:00:00', true, null),
            (2, null, -0.05, null, null, timestamp '2025-01-01 10:30:00', false, 'x')
        ) as t(id, status, total_amount, dunning_level, tag, ordered_at, prices_include_tax, store)
    """
    files = {"csv": "(header)", "parquet": "(format parquet)", "json": "(format json)"}
    with connect(None, _ready(source)) as connection:
        for suffix, options in files.items():
            connection.execute(f"copy ({query}) to '{source.folder}/orders.{suffix}' {options}")
    source.entity, source.role = "orders", "shop"
    source.mapping = {
        "columns": {"source_record_id": "id"},
        "custom": {"day": {"from": "tag", "type": "date", "purpose": "test"}},
        "identifiers": {"store_code": "store"},
    }
    landed = []
    for suffix in files:
        source.file = f"orders.{suffix}"
        source.load()
        landed.append(source.landed("select * exclude (_valid_from, _loaded_at, _run_id) from orders order by 1"))
    assert landed[0] == landed[1] == landed[2]
    assert source.landed("select count(*) from orders_history") == [(0,)], "the same content is no change"
    assert source.landed("select custom, identifiers from orders order by source_record_id") == [
        ('{"day":"1980-12-31"}', None),
        (None, '{"store_code":"x"}'),
    ]


def _ready(source: Source) -> Any:
    source.settings.temp_dir.mkdir(parents=True, exist_ok=True)
    return source.settings


@pytest.mark.parametrize(
    ("written", "utc"),
    [
        ("2025-07-01 10:00:00", "2025-07-01 08:00:00"),
        ("2025-01-01T10:00", "2025-01-01 09:00:00"),
        ("2025-01-01", "2024-12-31 23:00:00"),
        ("2025-07-01T10:00:00Z", "2025-07-01 10:00:00"),
        ("2025-07-01T10:00:00.25+02:00", "2025-07-01 08:00:00.25"),
        ("2025-07-01 10:00-0530", "2025-07-01 15:30:00"),
        ("2025-07-01 10:00:00+02", "2025-07-01 08:00:00"),
        ("1.7.2025 9:05", "2025-07-01 07:05:00"),
        ("20250701", "2025-06-30 22:00:00"),
    ],
)
def test_timestamps_are_utc(source: Source, written: str, utc: str) -> None:
    dates = "ymd" if "." not in written[:3] else "dmy"
    rows = land_orders(source, {"ordered_at": "at"}, f"id;at\n1;{written}\n", time_zone="Europe/Berlin", dates=dates)
    assert str(rows[0][0]) == utc or str(rows[0][0]).rstrip("0") == utc


def test_the_company_time_zone_holds_where_the_format_names_none(source: Source) -> None:
    rows = land_orders(source, {"ordered_at": "at"}, "id;at\n1;2025-07-01 10:00\n")
    assert str(rows[0][0]) == "2025-07-01 08:00:00"


@pytest.mark.parametrize(
    ("dates", "landed", "stated"),
    [
        (["03/04/2025", "13/04/2025"], ["2025-04-03", "2025-04-13"], "dates dmy"),
        (["03/04/2025", "04/13/2025"], ["2025-03-04", "2025-04-13"], "dates mdy"),
        (["2025-04-03", "2025/4/13"], ["2025-04-03", "2025-04-13"], None),
    ],
    ids=["a 13th day first", "a 13th day second", "year first"],
)
def test_the_date_order_is_decided_from_the_whole_column(
    source: Source, dates: list[str], landed: list[str], stated: str | None
) -> None:
    source.write(["id;birth_date", *(f"{n};{d}" for n, d in enumerate(dates))])
    assert source.load().detected.get("birth_date") == stated
    assert source.landed("select birth_date::varchar from contacts order by source_record_id") == [(d,) for d in landed]


def test_a_date_that_could_be_march_or_april_is_refused_by_column(source: Source) -> None:
    source.write("id;birth_date\n1;03/04/2025\n2;05/06/2024\n")
    with pytest.raises(SourceError, match=r"comes first in 'birth_date' cannot be decided.*format\.dates"):
        source.load()


def test_a_column_that_contradicts_itself_is_refused(source: Source) -> None:
    source.write("id;birth_date\n1;13/04/2025\n2;04/13/2025\n")
    with pytest.raises(SourceError, match="cannot be decided"):
        source.load()


@pytest.mark.parametrize(
    ("numbers", "landed"),
    [
        (["1.234", "12,50"], ["1234.0000", "12.5000"]),
        (["1,234", "12.50"], ["1234.0000", "12.5000"]),
        (["1.234,56", "7"], ["1234.5600", "7.0000"]),
        (["7", "-8"], ["7.0000", "-8.0000"]),
        (["1 204,50", "1\N{NARROW NO-BREAK SPACE}000", "12,50-"], ["1204.5000", "1000.0000", "-12.5000"]),
        (["1'204.50", "-7", "1'000'000.00-"], ["1204.5000", "-7.0000", "-1000000.0000"]),
        (["1,5", "-", "n/a"], ["1.5000", "None", "None"]),
    ],
)
def test_the_decimal_mark_is_decided_from_the_column(source: Source, numbers: list[str], landed: list[str]) -> None:
    content = "id;sum\n" + "".join(f"{n};{value}\n" for n, value in enumerate(numbers))
    rows = land_orders(source, {"total_amount": "sum"}, content)
    assert [str(r[0]) for r in rows] == landed


def test_a_number_that_could_be_thousand_or_one_is_refused(source: Source) -> None:
    with pytest.raises(SourceError, match="decimal mark in 'total_amount' cannot be decided"):
        land_orders(source, {"total_amount": "sum"}, "id;sum\n1;1.234\n")


def test_spaces_that_are_not_between_thousands_are_no_number(source: Source) -> None:
    source.entity, source.role, source.file = "orders", "shop", "orders.csv"
    source.mapping["columns"] = {"source_record_id": "id", "total_amount": "sum"}
    source.write("id;sum\n1;12 34\n2;1,50\n3;1 20,00\n4;1 200 1\n")
    assert source.load().counts.rejected == 3


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
def test_the_delimiter_is_the_one_that_shows_the_mapped_columns(source: Source, delimiter: str) -> None:
    source.write([delimiter.join(["id", "last_name, first_name", "city"]), delimiter.join(["1", '"a;b,c|d"', "Ulm"])])
    source.mapping["columns"]["city"] = "city"
    if delimiter == ",":
        source.write('id,"last_name, first_name",city\n1,"a;b,c|d",Ulm\n')
    source.load()
    assert source.landed("select source_record_id, city from contacts") == [("1", "Ulm")]


@pytest.mark.parametrize(
    ("lines", "landed"),
    [
        (["Kontakte", "Stand;01.01.2026", "", "id;town;land", "1;Ulm;DE", "2;Bonn;DE"], [("1", "Ulm"), ("2", "Bonn")]),
        (["Kontakte;;", ";;", "id;town;land", "1;Ulm;DE"], [("1", "Ulm")]),
        (["id;town;land", "Ulm;Ulm;", "x;Bonn;DE"], [("Ulm", "Ulm"), ("x", "Bonn")]),
    ],
    ids=["narrow lines", "lines that a spreadsheet filled up", "no title"],
)
def test_a_title_above_the_header_is_passed_over(
    source: Source, lines: list[str], landed: list[tuple[str, str]]
) -> None:
    source.mapping["columns"] = {"source_record_id": "id", "city": "town"}
    source.write(lines)
    source.load()
    assert source.landed("select source_record_id, city from contacts order by 1") == landed


def test_late_oddities_of_a_csv_file_do_not_change_how_it_is_read(source: Source) -> None:
    lines = [f"{n};{n}" for n in range(30_000)]
    source.write(["id;postal_code", *lines, "x1;01067", '"x;2";"A\n""B"""'])
    assert source.load().counts.new == 30_002
    assert source.landed("select postal_code from contacts where source_record_id in ('x1', 'x;2') order by 1") == [
        ("01067",),
        ('A\n"B"',),
    ]


def test_columns_are_joined_computed_and_defaulted(source: Source) -> None:
    rows = land_orders(
        source,
        {"billing_street": ["street", "no"], "status": {"sql": "case when paid = 'j' then 'paid' end"}},
        "id;street;no;paid\n1;Hauptstr.; 5 ;j\n2;;7;n\n",
    )
    assert rows == [("Hauptstr. 5", "paid"), ("7", None)]
    source.mapping["defaults"] = {"currency": "EUR", "prices_include_tax": True, "status": "open"}
    source.load()
    assert source.landed("select currency, prices_include_tax, status from orders order by source_record_id") == [
        ("EUR", True, "paid"),
        ("EUR", True, "open"),
    ]


def test_nested_json_is_reached_by_an_expression(source: Source) -> None:
    source.file = "contacts.jsonl"
    source.mapping["columns"] |= {"city": {"sql": "address ->> '$.town.name'"}}
    source.write('{"id": 1, "address": {"town": {"name": "Ulm"}}}\n{"id": 2, "note": "a late field"}\n')
    report = source.load()
    assert source.landed("select source_record_id, city from contacts order by 1") == [("1", "Ulm"), ("2", None)]
    assert [c.name for c in report.unmapped] == ["note"]


@pytest.mark.parametrize(
    "sql",
    ["(select 1)", "now()", "random()", "count(*)", "nothere", "1; drop table loads", "row_number() over ()", "lower("],
)
def test_an_expression_is_one_over_the_record_alone(source: Source, sql: str) -> None:
    source.mapping["columns"]["city"] = {"sql": sql}
    source.write("id;town\n1;Ulm\n")
    with pytest.raises(SourceError, match=r"crm\.contacts\.columns\.city: the expression .* columns are id"):
        source.load()


def test_an_expression_that_fails_on_a_value_does_not_show_the_value(source: Source) -> None:
    source.mapping["columns"]["city"] = {"sql": "cast(town as integer)::varchar"}
    source.write("id;town\n1;Geheimstadt\n")
    with pytest.raises(SourceError) as caught:
        source.load()
    assert "Geheim" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_several_files_are_one_delivery_in_the_order_of_their_names(source: Source) -> None:
    source.file = "part-*.csv"
    source.write("id;city\n1;Ulm\n", "part-1.csv")
    source.write("city;id;more\nBonn;1;x\nKiel;2;\n", "part-2.csv")
    counts = source.load().counts
    assert (counts.delivered, counts.new, counts.superseded) == (3, 2, 1)
    assert source.landed("select city from contacts order by source_record_id") == [("Bonn",), ("Kiel",)]


def test_white_space_and_whole_doubles_make_no_difference(source: Source) -> None:
    with connect(None, _ready(source)) as connection:
        connection.execute(f"copy (select 7.0::double as id, ' Ulm\u00a0' as city) to '{source.folder}/c.parquet'")
    source.file = "c.parquet"
    source.load()
    assert source.landed("select source_record_id, city from contacts") == [("7", "Ulm")]


MOMENTS = ("2025-03-30 02:30:00", "2025-10-26T02:30:00Z", "31.12.2025 23:59:59", "12/31/2025 00:00:00", "2025/12/31")


def with_one_slip(text: str) -> set[str]:
    """The text, and everything that it becomes when one letter is lost or another one."""
    others = "0139 -+./:TZ_\t"
    places = range(len(text))
    replaced = {text[:at] + other + text[at + 1 :] for at in places for other in others}
    return {text, *(text[:at] + text[at + 1 :] for at in places), *replaced}


@pytest.mark.parametrize("target", [Type.DATE, Type.TIMESTAMP])
@pytest.mark.parametrize("order", ["ymd", "dmy", "mdy"])
def test_what_is_read_at_once_is_what_the_patterns_read(settings: Settings, order: str, target: Type) -> None:
    conventions = contract.Conventions(decimal=".", dates=order, zone="Europe/Berlin")
    texts = sorted(slipped for text in (*MOMENTS, *(m[:10] for m in MOMENTS)) for slipped in with_one_slip(text))
    with connect(None, settings) as connection:
        found = connection.execute(
            f"""
            with texts as (select unnest($1) as text),
            written as (select text, {contract.iso_text(contract.as_date_text("text"), order)} as iso from texts)
            select text, {contract.convert_usual("text", target, conventions)} as at_once,
                {contract.convert_text("iso", "VARCHAR", target, conventions)} as by_patterns
            from written
            """,
            [texts],
        ).fetchall()
    at_once = [row for row in found if row[1] is not None]
    assert len(at_once) > 50
    assert [text for text, usual, by_patterns in at_once if usual != by_patterns] == []


def test_white_space_is_trimmed_wherever_it_stands(settings: Settings) -> None:
    spaces = ("", " ", "\t", "\n", "\r", "\N{NO-BREAK SPACE}", " \t", "\r\n", "\N{NO-BREAK SPACE} ")
    words = ("", "a", "a b", "Ä", "é\N{NO-BREAK SPACE}é", "~", "!", "\x01", "\N{EM SPACE}x", "🙂")
    texts = [before + word + after for before in spaces for word in words for after in spaces]
    with connect(None, settings) as connection:
        query = f"select text, {contract.as_text('text', 'VARCHAR')} from (select unnest($1) as text)"
        found = connection.execute(query, [texts]).fetchall()
    assert found == [(text, text.strip(" \t\n\r\N{NO-BREAK SPACE}") or None) for text in texts]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("7", 7),
        ("-7", -7),
        ("007", 7),
        ("-0", 0),
        ("7.0", 7),
        ("7.5", None),
        ("1e3", 1000),
        ("1_000", None),
        ("7 8", None),
    ],
)
def test_a_whole_number_is_one_however_it_is_written(settings: Settings, text: str, number: int | None) -> None:
    conventions = contract.Conventions(decimal=".", dates="ymd", zone="UTC")
    with connect(None, settings) as connection:
        query = f"select {contract.convert_text('$1', 'VARCHAR', Type.INTEGER, conventions)}"
        assert connection.execute(query, [text]).fetchone() == (number,)
