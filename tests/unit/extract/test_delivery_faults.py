"""What a delivery may get wrong: each fault is a sentence or a reject, and what was landed stays."""

from __future__ import annotations

import io
import json
import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.errors import SourceError
from pipelines.warehouse import connect
from tests.unit.extract.conftest import Source

GOOD = "id;last_name;birth_date\n1;Maier;31.12.1980\n2;Weiß;01.02.1975\n"


def refuse(source: Source, **options: object) -> str:
    with pytest.raises(SourceError) as caught:
        source.load(**options)
    return str(caught.value)


def test_a_missing_file_is_named(source: Source) -> None:
    assert "there is no file contacts.csv" in refuse(source)


def test_a_missing_folder_is_named(source: Source) -> None:
    source.folder.rmdir()
    assert "there is no file contacts.csv" in refuse(source)


def test_an_empty_file_changes_nothing(source: Source) -> None:
    source.write(GOOD)
    source.load()
    source.write("")
    assert "contacts.csv is empty (0 bytes)" in refuse(source)
    assert source.landed("select count(*) from contacts where _absent_since is null") == [(2,)]


def test_a_header_without_rows_is_no_deletion_of_everybody(source: Source) -> None:
    source.write(GOOD)
    source.load()
    source.write("id;last_name;birth_date\n")
    sentence = refuse(source, changes={"max_shrink": 1.0})
    assert "holds no record, but 2 are landed" in sentence
    assert source.load(approved_shrink="the CRM was emptied on purpose").counts.deleted == 2


def test_a_header_without_rows_is_fine_while_nothing_is_landed(source: Source) -> None:
    source.write("id;last_name;birth_date\n")
    assert source.load().counts.delivered == 0


def test_a_wrong_delimiter_is_seen_by_the_missing_columns(source: Source) -> None:
    source.write(GOOD)
    source.mapping["format"] = {"delimiter": ","}
    sentence = refuse(source)
    assert "lacks the column 'id'" in sentence
    assert "delimiter ," in sentence
    assert "id;last_name;birth_date" in sentence


def test_a_file_without_header_shows_no_record_in_the_sentence(source: Source) -> None:
    source.write("17;Geheim;geheim@example.org\n18;Auch;auch@example.org\n")
    sentence = refuse(source)
    assert "instead of column names" in sentence
    assert "eheim" not in sentence


def test_a_missing_mapped_column_is_named_with_those_that_are_there(source: Source) -> None:
    source.mapping["columns"]["city"] = "Ort"
    source.write(GOOD)
    sentence = refuse(source)
    assert "'Ort'" in sentence
    assert "id, last_name, birth_date" in sentence


def test_a_new_column_is_reported_and_not_landed(source: Source) -> None:
    source.write("id;last_name;Schuhe\n1;Maier;987654321\n2;Weiß;\n")
    (column,) = source.load().unmapped
    assert (column.name, column.type, column.fill_rate) == ("Schuhe", "integer", 0.5)
    assert "987654321" not in str(source.landed("select * from contacts, loads"))


@pytest.mark.parametrize(
    ("content", "encoding", "place"),
    [
        ("id;last_name\n1;Müller\n2;Gr".encode() + b"\xff\xfe;x\n", None, "byte 28 (line 3)"),
        (b"id;last_name\n1;M\x81ller\n", "cp1252", "byte 17 (line 2)"),
        (b"id;last_name\n1;M\xfcller\n", "utf-8", "byte 17 (line 2)"),
        (b"id;last_name\n1;M\x80ller\n", "latin-1", "byte 17 (line 2)"),
        (b"id;last_name\n1;M\0ller\n", None, "byte 17 (line 2)"),
    ],
    ids=["mixed", "undefined in Windows-1252", "not UTF-8", "controls in Latin-1", "binary"],
)
def test_broken_encoding_is_a_place_and_no_mojibake(
    source: Source, content: bytes, encoding: str | None, place: str
) -> None:
    source.write(content)
    source.mapping["format"] = {"encoding": encoding} if encoding else {}
    assert place in refuse(source)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "latin-1"])
@pytest.mark.parametrize("is_named", [True, False], ids=["named", "detected"])
def test_every_encoding_lands_the_same_names(source: Source, encoding: str, is_named: bool) -> None:
    dash = "" if encoding == "latin-1" else "\u2013"  # Windows-1252 has it, Latin-1 has not
    source.write(f"id;last_name\n1;Größe{dash}\n2;Ärmel\n".encode(encoding))
    source.mapping["format"] = {"encoding": encoding} if is_named else {}
    source.load()
    assert source.landed("select last_name from contacts order by source_record_id") == [(f"Größe{dash}",), ("Ärmel",)]
    assert not list(source.settings.temp_dir.iterdir()), "copies made for reading are removed"


