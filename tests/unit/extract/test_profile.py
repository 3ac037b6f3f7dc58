"""A proposal for an unknown file lands it, tells its doubts, and shows no value."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import pytest

from pipelines.configuration import Configuration
from pipelines.configuration.sources import SourcesConfig
from pipelines.errors import SourceError
from pipelines.extract import Proposal, load_source, profile_file
from pipelines.settings import Settings
from pipelines.warehouse import connect
from tests.unit.extract.conftest import FIRST_LOAD

CONTACTS = """Kunden-Nr;Vorname;Nachname;Mailadr.;Geburtsdatum;Angelegt am;Lieblingsfarbe
K7;Gerda;Oßwald;gerda@osswald.example;03.04.1971;24.12.2024 08:00;grün
K8;Till;Nissen;till@nissen.example;17.04.1980;01.02.2025 09:30;
"""


def propose(settings: Settings, file: Path, content: str, entity: str | None = None) -> Proposal:
    file.write_text(content, encoding="utf-8")
    return profile_file(settings, file, controller="Beispiel Handels GmbH", entity_name=entity)


def doubts(proposal: Proposal) -> str:
    return "; ".join((*proposal.doubts, *proposal.notes))


def test_what_is_proposed_can_be_landed(settings: Settings, configuration: Configuration, tmp_path: Path) -> None:
    proposal = propose(settings, tmp_path / "kunden_2025.csv", CONTACTS)
    company = replace(configuration, sources_file=SourcesConfig.model_validate({"sources": [proposal.entry]}))
    (source,) = company.sources
    (report,) = load_source(settings, company, source, run_id="run", now=FIRST_LOAD)
    assert (report.entity, report.counts.new) == ("customers", 2)
    with connect(settings.landing_file(source.name), settings, read_only=True) as connection:
        landed = connection.execute(
            "select source_record_id, first_name, email, birth_date, created_at::date from customers order by 1"
        ).fetchall()
    assert landed == [
        ("K7", "Gerda", "gerda@osswald.example", date(1971, 4, 3), date(2024, 12, 24)),
        ("K8", "Till", "till@nissen.example", date(1980, 4, 17), date(2025, 2, 1)),
    ]


def test_no_value_of_the_file_is_told(settings: Settings, tmp_path: Path) -> None:
    proposal = propose(settings, tmp_path / "kunden.csv", CONTACTS)
    told = f"{proposal.entry} {doubts(proposal)}"
    cells = {cell for line in CONTACTS.splitlines()[1:] for cell in line.split(";") if cell}
    assert [cell for cell in cells if cell in told] == []
    assert "not mapped, so not stored: Lieblingsfarbe (50% filled)" in told


def test_what_cannot_be_told_is_a_doubt(settings: Settings, tmp_path: Path) -> None:
    ambiguous = "nr,mail,mail 2,dob,created\n1,a@x.example,b@x.example,01/02/1970,gestern\n1,a@x.example,,03/04/1971,\n"
    proposal = propose(settings, tmp_path / "x.csv", ambiguous, "contacts")
    (entity,) = proposal.entry["entities"].values()
    assert entity["columns"] == {"email": "mail", "birth_date": "dob"}
    told = doubts(proposal)
    assert "no column looks like the id" in told
    assert "whether day or month comes first" in told
    assert "'created' is named like created_at, but its values are not of type timestamp" in told


def test_an_id_that_some_records_lost_or_share_is_still_the_id(settings: Settings, tmp_path: Path) -> None:
    lines = [f"K{n};Maier;01.05.19{n:02}" for n in range(40, 90)]
    content = "\n".join(["Kunden-Nr;Nachname;Geburtsdatum", *lines, "K41;Weiß;02.03.1950", ";Kurz;30.02.1950"])
    proposal = propose(settings, tmp_path / "kunden.csv", content, "contacts")
    assert proposal.entry["entities"]["contacts"]["columns"]["source_record_id"] == "Kunden-Nr"
    told = doubts(proposal)
    assert "1.9% of the records have no 'Kunden-Nr'" in told
    assert "2.0% of the ids in 'Kunden-Nr' are those of another record" in told
    assert "1 of 52 values of 'Geburtsdatum' are no date; their records will be rejected" in told


def test_a_title_above_the_header_and_a_folder_are_told(settings: Settings, tmp_path: Path) -> None:
    proposal = propose(settings, tmp_path / "list.csv", "Liste der Freunde\nAnna\nBen\n")
    assert "its first line may be no header, but a title above it" in doubts(proposal)
    with pytest.raises(SourceError, match="is a folder; name one of its files"):
        profile_file(settings, tmp_path, controller="Beispiel Handels GmbH", entity_name=None)


def test_spellings_of_one_word_are_a_doubt(settings: Settings, tmp_path: Path) -> None:
    content = "id,subject,status\n1,a,open\n2,b,OPEN!\n3,c,closed\n"
    assert "the 2 words in 'status' are spelt in 3 ways" in doubts(
        propose(settings, tmp_path / "tickets.csv", content, "tickets")
    )


@pytest.mark.parametrize(
    ("name", "header", "entity"),
    [
        ("bestellungen.csv", "Bestellnr;Kundennr;Bestelldatum;Gesamtbetrag", "orders"),
        ("export.csv", "id;order_id;product_id;quantity;unit_price;tax", "order_lines"),
        ("export.csv", "Ticket-ID;Requester;Betreff;Priorität;Gelöst am", "tickets"),
        ("Ansprechpartner.csv", "ID;Vorname;Nachname;E-Mail", "contacts"),
    ],
)
def test_what_its_records_are_is_told_by_names(
    settings: Settings, tmp_path: Path, name: str, header: str, entity: str
) -> None:
    proposal = propose(settings, tmp_path / name, f"{header}\n")
    assert list(proposal.entry["entities"]) == [entity]


def test_an_unknown_entity_or_file_is_a_sentence(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="There is no entity 'people'; allowed: attributes, "):
        propose(settings, tmp_path / "x.csv", CONTACTS, "people")
    with pytest.raises(SourceError, match="There is no file"):
        profile_file(settings, tmp_path / "nothing.csv", controller="x")
    with pytest.raises(SourceError, match=r"the type of x\.pdf is unknown"):
        propose(settings, tmp_path / "x.pdf", CONTACTS)


# What files say, in the words of many systems, and what is proposed for it.
FLAT = """Beleg-Nr;Kd-Nr;Belegdatum;Artikel-Nr;Bezeichnung;Menge;Einzelpreis
R1;7;03.04.2026;A1;Lampe;2;12,50
R1;7;03.04.2026;A2;Tisch;1;80,00
R2;9;04.04.2026;A1;Lampe;1;12,50
"""


def test_lines_that_carry_order_customer_and_product_are_landed_as_all_of_them(
    settings: Settings, configuration: Configuration, tmp_path: Path
) -> None:
    proposal = propose(settings, tmp_path / "umsatz.csv", FLAT)
    assert proposal.entry["entities"] == {
        "order_lines": {
            "path": "umsatz.csv",
            "key": ["Beleg-Nr", "Artikel-Nr"],
            "columns": {
                "order_record_id": "Beleg-Nr",
                "product_record_id": "Artikel-Nr",
                "quantity": "Menge",
                "unit_amount": "Einzelpreis",
                "order_customer_record_id": "Kd-Nr",
                "order_ordered_at": "Belegdatum",
            },
        },
        "products": {
            "path": "umsatz.csv",
            "repeated": True,
            "columns": {"source_record_id": "Artikel-Nr", "name": "Bezeichnung"},
        },
    }
    company = replace(configuration, sources_file=SourcesConfig.model_validate({"sources": [proposal.entry]}))
    (source,) = company.sources
    reports = load_source(settings, company, source, run_id="run", now=FIRST_LOAD)
    assert {r.entity: r.counts.new for r in reports} == {"order_lines": 3, "products": 2, "orders": 2}


def test_what_is_not_the_same_on_all_lines_of_an_order_is_not_said_of_the_order(
    settings: Settings, tmp_path: Path
) -> None:
    flat = "order_id,product_id,qty,price,order_date,status\n" + "".join(
        f"{n // 2},{n % 2},1,9.50,2026-01-02,{('paid', 'open')[n % 2]}\n" for n in range(8)
    )
    (lines,) = propose(settings, tmp_path / "order_items.csv", flat).entry["entities"].values()
    assert [name for name in lines["columns"] if name.startswith("order_")] == ["order_record_id", "order_ordered_at"]


@pytest.mark.parametrize(
    ("content", "entity", "said", "doubt"),
    [
        ("Kd-Nr;Name;Vorname\n1;Oßwald;Gerda\n", "customers", {"last_name": "Name", "first_name": "Vorname"}, ""),
        (
            "Nr;Name;Straße;Hausnr\n1;Oßwald;Am Wall;3\n2;Nissen;Ring;4\n",
            "customers",
            {"source_record_id": "Nr", "full_name": "Name", "street": ["Straße", "Hausnr"]},
            "",
        ),
        ("customer_id,customer_city\n1,Kiel\n2,Kiel\n", "customers", {"city": "customer_city"}, ""),
        ("id;datum\n1;05.05.2026\n", "tickets", {"created_at": "datum"}, "its dates have dots"),
        ("account,sector\nAcme,steel\nZeta,steel\n", "companies", {"source_record_id": "account"}, "no two have"),
        (
            "OrderID,ProductID,UnitPrice,Quantity,Discount\n1,1,5,2,0.1\n1,2,5,2,0\n",
            "order_lines",
            {
                "discount_amount": {
                    "sql": 'round(try_cast("UnitPrice" as decimal(18, 4)) * try_cast("Quantity" as decimal(18, 4)) * '
                    'try_cast("Discount" as decimal(18, 4)), 4)'
                }
            },
            "'Discount' is taken for the share",
        ),
        (
            "OrderID,ProductID,Sales,Quantity\n1,1,5,2\n1,2,5,2\n",
            "order_lines",
            {
                "unit_amount": {
                    "sql": 'try_cast("Sales" as decimal(18, 4)) / nullif(try_cast("Quantity" as decimal(18, 4)), 0)'
                }
            },
            "'Sales' is taken for the amount of the whole line",
        ),
        (
            "id,priority\n1,Critical\n2,low\n3,eilig\n",
            "tickets",
            {"priority": {"sql": "case lower(trim(\"priority\")) when 'critical' then 'urgent' else \"priority\" end"}},
            "1 of the 3 words in 'priority' are none of ours",
        ),
    ],
)
def test_words_and_forms_of_other_systems_are_known(
    settings: Settings, tmp_path: Path, content: str, entity: str, said: dict[str, object], doubt: str
) -> None:
    proposal = propose(settings, tmp_path / "x.csv", content, entity)
    assert proposal.entry["entities"][entity]["columns"].items() >= said.items()
    assert doubt in doubts(proposal)


@pytest.mark.parametrize(("best", "scale"), [(4, 5), (9, 10), (87, 100), (400, None)])
def test_the_best_score_is_the_least_usual_one_that_fits(
    settings: Settings, tmp_path: Path, best: int, scale: int | None
) -> None:
    proposal = propose(
        settings, tmp_path / "order_reviews.csv", f"review_id,order_id,review_score\n1,1,2\n2,2,{best}\n"
    )
    assert proposal.entry["entities"]["ratings"].get("defaults", {}).get("scale_max") == scale


def test_a_line_without_a_quantity_is_one_piece_and_a_number_many_share_is_a_hint(
    settings: Settings, tmp_path: Path
) -> None:
    items = "order_id,order_item_id,product_id,price\n1,1,7,5.0\n1,2,8,5.5\n2,1,7,5.0\n"
    (lines,) = propose(settings, tmp_path / "order_items.csv", items).entry["entities"].values()
    assert (lines["key"], lines["defaults"]) == (["order_id", "order_item_id"], {"quantity": 1})
    people = "customer_id,person_id,customer_city\n" + "".join(f"{n},{n // 2 * 2},Kiel\n" for n in range(10))
    proposal = propose(settings, tmp_path / "customers.csv", people)
    assert "identifiers: {personid: person_id}" in doubts(proposal)


def test_amounts_with_the_sign_of_their_currency_are_landed_without_it(
    settings: Settings, configuration: Configuration, tmp_path: Path
) -> None:
    proposal = propose(
        settings,
        tmp_path / "bestellungen.csv",
        "Bestellnr;Kundennr;Bestelldatum;Gesamtbetrag;Rabatt\n"
        "1;K1;13.02.2026;1.204,50 €;12,00 €\n2;K1;14.02.2026;7,00 €;5 $\n",
        "orders",
    )
    company = replace(configuration, sources_file=SourcesConfig.model_validate({"sources": [proposal.entry]}))
    (source,) = company.sources
    load_source(settings, company, source, run_id="run", now=FIRST_LOAD)
    with connect(settings.landing_file(source.name), settings, read_only=True) as connection:
        landed = connection.execute("select total_amount::double, currency from orders order by 1").fetchall()
    assert landed == [(7.0, "EUR"), (1204.5, "EUR")]
    assert "discount_amount" not in proposal.entry["entities"]["orders"]["columns"]  # in two currencies


def test_words_that_cleaning_reads_are_no_doubt_and_stages_are_translated(settings: Settings, tmp_path: Path) -> None:
    content = "Record ID,Email,Gender,Lifecycle Stage\n1,a@x.example,M,marketingqualifiedlead\n2,b@x.example,V,lead\n"
    told = propose(settings, tmp_path / "contacts.csv", content)
    assert "Gender" not in doubts(told)
    stage = told.entry["entities"]["contacts"]["columns"]["lifecycle_stage"]
    assert "when 'marketingqualifiedlead' then 'mql'" in stage["sql"]


@pytest.mark.parametrize(
    ("letters", "sexes"),
    [("HM", ["male", "female"]), ("hm", ["male", "female"]), ("HF", ["H", "F"]), ("MF", ["M", "F"])],
)
def test_m_is_mujer_only_beside_h(settings: Settings, tmp_path: Path, letters: str, sexes: list[str]) -> None:
    rows = "".join(f"{i},{i}@x.example,{letter}\n" for i, letter in enumerate(letters))
    told = propose(settings, tmp_path / "contacts.csv", f"ID,Email,Sexo\n{rows}")
    gender = told.entry["entities"]["contacts"]["columns"]["gender"]
    assert isinstance(gender, dict) == (sexes == ["male", "female"])
    expression = gender["sql"] if isinstance(gender, dict) else gender
    read = duckdb.sql(f"select {expression} from read_csv('{tmp_path}/contacts.csv') order by id").fetchall()
    assert read == [(sex,) for sex in sexes]
