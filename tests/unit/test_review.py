"""Pairs of the queue go out as a sheet and come back as lines of overrides.csv, each once, none half."""

from __future__ import annotations

import csv
import stat
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb
import pytest
from openpyxl import load_workbook

from pipelines.errors import BuildError, ConfigurationError
from pipelines.overrides import Kind, RecordName, read_overrides
from pipelines.review import AUTHOR, DECISION, PAIR, REASON, export_pairs, import_decisions, list_pairs, tell_pairs
from pipelines.settings import Settings

TODAY = date.fromisoformat("2026-11-28")
ANNA, ANNE, BERND = (
    RecordName("crm", "contacts", "0012"),
    RecordName("shop", "customers", "=2+3"),
    RecordName("crm", "contacts", "13"),
)
Decisions = dict[int, tuple[str, str, str]]  # by rank: decision, author, why


@pytest.fixture
def queue(settings: Settings) -> None:
    """A version with two pairs to decide about."""
    settings.current.mkdir(parents=True)
    duckdb.connect(str(settings.current / "warehouse.duckdb")).close()
    with duckdb.connect(str(settings.current / "restricted.duckdb")) as connection:
        connection.execute(
            """
            create schema audit; create schema marts;
            create table marts.source_record_keys as from (values
                ('r_1', 'crm', 'contacts', '0012', 'c_1'), ('r_2', 'shop', 'customers', '=2+3', 'c_2'),
                ('r_3', 'crm', 'contacts', '13', 'c_3'))
                as t (record_key, source_system, entity, source_record_id, customer_id);
            create table audit.compared_persons as
            select 'r_1' as record_key, 'Anna' as first_name, 'Schmidt' as last_name, date '1980-01-02' as birth_date,
                null as email, '+4930123' as phone, null as street, null as house_number, null as postal_code,
                '=1+1' as city;
            create table audit.review_queue as from (values
                ('r_1', 'r_2', 0.62, 0.7, 'grey_zone', 1), ('r_1', 'r_3', 0.55, 0.3, 'grey_zone', 2))
                as t (record_key_a, record_key_b, match_probability, match_weight, reason, rank)
            """
        )


def _add_companies(settings: Settings) -> None:
    """Beside them two pairs of companies, of which one contradicts itself."""
    with duckdb.connect(str(settings.current / "restricted.duckdb")) as connection:
        connection.execute(
            """
            create table audit.refused_account_links as from (values
                ('f_1', 'f_2', 0.8, 'too_little'), ('f_1', 'f_3', 0.99, 'other_vat_id'))
                as t (record_key_a, record_key_b, match_probability, reason);
            create table audit.compared_companies as
            select unnest(['f_1', 'f_2', 'f_3']) as record_key, 'crm' as source_system,
                unnest(['7', '8', '9']) as source_record_id, 'Nagel Bau' as name, 'nagel.de' as domain,
                null as vat_id, 'Seeweg 9' as street, '89073' as postal_code, 'Ulm' as city
            """
        )


def _fill_csv(file: Path, decisions: Decisions) -> None:
    with file.open(encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.DictReader(handle))
    for row in rows:
        row[DECISION], row[AUTHOR], row[REASON] = decisions.get(int(row["rank"]), ("", "", ""))
        row["a"] = row["a"].replace("0012", "12")  # as Excel does with a number
    with file.open("w", encoding="utf-8-sig", newline="") as handle:
        writer = csv.DictWriter(handle, list(rows[0]), delimiter=",")
        writer.writeheader()
        writer.writerows(rows)


def _fill_excel(file: Path, decisions: Decisions) -> None:
    book = load_workbook(file)
    sheet = book.worksheets[0]
    header = [cell.value for cell in sheet[1]]
    for row in sheet.iter_rows(min_row=2):
        for name, value in zip((DECISION, AUTHOR, REASON), decisions.get(row[0].value, ("", "", "")), strict=True):
            row[header.index(name)].value = value
    book.save(file)


FILLED = pytest.mark.parametrize(
    ("name", "fill"), [("s.csv", _fill_csv), ("s.xlsx", _fill_excel)], ids=["CSV", "Excel"]
)


@FILLED
@pytest.mark.usefixtures("queue")
def test_what_is_decided_in_a_sheet_becomes_overrides_once(
    settings: Settings, tmp_path: Path, name: str, fill: Callable[[Path, Decisions], None]
) -> None:
    sheet = tmp_path / name
    export_pairs(list_pairs(settings, TODAY), sheet, settings.overrides_file)
    assert stat.S_IMODE(sheet.stat().st_mode) == 0o600
    fill(sheet, {1: ("same", "Petra", "known by phone"), 2: ("unsure", "", "")})
    first = import_decisions(settings, sheet, author=None, today=TODAY)
    again = import_decisions(settings, sheet, author=None, today=TODAY)
    assert (first.added_count, first.known_count, first.undecided_count) == (1, 0, 1)
    assert (again.added_count, again.known_count, again.undecided_count) == (0, 1, 1)
    read = read_overrides(settings.overrides_file, None)
    assert not read.problems
    [made] = read.overrides.rows
    assert (made.kind, made.a, made.b, made.author, made.reason) == (
        *(Kind.MUST_LINK, ANNA, ANNE, "Petra", "known by phone"),
    )
    assert made.decided_on == TODAY
    assert stat.S_IMODE(settings.overrides_file.stat().st_mode) == 0o600
    assert [pair.b for pair in list_pairs(settings, TODAY)] == [BERND]


