"""Addresses: each rule with the fewest rows that show it."""

from __future__ import annotations

from typing import Any

from pipelines.clean.addresses import ADDRESS_FIELDS
from pipelines.clean.countries import load_countries
from tests.unit.clean.conftest import chosen_rules, shipped_rules

RULES = shipped_rules("address")

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
    "a house with doors": ({"street": "Gartenweg 5/3/12"}, {"street": "Gartenweg", "house_number": "5/3/12"}),
    "a house with a letter apart": ({"street": "Gartenweg 12/A"}, {"street": "Gartenweg", "house_number": "12/a"}),
    "a door": ({"street": "Gartenweg 5, top 12"}, {"street": "Gartenweg", "house_number": "5 Top 12"}),
    "a number called one": ({"street": "Gartenweg Nr. 12"}, {"street": "Gartenweg", "house_number": "12"}),
    "a year in the street": ({"street": "Rue du 8 Mai 1945"}, {"street": "Rue du 8 Mai 1945"}),
    "a number behind a year": (
        {"street": "Rue du 8 Mai 1945 12"},
        {"street": "Rue du 8 Mai 1945", "house_number": "12"},
    ),
    "a parcel locker is no house": ({"street": "Packstation 123"}, {"street": "Packstation 123"}),
    **{
        f"a house number, {street} {written}": (
            {"street": f"{street} {written}"},
            {"street": street.rstrip(","), "house_number": number},
        )
        for street, written, number in (
            ("Gartenweg", "12 1/2", "12½"),
            ("Gartenweg", "12½", "12½"),
            ("Gartenweg", "7a bis 7c", "7a-7c"),
            ("Gartenweg", "Nr.12", "12"),
            ("Gartenweg", "12, Whg. 5", "12 Whg. 5"),
            ("Gartenweg", "12 App. 5", "12 App. 5"),
            ("Gartenweg", "12, 3. OG links", "12 3. OG links"),
            ("Gartenweg", "5-7, Halle 3", "5-7 Halle 3"),
            ("Gartenweg", "12 Hinterhaus", "12 Hinterhaus"),
            ("Keizersgracht", "123-II", "123-ii"),
            ("Wetstraat", "16 bus 5", "16 bus 5"),
            ("Via Roma", "n. 12", "12"),
            ("Calle Mayor", "nº 5", "5"),
            ("ul. Marszałkowska", "12 m. 5", "12 m. 5"),
            ("Storgatan", "12 lgh 1101", "12 lgh 1101"),
            ("Mannerheimintie", "12 A 5", "12a5"),
            ("Váci utca", "12.", "12"),
            ("Plein 1944", "12", "12"),
            ("Via 4 Novembre", "5", "5"),
        )
    },
    **{
        f"a house number in front, {written}": (
            {"street": written},
            {"street": street, "house_number": number},
        )
        for written, street, number in (
            ("12 bis rue de la Paix", "rue de la Paix", "12bis"),
            ("12bis, rue de la Paix", "rue de la Paix", "12bis"),
            ("12 B rue de la Paix", "rue de la Paix", "12b"),
            ("12-14 rue de la Paix", "rue de la Paix", "12-14"),
            ("5 rue du 8 Mai 1945", "rue du 8 Mai 1945", "5"),
            ("123 5th Avenue", "5th Avenue", "123"),
            ("123 Main St Apt 4B", "Main St", "123 Apt 4B"),
            ("Flat 3, 10 Downing Street", "Downing Street", "10 Flat 3"),
        )
    },
    **{
        f"no house, {street}": ({"street": street}, {"street": street})
        for street in (
            *(
                "DHL Packstation 123",
                "Postfiliale 501",
                "Postbus 123",
                "Case postale 12",
                "BP 123",
                "Nr. 12",
                "2e Avenue",
            ),
            *("Apartment 4", "Straße des 17. Juni", "5th Avenue"),
        )
    },
    **{
        f"a postal code, {country} {code}": (
            {"country": country, "postal_code": code},
            {"country": country, "postal_code": written},
        )
        for country, code, written in (
            ("NL", "NL-1015cj", "1015 CJ"),
            ("GB", "sw1a2aa", "SW1A 2AA"),
            ("IE", "d02x285", "D02 X285"),
            ("CA", "k1a0b1", "K1A 0B1"),
            ("PL", "00590", "00-590"),
            ("PT", "1100 048", "1100-048"),
            ("SE", "SE-11122", "111 22"),
            ("CZ", "11000", "110 00"),
            ("US", "100011234", "10001-1234"),
            ("US", "2138", "02138"),
            ("IT", "184", "00184"),
            ("ES", "8001", "08001"),
            ("NO", "155", "0155"),
            ("CH", "8001", "8001"),
        )
    },
    "a country in front of the postal code": (
        {"postal_code": "CH-8001", "street": "Seestr."},
        {"country": "CH", "postal_code": "8001", "street": "Seestr."},
    ),
    "a street that may be Swiss": (
        {"postal_code": "8001", "street": "Seestrasse"},
        {"postal_code": "8001", "street": "Seestrasse"},
    ),
    "a postal code beside its city": ({"city": "12043 Berlin"}, {"postal_code": "12043", "city": "Berlin"}),
    "a city beside its postal code": ({"postal_code": "12043 Berlin"}, {"postal_code": "12043", "city": "Berlin"}),
    "another postal code beside the city": (
        {"postal_code": "10115", "city": "12043 Berlin"},
        {"postal_code": "10115", "city": "12043 Berlin"},
    ),
    "a number that sticks": ({"street": "Hauptstr.5"}, {"street": "Hauptstraße", "house_number": "5"}),
    "a number in front": ({"street": "12 Rue Haute"}, {"street": "Rue Haute", "house_number": "12"}),
    "a date in the street": (
        {"street": "STRASSE DES 17. JUNI 135"},
        {"street": "Straße des 17. Juni", "house_number": "135"},
    ),
    "a street that begins with a date": ({"street": "1. Mai Straße"}, {"street": "1. Mai Straße"}),
    "a post box is no house": ({"street": "Postf. 12 34"}, {"street": "Postfach 1234"}),
    "a post box abroad": ({"street": "P.O. Box 99"}, {"street": "PO Box 99"}),
    "a street that begins like a post box": ({"street": "Pfarrgasse 3"}, {"street": "Pfarrgasse", "house_number": "3"}),
    "blocks of Mannheim": ({"street": "C 4, 12"}, {"street": "C 4", "house_number": "12"}),
    "a short street": ({"street": "Berliner Str."}, {"street": "Berliner Straße"}),
    "a long street": ({"street": "Karl-Marx-Strasse"}, {"street": "Karl-Marx-Straße"}),
    "a Swiss street": ({"street": "Seestrasse", "country": "CH"}, {"street": "Seestrasse", "country": "CH"}),
    "a beach is no street": ({"street": "Am Strand"}, {"street": "Am Strand"}),
    "a city in capitals": ({"city": "FRANKFURT AM MAIN"}, {"city": "Frankfurt am Main"}),
    "a city in lower case": ({"city": "sankt pölten-nord"}, {"city": "Sankt Pölten-Nord"}),
    "towns that are called like placeholders": ({"city": "Ohne"}, {"city": "Ohne"}),
    "a placeholder in the place of a town": ({"city": "ohne"}, {}),
    "placeholders": ({"street": "-", "city": "unbekannt", "postal_code": "k.A."}, {}),
}


