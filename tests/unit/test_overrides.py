"""`overrides.csv`: every mistake is told with its place and without its value; what is right becomes a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime

import pytest
from duckdb import DuckDBPyConnection

from pipelines.build import open_build
from pipelines.configuration import Configuration, load_configuration
from pipelines.errors import ConfigurationError
from pipelines.keys import record_key, use_secret
from pipelines.overrides import COLUMNS, PINNABLE, Overrides, write_overrides
from pipelines.settings import Settings
from pipelines.transform import load_manifest
from pipelines.warehouse import connect, literal

AS_OF = datetime.fromisoformat("2026-06-30 12:00")

LINK = {
    "kind": "must-link",
    "a_source": "crm",
    "a_entity": "contacts",
    "a_record": "K-1",
    "b_source": "shop",
    "b_entity": "customers",
    "b_record": "0042",
    "author": "Kim",
    "reason": "was on the phone",
    "date": "2026-06-01",
}
PIN = {column: text for column, text in LINK.items() if not column.startswith("b_")} | {
    "kind": "pin-value",
    "field": "first_name",
    "value": "Zsófia",
}
SECRET = "Zsigmondy"


def write(settings: Settings, *rows: dict[str, str], delimiter: str = ",", encoding: str = "utf-8") -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    settings.overrides_file.write_bytes(text.getvalue().encode(encoding))


def read(settings: Settings) -> Overrides:
    return load_configuration(settings).overrides


def problems_of(settings: Settings) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load_configuration(settings)
    return caught.value.sentences


@pytest.fixture
def connection(settings: Settings) -> Iterator[DuckDBPyConnection]:
    with connect(None, settings) as connection:
        use_secret(connection, settings)
        connection.execute("create schema config")
        yield connection


def test_without_the_file_nothing_is_decided(settings: Settings) -> None:
    assert read(settings) == Overrides()


@pytest.mark.parametrize(("delimiter", "encoding"), [(",", "utf-8"), (";", "utf-8-sig")], ids=["plain", "spreadsheet"])
def test_a_right_file_is_read_as_it_is(settings: Settings, delimiter: str, encoding: str) -> None:
    write(settings, LINK, PIN | {"date": "1.6.2026", "expires": "31.12.2026"}, delimiter=delimiter, encoding=encoding)
    link, pin = read(settings).rows
    assert (link.line, link.kind, link.a.record, link.b and link.b.record) == (2, "must-link", "K-1", "0042")
    assert (pin.line, pin.field, pin.value, pin.b) == (3, "first_name", "Zsófia", None)
    assert (pin.decided_on, pin.expires_on) == (date(2026, 6, 1), date(2026, 12, 31))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"kind": SECRET}, "line 2, column kind: this is no kind of decision; allowed: must-link, cannot-link, "),
        ({"a_source": SECRET}, "line 2, column a_source: this is no source of sources.yml; allowed: "),
        ({"b_entity": "tickets"}, "line 2, column b_entity: this is no entity of that source with persons or comp"),
        ({"a_record": ""}, "line 2, column a_record: it is empty; say the id of the record at its source."),
        ({"a_entity": "companies"}, "line 2, column b_entity: one record is a company and the other a person"),
        (
            {"b_source": "crm", "b_entity": "contacts", "b_record": "K-1"},
            "line 2, column b_record: it is the same record as a; name two.",
        ),
        ({"value": SECRET}, "line 2, column value: must-link has no use for it; leave it empty."),
        ({"author": ""}, "line 2, column author: it is empty; say who decided it."),
        ({"date": SECRET}, "line 2, column date: this is no date; write it like 2026-01-31."),
        ({"date": "31.02.2026"}, "line 2, column date: this is no date; write it like 2026-01-31."),
        ({"expires": "2026-05-31"}, "line 2, column expires: it lies before the date of the decision."),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_a_wrong_link_is_told_with_its_place_and_without_its_value(
    settings: Settings, change: dict[str, str], expected: str
) -> None:
    write(settings, LINK | change)
    [problem] = problems_of(settings)
    assert problem.startswith(f"overrides.csv, {expected}")
    assert SECRET not in problem


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"field": SECRET}, "line 2, column field: this is no field that pin-value can be about; allowed: salutation"),
        ({"value": ""}, "line 2, column value: it is empty; say which value holds."),
        ({"b_record": "1"}, "line 2, column b_record: pin-value has no use for it; leave it empty."),
        ({"a_entity": "companies"}, "line 2, column a_entity: this is no entity of that source"),
        ({"field": "birth_date"}, "line 2, column value: this is no date; write it like 2026-01-31."),
        ({"field": "country", "value": SECRET}, "line 2, column value: this cannot be the country; write"),
        ({"field": "email", "value": SECRET}, "line 2, column value: this cannot be the email; write"),
        ({"field": "mobile", "value": "0171 234567"}, "line 2, column value: this cannot be the mobile; write"),
        ({"kind": "reject-correction", "field": "is_test"}, None),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_a_wrong_value_is_told_with_its_place(settings: Settings, change: dict[str, str], expected: str | None) -> None:
    write(settings, PIN | change)
    if expected is None:
        assert len(read(settings).rows) == 1
    else:
        [problem] = problems_of(settings)
        assert problem.startswith(f"overrides.csv, {expected}")


def test_all_mistakes_are_told_at_once_by_the_line_they_begin_in(settings: Settings) -> None:
    write(settings, LINK | {"reason": "on two\nlines"}, {}, LINK | {"author": "", "kind": "cannot-link", "date": "x"})
    assert [problem.split(":")[0] for problem in problems_of(settings)] == [
        "overrides.csv, line 5, column author",
        "overrides.csv, line 5, column date",
    ]


@pytest.mark.parametrize(
    ("first", "second", "is_refused"),
    [
        ({}, {}, True),
        ({}, {"date": "2026-08-01"}, True),
        ({"expires": "2026-07-31"}, {}, False),
        ({}, {"a_record": "K-2"}, False),
    ],
    ids=["at once", "later on", "one of them expires", "another pair"],
)
def test_two_lines_that_say_the_opposite_are_told_before_anything_runs(
    settings: Settings, first: dict[str, str], second: dict[str, str], is_refused: bool
) -> None:
    turned = {
        f"{new}_{part}": LINK[f"{old}_{part}"] for part in ("source", "entity", "record") for new, old in ("ab", "ba")
    }
    same = {} if "a_record" in second else turned
    write(settings, LINK | first, LINK | same | {"kind": "cannot-link"} | second)
    if not is_refused:
        assert len(read(settings).rows) == 2
        return
    [problem] = problems_of(settings)
    assert problem.startswith("overrides.csv, line 3: it says the opposite of line 2 about the same two records;")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"kind;author\n", "overrides.csv, line 1: the column a_source is missing; add it."),
        (",".join([*COLUMNS, "note"]).encode(), "overrides.csv, line 1: column number 14 has a name that is not known"),
        (",".join([*COLUMNS, "kind"]).encode(), "overrides.csv, line 1: the column kind is there twice"),
        (f"{','.join(COLUMNS)}\n{',' * 15}x\n".encode(), "overrides.csv, line 2: it has more cells"),
        (b'"kind', "overrides.csv, line 1: a quotation mark is not closed"),
        ("reason\nfür".encode("cp1252"), "overrides.csv: it is not UTF-8; save it as 'CSV UTF-8'."),
    ],
    ids=["missing column", "unknown column", "column twice", "too many cells", "open quotation", "not UTF-8"],
)
def test_a_file_of_the_wrong_form_is_told(settings: Settings, content: bytes, expected: str) -> None:
    settings.data_dir.mkdir(parents=True)
    settings.overrides_file.write_bytes(content)
    assert any(problem.startswith(expected) for problem in problems_of(settings))


def test_the_table_names_records_by_key_and_says_what_is_active(
    settings: Settings, connection: DuckDBPyConnection
) -> None:
    write(
        settings,
        LINK,
        LINK | {"kind": "cannot-link", "expires": "2026-06-29"},
        PIN | {"date": "2026-06-03", "expires": "2026-06-30"},
        PIN | {"value": "Sofie"},
    )
    write_overrides(connection, read(settings), AS_OF, "Europe/Berlin")
    rows = connection.execute(
        "select line, kind, a_record_key, b_record_key, field, value, is_active from config.overrides order by line"
    ).fetchall()
    [(a, b)] = connection.execute(
        f"select {record_key(*map(literal, ('crm', 'contacts', 'K-1')))}, "
        f"{record_key(*map(literal, ('shop', 'customers', '0042')))}"
    ).fetchall()
    assert rows == [
        (2, "must-link", a, b, None, None, True),
        (3, "cannot-link", a, b, None, None, False),
        (4, "pin-value", a, None, "first_name", "Zsófia", True),
        (5, "pin-value", a, None, "first_name", "Sofie", False),  # decided earlier than the other
    ]


def test_a_decision_holds_to_the_end_of_its_last_day_where_the_company_is(
    settings: Settings, connection: DuckDBPyConnection
) -> None:
    write(settings, LINK | {"expires": "2026-06-30"})
    late = datetime.fromisoformat("2026-06-30 22:30")
    for zone, is_active in (("Europe/Berlin", False), ("UTC", True)):
        write_overrides(connection, read(settings), late, zone)
        assert connection.execute("select is_active from config.overrides").fetchall() == [(is_active,)]


def test_a_build_holds_the_decisions_and_another_file_asks_for_another_build(
    settings: Settings, configuration: Configuration
) -> None:
    write(settings, LINK)
    decided = load_configuration(settings)
    assert decided.digest != configuration.digest
    assert SECRET not in str(decided.as_dict())
    assert "K-1" not in str(decided.as_dict())
    assert replace(decided, overrides=Overrides()).digest == configuration.digest
    open_build(settings, decided, build_id="r", as_of=AS_OF, now=AS_OF)
    with connect(settings.build_warehouse, settings, read_only=True) as connection:
        assert connection.execute("select count(*) from config.overrides").fetchall() == [(1,)]


def test_what_can_be_pinned_is_what_a_profile_holds() -> None:
    profile = load_manifest()["nodes"]["model.kundenstamm.customer_profiles"]["columns"]
    assert set(PINNABLE) == set(profile) - {"customer_id", "company_record_key"}