@FILLED
@pytest.mark.usefixtures("queue")
def test_a_wrong_sheet_is_told_row_by_row_and_changes_nothing(
    settings: Settings, tmp_path: Path, name: str, fill: Callable[[Path, Decisions], None]
) -> None:
    sheet = tmp_path / name
    export_pairs(list_pairs(settings, TODAY), sheet, settings.overrides_file)
    fill(sheet, {1: ("same", "", ""), 2: ("maybe", "", "")})
    with pytest.raises(ConfigurationError) as caught:
        import_decisions(settings, sheet, author=None, today=TODAY)
    told = "\n".join(caught.value.sentences)
    assert f"{name}, row 2, column author" in told
    assert f"{name}, row 2, column why" in told
    assert f"{name}, row 3, column decision: this is no decision; allowed: same, different, unsure" in told
    assert not settings.overrides_file.exists()


@FILLED
@pytest.mark.usefixtures("queue")
def test_of_a_record_that_is_gone_only_the_row_is_to_be_emptied(
    settings: Settings, tmp_path: Path, name: str, fill: Callable[[Path, Decisions], None]
) -> None:
    sheet = tmp_path / name
    export_pairs(list_pairs(settings, TODAY), sheet, settings.overrides_file)
    with duckdb.connect(str(settings.current / "restricted.duckdb")) as connection:
        connection.execute("delete from marts.source_record_keys where record_key = 'r_3'")
    fill(sheet, {1: ("same", "Petra", "known by phone"), 2: ("different", "Petra", "cousins")})
    with pytest.raises(
        ConfigurationError, match=r"row 3, column pair: .* not in the published version any more; empty"
    ):
        import_decisions(settings, sheet, author=None, today=TODAY)
    fill(sheet, {1: ("same", "Petra", "known by phone"), 2: ("", "", "")})
    assert import_decisions(settings, sheet, author=None, today=TODAY).added_count == 1