def test_addresses_are_brought_into_one_form(apply_to_drafts: Any) -> None:
    drafts, _ = apply_to_drafts([delivered for delivered, _ in CASES.values()], RULES, "address_drafts")
    fields = (*ADDRESS_FIELDS, "house_number")
    found = {case: {f: row[f] for f in fields if row[f] is not None} for case, row in zip(CASES, drafts, strict=True)}
    assert found == {case: expected for case, (_, expected) in CASES.items()}


def test_an_unknown_country_and_an_impossible_postal_code_are_proposed_for_correction(apply_to_drafts: Any) -> None:
    rows = [{"country": "Narnia"}, {"country": "DE", "postal_code": "123"}]
    _, changes = apply_to_drafts(rows, RULES, "address_drafts")
    assert [(c["rule"], c["field"], c["status"], c["before"], c["after"]) for c in changes] == [
        ("country_unknown", "country", "proposed", "Narnia", None),
        ("postal_code_invalid", "postal_code", "proposed", "123", None),
    ]


def test_every_country_is_found_by_its_codes_and_each_of_its_own_names(apply_to_drafts: Any) -> None:
    countries = load_countries()
    written = [(name, c.iso2) for c in countries for name in (c.iso2, c.iso3, *c.names)]
    drafts, _ = apply_to_drafts([{"country": name} for name, _ in written[:60]], RULES, "address_drafts")
    assert [row["country"] for row in drafts] == [iso2 for _, iso2 in written[:60]]
    assert len({c.iso2 for c in countries}) == len({c.iso3 for c in countries}) == 249