def test_the_delimiter_that_excel_says_above_the_header_is_taken(source: Source) -> None:
    source.write("sep=|\r\nid|last_name\r\n1|Maier\r\n2|Weiß;Kurz\r\n")
    source.load()
    assert source.landed("select last_name from contacts order by source_record_id") == [("Maier",), ("Weiß;Kurz",)]


def test_a_few_garbled_values_do_not_make_a_file_unreadable(source: Source) -> None:
    names = ["Müller".encode("cp1252")] * 40 + ["Müller".encode()]
    source.write(b"id;last_name\n" + b"".join(b"%d;%s\n" % (n, name) for n, name in enumerate(names)))
    source.load()
    assert source.landed("select last_name, count(*) from contacts group by all order by 2") == [
        ("MÃ¼ller", 1),
        ("Müller", 40),
    ]


def test_a_repeated_header_and_a_line_of_totals_are_no_records(source: Source) -> None:
    source.write("id;last_name\n1;Maier\nid;last_name\n2;Weiß\nSumme:;2\n")
    report = source.load()
    assert (report.counts.delivered, report.counts.new, report.counts.rejected) == (4, 2, 2)
    assert source.landed("select source_record_id, value_class, record->>'line' from rejects order by 2") == [
        (None, "line of totals", "5"),
        (None, "line that repeats the header", "3"),
    ]


def test_a_date_that_is_none_rejects_the_record_and_keeps_its_last_good_row(source: Source) -> None:
    source.write(GOOD)
    source.load()
    source.write("id;last_name;birth_date\n1;Maier-Schmidt;gestern\n2;Weiß;01.02.1975\n")
    counts = source.load(changes={"format": {"dates": "dmy"}}).counts
    assert (counts.rejected, counts.unchanged, counts.deleted) == (1, 1, 0)
    assert source.landed("select last_name from contacts where source_record_id = '1'") == [("Maier",)]
    assert source.landed("select field, value_class from rejects") == [("birth_date", "text instead of a date")]
    (kept,) = source.landed("select record from rejects")
    assert json.loads(kept[0])["birth_date"] == "gestern"


@pytest.mark.parametrize("nothing", ["00.00.0000", "0000-00-00", "0000-00-00 00:00:00", "unbekannt", "N/A", "-"])
def test_a_date_that_says_that_there_is_none_is_an_empty_field(source: Source, nothing: str) -> None:
    source.write(f"id;last_name;birth_date;updated_at\n1;Maier;{nothing};{nothing}\n2;Weiß;13.02.1975;13.02.2025\n")
    assert source.load().counts.rejected == 0
    assert source.landed("select last_name, birth_date::text, updated_at is null from contacts order by 1") == [
        ("Maier", None, True),
        ("Weiß", "1975-02-13", False),
    ]


def test_a_mended_record_resolves_its_reject_and_forgets_the_record(source: Source) -> None:
    source.write("id;last_name;birth_date\n1;Maier;31.02.1980\n2;Weiß;13.02.1975\n")
    source.load()
    source.load(full=True)
    assert source.landed("select count(*) from rejects") == [(1,)], "a reject delivered again is the same reject"
    source.write("id;last_name;birth_date\n1;Maier;28.02.1980\n2;Weiß;13.02.1975\n")
    assert source.load().counts.new == 1
    assert source.landed("select value_class, resolution, record from rejects") == [("impossible date", "mended", None)]


@pytest.mark.parametrize(
    ("column", "value", "value_class"),
    [
        ("quantity", "drei", "text instead of a number"),
        ("quantity", "12 EUR", "text instead of a number"),
        ("quantity", "99999999999999999", "number out of range or in another notation"),
        ("quantity", "nan", "text instead of a number"),
        ("order_ordered_at", "infinity", "text instead of a date and time"),
        ("order_ordered_at", "epoch", "text instead of a date and time"),
        ("order_ordered_at", "2025-02-30 10:00", "impossible date"),
        ("order_ordered_at", "1735689600", "number instead of a date and time"),
        ("order_prices_include_tax", "vielleicht", "text instead of true or false"),
        ("order_dunning_level", "1.5", "number out of range or in another notation"),
    ],
)
def test_a_value_of_another_type_is_rejected_by_its_class(
    source: Source, column: str, value: str, value_class: str
) -> None:
    source.entity, source.role, source.file = "order_lines", "shop", "lines.csv"
    source.mapping["columns"] = {"source_record_id": "id", "order_record_id": "id", column: "value"}
    source.mapping["format"] = {"decimal": "."}
    source.write(f"id;value\n1;{value}\n2;\n")
    assert source.load().counts.rejected == 1
    assert source.landed("select field, value_class from rejects") == [(column, value_class)]
    assert source.raw("select field, value_class, record_key is not null from raw.rejects") == [
        (column, value_class, True)
    ]
    assert value not in str(source.landed("select * exclude record from rejects"))


