"""A proposal for an unknown file lands it, tells its doubts, and shows no value."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

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
    with pytest.raises(SourceError, match="cannot be read"):
        profile_file(settings, tmp_path / "nothing.csv", controller="x")
    with pytest.raises(SourceError, match=r"the type of x\.pdf is unknown"):
        propose(settings, tmp_path / "x.pdf", CONTACTS)