LEARNED = [
    *({"postal_code": "10115", "city": "Berlin", "country": "DE"} for _ in range(6)),
    *({"postal_code": "50667", "city": "Köln", "country": "DE"} for _ in range(9)),
    *({"postal_code": "50733", "city": "Köln", "country": "DE"} for _ in range(5)),
    *({"postal_code": "53721", "city": city, "country": "DE"} for city in ("Siegburg", "Lohmar") * 5),
]
PLACES: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "a city with a digraph": ({"postal_code": "50667", "city": "Koeln"}, {"city": "Köln"}),
    "a city without its umlaut": ({"postal_code": "50667", "city": "KOLN"}, {"city": "Köln"}),
    "a typing error": ({"postal_code": "10115", "city": "Brelin"}, {"city": "Berlin"}),
    "no city": ({"postal_code": "50733"}, {"city": "Köln"}),
    "two towns of one postal code": ({"postal_code": "53721"}, {}),
    "a postal code that nobody else has": ({"postal_code": "99999", "city": "Brelin"}, {"city": "Brelin"}),
    "the same postal code abroad": ({"postal_code": "10115", "city": "Brelin", "country": "EE"}, {"city": "Brelin"}),
}


def test_a_city_is_what_most_records_say_of_its_postal_code(apply_to_drafts: Any) -> None:
    rows = [{"country": "DE", **delivered} for delivered, _ in PLACES.values()]
    drafts, _ = apply_to_drafts([*LEARNED, *rows], RULES, "address_drafts")
    found = {case: row["city"] for case, row in zip(PLACES, drafts[len(LEARNED) :], strict=True)}
    assert found == {case: expected.get("city") for case, (_, expected) in PLACES.items()}


def test_a_postal_code_and_a_city_that_contradict_each_other_are_only_proposed(apply_to_drafts: Any) -> None:
    rows = [
        {"postal_code": "10115", "city": "Köln", "country": "DE"},
        {"postal_code": "50667", "city": "Berlin", "country": "DE"},
        *({"postal_code": "10151", "city": "Hannover", "country": "DE"} for _ in range(5)),
        {"postal_code": "10151", "city": "Berlin", "country": "DE"},
    ]
    drafts, changes = apply_to_drafts([*LEARNED, *rows], RULES, "address_drafts")
    assert [row["city"] for row in drafts] == [row["city"] for row in [*LEARNED, *rows]]
    assert [(c["rule"], c["status"], c["before"], c["after"]) for c in changes] == [
        ("postal_code_of_other_city", "proposed", "10151", "10115"),
        ("city_of_other_postal_code", "proposed", "Köln", "Berlin"),
        ("city_of_other_postal_code", "proposed", "Berlin", "Köln"),
    ]


def test_own_rules_need_no_code(apply_to_drafts: Any) -> None:
    rules = chosen_rules(
        "address",
        {"rule": "lookup", "field": "city", "values": {"Ffm": "Frankfurt am Main", "irgendwo": None}},
        {"rule": "replace", "field": "street", "pattern": "(?i)c/o .*$", "name": "care_of"},
        {"rule": "pattern", "field": "region", "pattern": "[A-Z]{2}"},
    )
    rows = [{"city": "FFM", "street": "Weg 1 C/O Maier", "region": "Hessen"}, {"city": "Irgendwo", "region": "HE"}]
    drafts, changes = apply_to_drafts(rows, rules, "address_drafts")
    assert [(d["city"], d["street"], d["region"]) for d in drafts] == [
        ("Frankfurt am Main", "Weg 1", "Hessen"),
        (None, None, "HE"),
    ]
    assert {(c["rule"], c["status"]) for c in changes} == {
        ("city_lookup", "applied"),
        ("care_of", "applied"),
        ("region_pattern", "proposed"),
    }


def test_the_folding_of_lists_is_that_of_the_engine(apply_to_drafts: Any) -> None:
    words = ["Köln", "ß-Straße", "Ål 12", "Ελλάδα", "São Paulo", "c/o", "ÜBER"]
    rules = chosen_rules("address", {"rule": "lookup", "field": "city", "values": dict.fromkeys(words, "found")})
    drafts, _ = apply_to_drafts([{"city": word} for word in words], rules, "address_drafts")
    assert {row["city"] for row in drafts} == {"found"}