NO_DAYS = ("infinity", "-infinity", "290000-01-01 00:00:00+00", "0044-03-15 (BC) 00:00:00+00")


@pytest.mark.parametrize("kind", ["timestamptz", "timestamp", "date"])
@pytest.mark.parametrize("column", ["updated_at", "birth_date"])
def test_a_typed_column_with_a_day_that_no_calendar_has_rejects_its_record(
    source: Source, kind: str, column: str
) -> None:
    days = NO_DAYS if kind == "timestamptz" else NO_DAYS[:2]
    values = ", ".join(f"('{position}', {kind} '{day}')" for position, day in enumerate((*days, "2001-02-03 12:00:00")))
    with connect(None, source.settings) as connection:
        connection.execute(f"copy (from (values {values}) as delivered(id, {column})) to '{source.folder}/c.parquet'")
    source.file = "c.parquet"
    assert source.load().counts.rejected == len(days)
    assert source.landed("select source_record_id from contacts") == [(str(len(days)),)]
    assert source.landed("select distinct field, record is not null from rejects") == [(column, True)]


def test_a_retyped_column_rejects_records_instead_of_landing_nonsense(source: Source) -> None:
    source.write(GOOD)
    source.load()
    source.write("id;last_name;birth_date\n1;Maier;29585\n2;Weiß;27425\n")
    report = source.load()
    assert report.counts.rejected == 2
    assert report.live_count == 2


def test_a_record_without_id_is_rejected(source: Source) -> None:
    source.write("id;last_name\n1;Maier\n ;Namenlos\n")
    assert source.load().counts.rejected == 1
    assert source.landed("select source_record_id, field, value_class from rejects") == [
        (None, "source_record_id", "missing id")
    ]


def test_a_line_of_another_width_is_a_reject_and_no_deletion(source: Source) -> None:
    source.write("id;last_name;city\n1;Maier;Ulm\n2;Weiß;Bonn\n3;Kurz;Kiel\n4;Lang;Köln\n")
    source.load()
    source.write("id;last_name;city\n1;Maier;Ulm\n2;Weiß\n3;Kurz;Kiel;zu viel\n4;Lang;Köln\n")
    counts = source.load().counts
    assert (counts.delivered, counts.rejected, counts.unchanged, counts.deleted) == (4, 2, 2, 0)
    assert source.landed("select source_record_id, value_class from rejects order by 1") == [
        ("2", "line with too few columns"),
        ("3", "line with too many columns"),
    ]


def test_mostly_unreadable_lines_mean_a_wrong_delimiter(source: Source) -> None:
    source.write("id;last_name\n" + "".join(f"{n};a;b;c\n" for n in range(9)))
    assert "do not have the 2 columns" in refuse(source)


def test_a_line_that_is_no_json_is_a_reject(source: Source) -> None:
    source.file = "contacts.jsonl"
    source.write('{"id": 1, "last_name": "Maier"}\n{"id": 2, "last\n\n[3]\n{"id": 4}\n{"id": 5}\n')
    counts = source.load().counts
    assert (counts.delivered, counts.new, counts.rejected) == (5, 3, 2)


def test_a_file_that_is_no_parquet_is_a_sentence(source: Source) -> None:
    source.file = "contacts.parquet"
    source.write(GOOD)
    assert "no readable Parquet file" in refuse(source)


def test_a_mapped_column_that_is_there_twice_is_refused(source: Source) -> None:
    source.write("id;last_name;id\n1;Maier;2\n")
    assert "the column 'id' twice" in refuse(source)


def test_a_column_that_is_taken_by_its_name_and_there_twice_is_refused(source: Source) -> None:
    source.write("id;email;email\n1;a@x.de;b@x.de\n")
    assert "has the column 'email' twice" in refuse(source)
    source.mapping = {"columns": {"source_record_id": "id", "email": "mail"}}
    source.write("id;email;email;mail\n1;a@x.de;b@x.de;c@x.de\n")
    source.load()
    assert source.landed("select email from contacts") == [("c@x.de",)]


