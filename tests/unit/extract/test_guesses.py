"""Exports of common systems are understood by the names of their columns, in the languages they have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.entities import PERSON_ENTITY, SYSTEM_COLUMNS, Entity, Type, entity_named
from pipelines.extract.guesses import FileColumn, guess_entity, map_columns, propose_key

EXPORTS = yaml.safe_load((Path(__file__).parents[2] / "fixtures" / "exports.yml").read_text(encoding="utf-8"))
OF_MOMENTS, OF_NUMBERS = {Type.DATE, Type.TIMESTAMP}, {Type.DECIMAL, Type.INTEGER}


def column(header: str, meant: str | None, entity: Entity) -> FileColumn:
    """A column that holds what it should: a reference repeats, an id does not."""
    kinds = {c.name: c.type for c in (*entity.columns, *SYSTEM_COLUMNS)}
    kind = kinds.get(meant or "", Type.TEXT)
    return FileColumn(
        header,
        "VARCHAR",
        fill_rate=1,
        distinct_rate=1 if meant in {"source_record_id", "email", "phone"} else 0.7,
        email_share=float(meant == "email"),
        moment_share=float(kind in OF_MOMENTS),
        number_share=float(kind in OF_NUMBERS),
        degree_share=float(meant == "title"),
    )


@pytest.mark.parametrize("export", EXPORTS, ids=lambda export: f"{export['system']} {export['file']}")
def test_an_export_is_mapped_by_the_names_of_its_columns(export: dict[str, Any]) -> None:
    meant = entity_named(export["records"])
    assert meant is not None
    columns = [column(header, canonical, meant) for header, canonical in export["columns"].items()]
    guessed = guess_entity(export["file"], columns)
    assert guessed == meant or {guessed.name, meant.name} <= set(PERSON_ENTITY.values())
    mapping = map_columns(guessed, columns, [])
    key = propose_key(guessed, columns, mapping, [])
    assert {header: canonical for canonical, header in (key | mapping).items()} == {
        header: canonical for header, canonical in export["columns"].items() if canonical
    }


@pytest.mark.parametrize(
    "header", ["Telefono", "Teléfono", "Anno", "Turno", "Telefonnummer", "Hausnummer", "Phone Number"]
)
def test_what_only_ends_like_a_number_of_records_is_no_id(header: str) -> None:
    contacts = entity_named("contacts")
    assert contacts is not None
    columns = [column("Vorname", "first_name", contacts), column(header, "phone", contacts)]
    mapping = map_columns(contacts, columns, [])
    assert propose_key(contacts, columns, mapping, []) == {}


@pytest.mark.parametrize(
    ("headers", "parts"),
    [
        (("Vorname", "Name"), {"first_name": "Vorname", "last_name": "Name"}),
        (("Nombre", "Apellidos"), {"first_name": "Nombre", "last_name": "Apellidos"}),
        (("Nom", "Prénom"), {"first_name": "Prénom", "last_name": "Nom"}),
        (("Nome", "Cognome"), {"first_name": "Nome", "last_name": "Cognome"}),
        (("Naam",), {"full_name": "Naam"}),
    ],
)
def test_a_mere_name_is_the_part_that_no_other_column_is(headers: tuple[str, ...], parts: dict[str, str]) -> None:
    contacts = entity_named("contacts")
    assert contacts is not None
    assert map_columns(contacts, [column(header, None, contacts) for header in headers], []) == parts
