"""Addresses: each rule with the fewest rows that show it."""

from __future__ import annotations

from typing import Any

from pipelines.clean.addresses import ADDRESS_FIELDS, RULES
from pipelines.clean.attributes import PLACEHOLDER_RULES
from pipelines.clean.countries import load_countries

CASES: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "country in German": ({"country": "Deutschland"}, {"country": "DE"}),
    "country in English, capitals": ({"country": "UNITED KINGDOM"}, {"country": "GB"}),
    "country in its own language": ({"country": "Suisse"}, {"country": "CH"}),
    "country as three letters": ({"country": "aut"}, {"country": "AT"}),
    "country without umlaut": ({"country": "Osterreich"}, {"country": "AT"}),
    "country with a digraph": ({"country": "Daenemark"}, {"country": "DK"}),
    "country in another script": ({"country": "Ελλάδα"}, {"country": "GR"}),
    "country as people say": ({"country": "Holland"}, {"country": "NL"}),
    "a lost leading zero": ({"country": "DE", "postal_code": "1067"}, {"country": "DE", "postal_code": "01067"}),
    "four digits in Austria": ({"country": "AT", "postal_code": "1067"}, {"country": "AT", "postal_code": "1067"}),
    "four digits in no country": ({"postal_code": "1067"}, {"postal_code": "1067"}),
    "a postal code with its country": (
        {"country": "DE", "postal_code": "D-50667"},
        {"country": "DE", "postal_code": "50667"},
    ),
    "a postal code from a spreadsheet": (
        {"country": "DE", "postal_code": "1067.0"},
        {"country": "DE", "postal_code": "01067"},
    ),
    "a house number": ({"street": "Gartenweg 12 A"}, {"street": "Gartenweg", "house_number": "12a"}),
    "a range of numbers": ({"street": "Gartenweg 12 - 14"}, {"street": "Gartenweg", "house_number": "12-14"}),
    "a number that sticks": ({"street": "Hauptstr.5"}, {"street": "Hauptstraße", "house_number": "5"}),
    "a number in front": ({"street": "12 Rue Haute"}, {"street": "Rue Haute", "house_number": "12"}),
    "a date in the street": (
        {"street": "STRASSE DES 17. JUNI 135"},
        {"street": "Straße des 17. Juni", "house_number": "135"},
    ),
    "a street that begins with a date": ({"street": "1. Mai Straße"}, {"street": "1. Mai Straße"}),
    "a post box is no house": ({"street": "Postfach 12 34"}, {"street": "Postfach 12 34"}),
    "blocks of Mannheim": ({"street": "C 4, 12"}, {"street": "C 4", "house_number": "12"}),
    "a short street": ({"street": "Berliner Str."}, {"street": "Berliner Straße"}),
    "a long street": ({"street": "Karl-Marx-Strasse"}, {"street": "Karl-Marx-Straße"}),
    "a Swiss street": ({"street": "Seestrasse", "country": "CH"}, {"street": "Seestrasse", "country": "CH"}),
    "a beach is no street": ({"street": "Am Strand"}, {"street": "Am Strand"}),
    "a city in capitals": ({"city": "FRANKFURT AM MAIN"}, {"city": "Frankfurt am Main"}),
    "a city in lower case": ({"city": "sankt pölten-nord"}, {"city": "Sankt Pölten-Nord"}),
    "placeholders": ({"street": "-", "city": "unbekannt", "postal_code": "k.A."}, {}),
}


def test_addresses_are_brought_into_one_form(apply_to_drafts: Any) -> None:
    drafts, _ = apply_to_drafts([delivered for delivered, _ in CASES.values()], (*PLACEHOLDER_RULES, *RULES))
    fields = (*ADDRESS_FIELDS, "house_number")
    found = {case: {f: row[f] for f in fields if row[f] is not None} for case, row in zip(CASES, drafts, strict=True)}
    assert found == {case: expected for case, (_, expected) in CASES.items()}


def test_an_unknown_country_and_an_impossible_postal_code_are_proposed_for_correction(apply_to_drafts: Any) -> None:
    rows = [{"country": "Narnia"}, {"country": "DE", "postal_code": "123"}]
    _, changes = apply_to_drafts(rows, RULES)
    assert [(c["rule"], c["field"], c["status"], c["before"], c["after"]) for c in changes] == [
        ("country_unknown", "country", "proposed", "Narnia", None),
        ("postal_code_invalid", "postal_code", "proposed", "123", None),
    ]


def test_every_country_is_found_by_its_codes_and_each_of_its_own_names(apply_to_drafts: Any) -> None:
    countries = load_countries()
    written = [(name, c.iso2) for c in countries for name in (c.iso2, c.iso3, *c.names)]
    drafts, _ = apply_to_drafts([{"country": name} for name, _ in written[:60]], RULES)
    assert [row["country"] for row in drafts] == [iso2 for _, iso2 in written[:60]]
    assert len({c.iso2 for c in countries}) == len({c.iso3 for c in countries}) == 249