@pytest.mark.usefixtures("queue")
def test_a_sheet_in_which_only_some_columns_were_sorted_is_refused(settings: Settings, tmp_path: Path) -> None:
    sheet = tmp_path / "s.csv"
    export_pairs(list_pairs(settings, TODAY), sheet, settings.overrides_file)
    _fill_csv(sheet, {1: ("same", "Petra", "one")})
    with sheet.open(newline="", encoding="utf-8-sig") as opened:
        rows = list(csv.DictReader(opened))
    rows[0][PAIR], rows[1][PAIR] = rows[1][PAIR], rows[0][PAIR]
    with sheet.open("w", newline="", encoding="utf-8-sig") as opened:
        writer = csv.DictWriter(opened, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    with pytest.raises(ConfigurationError, match="the pair of another row"):
        import_decisions(settings, sheet, author=None, today=TODAY)
    assert not settings.overrides_file.exists()


@pytest.mark.usefixtures("queue")
def test_a_decision_that_has_expired_is_asked_and_taken_again(settings: Settings, tmp_path: Path) -> None:
    settings.overrides_file.write_text(
        "kind,a_source,a_entity,a_record,b_source,b_entity,b_record,field,value,author,reason,date,"
        "expires\nmust-link,crm,contacts,13,crm,contacts,0012,,,Karl,one,2025-01-01,2025-06-30\n"
    )
    pairs = list_pairs(settings, TODAY)
    assert len(pairs) == 2
    sheet = tmp_path / "s.csv"
    export_pairs(pairs, sheet, settings.overrides_file)
    _fill_csv(sheet, {2: ("different", "Petra", "brothers")})
    assert import_decisions(settings, sheet, author=None, today=TODAY).added_count == 1


@pytest.mark.usefixtures("queue")
def test_lines_are_appended_in_the_form_of_the_file_and_an_opposite_decision_is_refused(
    settings: Settings, tmp_path: Path
) -> None:
    before = (
        "\ufeffauthor;kind;a_source;a_entity;a_record;b_source;b_entity;b_record;field;value;reason;date;expires\r\n"
        "Karl;cannot-link;crm;contacts;13;crm;contacts;0012;;;brothers;2026-11-01;"
    ).encode()
    sheet = tmp_path / "s.csv"
    export_pairs(list_pairs(settings, TODAY), sheet, settings.overrides_file)
    settings.overrides_file.write_bytes(before)
    _fill_csv(sheet, {1: ("different", "", "two persons"), 2: ("same", "", "one")})
    with pytest.raises(ConfigurationError, match=r"row 3: it says the opposite of line 2 of overrides\.csv"):
        import_decisions(settings, sheet, author="Petra", today=TODAY)
    assert settings.overrides_file.read_bytes() == before
    _fill_csv(sheet, {1: ("different", "", "two persons"), 2: ("different", "", "brothers")})
    report = import_decisions(settings, sheet, author="Petra", today=TODAY)
    assert (report.added_count, report.known_count) == (1, 1)
    after = settings.overrides_file.read_bytes()
    assert after.startswith(before + b"\r\nPetra;cannot-link;crm;contacts;0012;shop;customers;=2+3;")
    assert not read_overrides(settings.overrides_file, None).problems


@pytest.mark.usefixtures("queue")
def test_the_terminal_shows_both_records_and_how_to_go_on(settings: Settings) -> None:
    told = "\n".join(tell_pairs(list_pairs(settings, TODAY)[:1], 2))
    assert "crm:contacts:0012  Anna · Schmidt · 1980-01-02 · +4930123" in told
    assert "1 of 2 pairs" in told


@pytest.mark.usefixtures("queue")
def test_no_value_of_a_sheet_is_a_formula(settings: Settings, tmp_path: Path) -> None:
    for name in ("s.csv", "s.xlsx"):
        export_pairs(list_pairs(settings, TODAY), tmp_path / name, settings.overrides_file)
    assert "'=1+1" in (tmp_path / "s.csv").read_text(encoding="utf-8-sig")
    sheet = load_workbook(tmp_path / "s.xlsx").worksheets[0]
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n"}


def test_a_version_without_a_queue_says_so(settings: Settings) -> None:
    settings.current.mkdir(parents=True)
    for name in ("warehouse", "restricted"):
        duckdb.connect(str(settings.current / f"{name}.duckdb")).close()
    with pytest.raises(BuildError, match="no queue"):
        list_pairs(settings, TODAY)


@pytest.mark.parametrize("part", ["", "xl/worksheets/sheet1.xml", "xl/workbook.xml"], ids=["cut off", "sheet", "book"])
@pytest.mark.usefixtures("queue")
def test_a_broken_workbook_is_a_sentence(part: str, settings: Settings, tmp_path: Path) -> None:
    sheet, broken = tmp_path / "sheet.xlsx", tmp_path / "broken.xlsx"
    export_pairs(list_pairs(settings, TODAY), sheet, settings.overrides_file)
    if part:
        with zipfile.ZipFile(sheet) as whole, zipfile.ZipFile(broken, "w") as halved:
            for name in whole.namelist():
                content = whole.read(name)
                halved.writestr(name, content[: len(content) // 2] if name == part else content)
    else:
        broken.write_bytes(sheet.read_bytes()[:2000])
    with pytest.raises(ConfigurationError, match=r"broken.xlsx: this is no Excel file; save it as .xlsx or .csv"):
        import_decisions(settings, broken, author="A. Brandt", today=TODAY)


@pytest.mark.usefixtures("queue")
def test_a_sheet_never_replaces_what_was_decided(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.overrides_file.parent.mkdir(parents=True, exist_ok=True)
    settings.overrides_file.write_text("kept\n", encoding="utf-8")
    monkeypatch.chdir(settings.data_dir)
    for file in (settings.overrides_file, Path("overrides.csv"), Path("landing/../overrides.csv")):
        with pytest.raises(ConfigurationError, match="a sheet would replace it; name another file"):
            export_pairs([], file, settings.overrides_file)
    assert settings.overrides_file.read_text(encoding="utf-8") == "kept\n"


@pytest.mark.usefixtures("queue")
def test_companies_that_are_nearly_alike_are_asked_about_after_persons(settings: Settings, tmp_path: Path) -> None:
    _add_companies(settings)
    pairs = list_pairs(settings, TODAY)
    assert [(pair.rank, pair.reason) for pair in pairs] == [(1, "grey_zone"), (2, "grey_zone"), (3, "too_little")]
    assert "crm:companies:7  Seeweg 9 · 89073 · Ulm · Nagel Bau · nagel.de" in "\n".join(tell_pairs(pairs, 3))
    file = tmp_path / "sheet.csv"
    export_pairs(pairs, file, settings.overrides_file)
    _fill_csv(file, {3: ("same", "Petra", "asked them")})
    assert import_decisions(settings, file, author=None, today=TODAY).added_count == 1
    (decided,) = read_overrides(settings.overrides_file, None).overrides.rows
    assert decided.kind is Kind.MUST_LINK
    assert {decided.a, decided.b} == {RecordName("crm", "companies", "7"), RecordName("crm", "companies", "8")}
