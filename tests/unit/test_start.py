"""A new company begins with its own files: what `kundenstamm init` writes is valid, complete and nobody else's."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.configuration import Configuration, load_configuration
from pipelines.errors import ConfigurationError, SourceError
from pipelines.extract import build_raw, check_sources, load_source
from pipelines.settings import PROJECT_DIR, Settings
from pipelines.start import write_configuration
from pipelines.warehouse import connect

CONTACTS = """Kontakt-Nr.;Vorname;Nachname;E-Mail-Adresse;Straße und Hausnummer;PLZ;Ort;Geburtsdatum;Umsatz;Bemerkung
10;Änne;Brüggemann;aenne@nordnetz.example;Deichstraße 7;28195;Bremen;24.12.1961;1.204,50;ruft gern an
11;Jörg;Clüver;joerg@nordnetz.example;Am Wall 3;26122;Oldenburg;03.04.1975;0,00;
"""
ORDERS = """Order Number,Customer ID,Customer Email,Billing First Name,Billing Last Name,Order Date,Status,Total
W-1,C7,joerg@nordnetz.example,Jörg,Clüver,2026-01-05 10:00:00,completed,49.90
W-2,C7,joerg.cluever@nordnetz.example,Jörg,Clüver,2026-02-05 10:00:00,completed,19.90
W-3,,gast@nordnetz.example,Heike,Dierks,2026-02-06 10:00:00,completed,9.90
"""
TICKETS = [
    {
        "ticket_id": 1,
        "requester_name": "Änne Brüggemann",
        "requester_email": "aenne@nordnetz.example",
        "priority": "low",
    },
    {
        "ticket_id": 2,
        "requester_name": "Änne Brüggemann",
        "requester_email": "aenne@nordnetz.example",
        "priority": "high",
    },
]
NAMES_AND_ADDRESSES = "Name,Email\nJörg Clüver,joerg@nordnetz.example\nWiebke Poppe,wiebke@nordnetz.example\n"


@pytest.fixture
def exports(tmp_path: Path) -> Path:
    """What a company finds in its systems: nothing is called or written as in the sample."""
    folder = tmp_path / "exports"
    folder.mkdir()
    (folder / "Kontakte 2026.csv").write_bytes(CONTACTS.encode("cp1252"))
    (folder / "orders_export.csv").write_text(ORDERS, encoding="utf-8")
    (folder / "tickets.jsonl").write_text("\n".join(map(json.dumps, TICKETS)), encoding="utf-8")
    (folder / "mailing list.csv").write_text(NAMES_AND_ADDRESSES, encoding="utf-8-sig")
    (folder / "readme.pdf").write_bytes(b"%PDF")
    return folder


def begin(settings: Settings, folder: Path, *files: Path, name: str = "Nordlicht GmbH") -> Configuration:
    write_configuration(settings, folder, files, name=name)
    return load_configuration(replace(settings, config_dir=folder))


def test_the_first_hour_of_a_company_from_init_to_landed_records(
    settings: Settings, exports: Path, tmp_path: Path
) -> None:
    started = write_configuration(settings, tmp_path / "nord", [exports], name="Nordlicht GmbH")
    assert (started.source_count, started.entity_count) == (4, 6)
    assert started.left_out == (
        "readme.pdf is left out: the type of readme.pdf is unknown; set `format.type` in sources.yml to csv, parquet, "
        "jsonl or workbook.",
    )
    settings = replace(settings, config_dir=tmp_path / "nord")
    configuration = load_configuration(settings)
    assert [f.sentence for f in check_sources(settings, configuration)] == [
        "contacts: 2 records; nobody mapped Umsatz, Bemerkung",
        "contacts: 2 records",
        "orders: 3 records",
        "customers: 1 record",
        "tickets: 2 records",
        "users: 1 record",
    ]
    reports = [
        report
        for source in configuration.sources
        for report in load_source(settings, configuration, source, run_id="run", now=datetime(2026, 3, 1, tzinfo=UTC))
    ]
    assert {r.entity: r.counts.delivered for r in reports if r.counts.delivered != r.counts.new} == {}
    settings.build_dir.mkdir(parents=True)
    with connect(settings.build_warehouse, settings) as connection:
        build_raw(connection, settings, configuration)
        persons = connection.execute(
            """
            select source_system, source_record_id, first_name, coalesce(last_name, full_name), email from (
                from raw.crm_contacts union all by name from raw.shop_customers union all by name from raw.support_users
            ) order by all
            """
        ).fetchall()
        [(known_buyers, guests)] = connection.execute(
            "select count(c.record_key), count(*) filter (where o.customer_record_key is null) "
            "from raw.shop_orders o left join raw.shop_customers c on c.record_key = o.customer_record_key"
        ).fetchall()
    assert persons == [
        ("crm", "10", "Änne", "Brüggemann", "aenne@nordnetz.example"),
        ("crm", "11", "Jörg", "Clüver", "joerg@nordnetz.example"),
        ("mailing_list", "joerg@nordnetz.example", None, "Jörg Clüver", "joerg@nordnetz.example"),
        ("mailing_list", "wiebke@nordnetz.example", None, "Wiebke Poppe", "wiebke@nordnetz.example"),
        ("shop", "C7", "Jörg", "Clüver", "joerg.cluever@nordnetz.example"),
        ("support", "aenne@nordnetz.example", None, "Änne Brüggemann", "aenne@nordnetz.example"),
    ]
    assert (known_buyers, guests) == (2, 1)


def test_nothing_of_the_sample_company_and_no_value_of_a_file_is_written(
    settings: Settings, exports: Path, tmp_path: Path
) -> None:
    begin(settings, tmp_path / "nord", exports)
    written = {file.name: file.read_text(encoding="utf-8") for file in (tmp_path / "nord").iterdir()}
    text = "\n".join(written.values())
    shipped = [s["name"] for s in yaml.safe_load((PROJECT_DIR / "config" / "sources.yml").read_text())["sources"]]
    strange = {
        "Beispiel",
        "Nordhaus",
        "KUNDENSTAMM_SAMPLE",
        *(n for n in shipped if n not in {"crm", "shop", "support"}),
    }
    assert [word for word in strange if word in written["sources.yml"].partition("sources:\n")[2]] == []
    assert [word for word in ("Beispiel", "Nordhaus", "KUNDENSTAMM_SAMPLE") if word in text] == []
    assert [value for value in ("Brüggemann", "nordnetz", "W-1", "28195") if value in text] == []
    assert "# Doubt: 1 of the 1 words in 'Status' were translated into ours; check whether rightly" in text
    assert "case lower(trim(\"Status\")) when 'completed' then 'delivered' else \"Status\" end" in text


def test_nothing_is_overwritten(settings: Settings, exports: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "value.yml").write_text("top_share: 0.1\n")
    with pytest.raises(ConfigurationError, match=r"has value\.yml already, and init overwrites nothing"):
        begin(settings, tmp_path / "mine", exports)
    assert [file.name for file in (tmp_path / "mine").iterdir()] == ["value.yml"]


def test_without_files_there_is_an_example_to_replace_and_nothing_to_run(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = 'Kern: "Öl & Gas" #1'  # whatever a name has in it, the files are read as they were meant
    configuration = begin(settings, tmp_path / "empty", name=name)
    assert configuration.company.name == name
    assert [source.enabled for source in configuration.sources] == [False]
    monkeypatch.setenv("KUNDENSTAMM_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("KUNDENSTAMM_CONFIG_DIR", str(tmp_path / "empty"))
    refused = CliRunner().invoke(app, ["run"])
    assert isinstance(refused.exception, ConfigurationError)
    assert "no source is switched on, so there is nothing to read" in str(refused.exception)


@pytest.mark.usefixtures("exports")
def test_the_command_says_what_it_wrote_and_what_comes_next(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUNDENSTAMM_DATA_DIR", str(settings.data_dir))
    monkeypatch.chdir(tmp_path)
    told = CliRunner().invoke(app, ["init", "nord", "exports", "--name", "Nordlicht GmbH"])
    assert told.exit_code == 0, told.output
    assert "sources.yml has 4 sources with 6 kinds of records; decide" in told.output
    for command in ("validate --config nord", "sources check --config nord", "run --config nord --data nord-data"):
        assert command in told.output
    assert not settings.data_dir.exists(), "nothing is written but the folder that was asked for"


def test_parts_are_one_delivery_and_folders_are_sources(settings: Settings, tmp_path: Path) -> None:
    for file, text in {
        "exports/till/orders_2024.csv": "Order Number,Order Date,Total\nT-1,2024-05-17,5.00\n",
        "exports/till/orders_2025.csv": "Order Number,Order Date,Total\nT-2,2025-05-17,5.00\n",
        "exports/web shop/orders.csv": "Order Number,Order Date,Total\nW-1,2025-05-17,5.00\n",
    }.items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text)
    configuration = begin(settings, tmp_path / "nord", tmp_path / "exports")
    assert {s.name: [c.path for c in s.entities.values()] for s in configuration.sources} == {
        "till": ["orders_*.csv"],
        "web_shop": ["orders.csv"],
    }


def test_records_of_another_source_are_told_by_their_numbers(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "kontakte.csv").write_text("Kontakt-Nr;Nachname;E-Mail\nK1;Poppe;p@x.example\nK2;Nölke;n@x.example\n")
    (tmp_path / "rechnungen.csv").write_text(
        "Rechnungsnummer;Kundennummer;Rechnungsdatum;Betrag\nR1;K1;24.12.2025;5,00\nR2;K1;25.12.2025;7,00\n"
    )
    files = [tmp_path / "rechnungen.csv", tmp_path / "kontakte.csv"]
    configuration = begin(settings, tmp_path / "nord", *files)
    assert configuration.source("erp").entities["invoices"].references == {"customer_record_id": "crm"}
    text = (tmp_path / "nord" / "sources.yml").read_text(encoding="utf-8")
    assert "# Doubt: 100% of the values of 'Kundennummer' are records of crm: these are meant." in text
    with pytest.raises(SourceError, match=r"its records \(invoices\) name persons, but no file has any"):
        begin(settings, tmp_path / "alone", tmp_path / "rechnungen.csv")


@pytest.mark.parametrize(
    ("rows", "country", "currency", "time_zone"),
    [
        (["Großbritannien,GBP", "United Kingdom,GBP", "GB,EUR"], "GB", "GBP", "Europe/London"),
        (["France,EUR", "Spain,USD", "Italy,$"], "DE", "USD", "Europe/Berlin"),  # no country has most of them
        (["Polska,", "Polen,"], "PL", "PLN", "Europe/Warsaw"),  # what no record names is the country's
        (["USA,", "US,"], "US", "USD", "America/New_York"),  # the first of several, and a comment says so
        (["?,", ","], "DE", "EUR", "Europe/Berlin"),
    ],
)
def test_country_currency_and_time_zone_are_those_of_most_records(
    settings: Settings, tmp_path: Path, rows: list[str], country: str, currency: str, time_zone: str
) -> None:
    customers = "\n".join(f"{n},Poppe,{row.split(',')[0]}" for n, row in enumerate(rows))
    orders = "\n".join(f"{n},{n},9.90,{row.split(',')[1]}" for n, row in enumerate(rows))
    (tmp_path / "customers.csv").write_text(f"customer_id,last_name,country\n{customers}\n", encoding="utf-8")
    (tmp_path / "orders.csv").write_text(f"order_id,customer_id,total,currency\n{orders}\n", encoding="utf-8")
    company = begin(settings, tmp_path / "own", tmp_path / "customers.csv", tmp_path / "orders.csv").company
    assert (company.country, company.base_currency, company.time_zone) == (country, currency, time_zone)
    text = (tmp_path / "own" / "company.yml").read_text(encoding="utf-8")
    assert ("US has 29, this is the first" in text) is (country == "US")


def test_one_file_per_day_is_one_delivery_that_later_days_belong_to(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "exports").mkdir()
    for day in ("2026-02-01", "2026-02-02", "2026-02-03"):
        (tmp_path / "exports" / f"orders_{day}.csv").write_text(f"Order Number,Order Date,Total\nT-{day},{day},5.00\n")
    (tmp_path / "exports" / "orders_archive.csv").write_text(
        "Order Number,Order Date,Total,Status\n1,2024-05-17,5,paid\n"
    )
    configuration = begin(settings, tmp_path / "nord", tmp_path / "exports")
    assert {s.name: [c.path for c in s.entities.values()] for s in configuration.sources} == {
        "shop": ["orders_2026-02-0*.csv"],
        "orders_archive": ["orders_archive.csv"],
    }
    (tmp_path / "exports" / "orders_archive.csv").unlink()
    configuration = begin(settings, tmp_path / "ost", tmp_path / "exports")
    assert [c.path for s in configuration.sources for c in s.entities.values()] == ["orders_*.csv"]


def test_every_sheet_of_a_workbook_is_read_below_its_title(settings: Settings, tmp_path: Path) -> None:
    import openpyxl

    workbook = openpyxl.Workbook()
    workbook.active.title = "Kontakte"
    for row in (["Kontaktliste, Stand März"], [], ["Kontakt-ID", "Vorname", "Nachname"], [7, "Eva", "Lang"]):
        workbook.active.append(row)
    orders = workbook.create_sheet("Bestellungen")
    for row in (["Bestellnr", "Kundennr", "Bestelldatum"], [100, 7, datetime(2025, 5, 1, tzinfo=None)]):  # noqa: DTZ001
        orders.append(row)
    workbook.create_sheet("Tabelle3")
    workbook.save(tmp_path / "Vertrieb.xlsx")
    configuration = begin(settings, tmp_path / "nord", tmp_path / "Vertrieb.xlsx")
    settings = replace(settings, config_dir=tmp_path / "nord")
    assert [f.sentence for f in check_sources(settings, configuration)] == ["contacts: 1 record", "orders: 1 record"]


def test_a_list_of_numbers_names_and_addresses_is_one_of_persons(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "liste.csv").write_text("Kundennr;E-Mail;Name\n1;a@nord.example;Anna Berg\n", encoding="utf-8")
    configuration = begin(settings, tmp_path / "nord", tmp_path / "liste.csv")
    assert [(s.role, list(s.entities)) for s in configuration.sources] == [("shop", ["customers"])]


@pytest.mark.parametrize(("number", "source_count"), [("K{}", 1), ("9{}", 2)])
@pytest.mark.parametrize("orders", ["orders.csv", "a_orders.csv"], ids=["customers first", "orders first"])
def test_orders_of_other_customers_are_another_source(
    settings: Settings, tmp_path: Path, number: str, source_count: int, orders: str
) -> None:
    (tmp_path / "klanten.csv").write_text(
        "Klantnummer;Achternaam;E-mailadres\n" + "".join(f"K{n};Visser;p{n}@nord.example\n" for n in range(4))
    )
    (tmp_path / orders).write_text(
        "order_id,customer_id,billing_email,billing_last_name,order_date,total\n"
        + "".join(f"{n},{number.format(n % 4)},p{n}@nord.example,Visser,2026-01-0{n + 1},5.00\n" for n in range(6))
    )
    configuration = begin(settings, tmp_path / "nord", *sorted(tmp_path.glob("*.csv")))
    assert len(configuration.sources) == source_count
    assert sum("customers" in s.entities for s in configuration.sources) == source_count
    assert "&id" not in (tmp_path / "nord" / "sources.yml").read_text(encoding="utf-8"), "an anchor is no help"