def test_a_quote_that_is_never_closed_loses_no_line(source: Source) -> None:
    lines = [f"{number};Maier {number}" for number in range(1, 10)]
    source.write(["id;last_name", *lines[:3], '4;"Maier 4', *lines[4:]])
    assert "a quote that opens in line 5 of contacts.csv is never closed, so the 5 lines behind it" in refuse(source)
    source.write(["id;last_name", *lines[:8], '9;"Maier 9'])
    assert source.load().counts.rejected == 1  # there is nothing behind it


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("contacts.csv", "id;last_name\r\n1;Maier\r\n2;Weiß\n3;Roth\n"),
        ("contacts.csv", "id;last_name\n1;Maier\n2;Weiß\r\n3;Roth\r\n"),
        (
            "contacts.jsonl",
            '{"id":1,"last_name":"Maier"}\r\n{"id":2,"last_name":"Weiß"}\n{"id":3,"last_name":"Roth"}\n',
        ),
    ],
    ids=["csv, Windows first", "csv, Unix first", "JSON lines"],
)
def test_lines_may_end_in_different_ways(source: Source, file: str, content: str) -> None:
    source.file = file
    source.write(content)
    source.load()
    assert source.landed("select last_name from contacts order by source_record_id") == [
        ("Maier",),
        ("Weiß",),
        ("Roth",),
    ]


def test_a_line_break_within_a_field_stays_as_it_is(source: Source) -> None:
    source.write('id;last_name\n1;"Mai\r\ner"\n2;Weiß\n')
    source.load()
    assert source.landed("select last_name from contacts where source_record_id = '1'") == [("Mai\r\ner",)]


def test_a_json_array_is_told_as_one(source: Source) -> None:
    source.file = "contacts.json"
    source.write('[\n {"id": 1},\n {"id": 2}\n]\n')
    assert "contacts.json is one JSON array; deliver one object per line" in refuse(source)


def test_damage_within_a_parquet_file_is_a_sentence(source: Source) -> None:
    source.file = "contacts.parquet"
    buffer = io.BytesIO()
    pq.write_table(pa.table({"id": [str(number) for number in range(3000)]}), buffer)
    damaged = bytearray(buffer.getvalue())
    damaged[200:203] = bytes(255 - byte for byte in damaged[200:203])
    source.write(bytes(damaged))
    assert "contacts.parquet is damaged: it cannot be read to its end as parquet" in refuse(source)


def test_a_shrunken_delivery_changes_nothing_until_it_is_approved(source: Source) -> None:
    source.write(["id;last_name", *(f"{n};Name {n}" for n in range(10))])
    source.load()
    source.write(["id;last_name", *(f"{n};Name {n}" for n in range(7))])
    assert "shrank by 3 of 10" in refuse(source)
    assert source.landed("select count(*) from contacts where _absent_since is null") == [(10,)]
    report = source.load(approved_shrink="three shops were closed")
    assert (report.counts.deleted, report.live_count) == (3, 7)
    assert source.landed("select approved_shrink from loads order by load_id") == [
        (None,),
        ("three shops were closed",),
    ]
    assert source.load().status == "unchanged"


def test_a_disabled_source_keeps_its_rows_and_says_so(source: Source) -> None:
    source.write(GOOD)
    source.load()
    source.write("")
    report = source.load(changes={"enabled": False})
    assert report.status == "disabled"
    assert "switched off; the 2 contacts of 2026-01-01 02:00 UTC are kept" in report.message
    source.options["enabled"] = False
    assert source.raw(
        "select is_enabled, load_count, (select count(*) from raw.crm_contacts) from raw.reconciliation"
    ) == [(False, 1, 2)]


def test_the_landing_of_another_company_is_refused(source: Source) -> None:
    source.write(GOOD)
    source.load()
    other = source.company.company.model_copy(update={"name": "Andere GmbH"})
    source.company = type(source.company)(**{**vars(source.company), "company": other})
    assert "holds the data of 'Beispiel Handels GmbH (sample)'" in refuse(source)
    with pytest.raises(SourceError, match="Andere GmbH"):
        source.raw("select 1")


def test_a_data_folder_that_cannot_be_written_is_a_sentence(source: Source) -> None:
    source.write(GOOD)
    source.settings.data_dir.write_text("a file where the folder should be")
    assert "cannot be written" in refuse(source)


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is unreadable to root")
def test_an_unreadable_file_is_a_sentence(source: Source) -> None:
    source.write(GOOD)
    (source.folder / source.file).chmod(0)
    assert "cannot be read" in refuse(source)


def test_an_unknown_file_type_is_a_sentence(source: Source) -> None:
    source.file = "contacts.xyz"
    source.write(GOOD)
    assert "set `format.type`" in refuse(source)
