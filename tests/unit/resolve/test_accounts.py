"""Company records that are one company, orders that name it, and ids that stay."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from duckdb import DuckDBPyConnection
from stdnum.iso7064 import mod_11_10

from pipelines.clean.companies import write_companies
from pipelines.clean.countries import create_country_names
from pipelines.clean.drafts import load_rejections
from pipelines.clean.functions import create_functions
from pipelines.clean.rules import start_log
from pipelines.configuration import load_configuration
from pipelines.keys import record_key
from pipelines.resolve import resolve_accounts
from pipelines.resolve.account_evidence import LARGEST_BLOCK, MOST_NAMES
from pipelines.settings import Settings
from pipelines.warehouse import connect, literal
from tests.raw_tables import create_raw_tables, insert_rows
from tests.unit.resolve.conftest import create_persons, make_build

Row = dict[str, Any]
Accounts = dict[str, str]

VAT, OTHER_VAT = "DE136695976", "DE811569869"
ULM = {"postal_code": "89073", "city": "Ulm"}


@pytest.fixture(scope="module")
def staged(staged_warehouse: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A build with empty raw tables and the real staging views over them."""
    settings = Settings.from_environment(
        {"KUNDENSTAMM_DATA_DIR": str(tmp_path_factory.mktemp("accounts")), "KUNDENSTAMM_THREADS": "1"}
    )
    settings.build_dir.mkdir(parents=True)
    shutil.copy(staged_warehouse, settings.build_warehouse)
    return settings


class Companies:
    """Company records by id, and the account of each after resolving."""

    def __init__(self, connection: DuckDBPyConnection, settings: Settings) -> None:
        self.connection, self.settings = connection, settings

    def resolve(
        self,
        companies: list[Row],
        orders: list[Row] | None = None,
        version: str = "",
        contacts: list[Row] | None = None,
    ) -> Accounts:
        """Account by source id, of companies and of orders that name one; `contacts` are rows of `clean.persons`."""
        create_raw_tables(self.connection, self.settings)
        for table, rows in (("crm_companies", companies), ("shop_orders", orders)):
            if rows:
                insert_rows(self.connection, table, rows)
        create_functions(self.connection)
        create_country_names(self.connection)
        self.connection.execute("create schema if not exists clean")
        start_log(self.connection)
        load_rejections(self.connection)
        configuration = load_configuration(self.settings)
        create_persons(self.connection, contacts or [])
        cleaning = configuration.cleaning
        write_companies(self.connection, self.settings, cleaning.company, "DE", cleaning.email_matching)
        build = make_build(version) if version else make_build()
        self.report = resolve_accounts(self.connection, self.settings, configuration, build)
        found = {}
        for source, entity, table in (("crm", "companies", "records"), ("shop", "orders", "orders")):
            key = record_key(literal(source), literal(entity), "source_record_id")
            found |= dict(
                self.connection.execute(
                    f"select source_record_id, account_id from raw.{source}_{entity} "
                    f"join identity.account_{table} as a on a.record_key = {key}"
                ).fetchall()
            )
        return found

    def publish(self) -> None:
        """Keep the assignment as publishing does."""
        self.settings.current.mkdir(parents=True, exist_ok=True)
        file = self.settings.current / "state.duckdb"
        file.unlink(missing_ok=True)
        self.connection.execute(f"attach {literal(file)} as target")
        for table in ("account_records", "account_id_history"):
            self.connection.execute(f"create table target.{table} as from identity.{table}")
        self.connection.execute("detach target")


@pytest.fixture
def companies(staged: Settings) -> Iterator[Companies]:
    with connect(staged.build_warehouse, staged) as connection:
        yield Companies(connection, staged)
    (staged.current / "state.duckdb").unlink(missing_ok=True)


TOWNS = {
    "Aachen": "52062",
    "Berlin": "10115",
    "Bonn": "53111",
    "Bremen": "28195",
    "Dresden": "01067",
    "Erfurt": "99084",
    "Essen": "45127",
    "Halle": "06108",
    "Hamburg": "20095",
    "Hannover": "30159",
    "Jena": "07743",
    "Kassel": "34117",
    "Kiel": "24103",
    "Leipzig": "04109",
    "Mainz": "55116",
    "Potsdam": "14467",
    "Rostock": "18055",
    "Brake": "26919",
    "Hof": "95028",
    "Husum": "25813",
    "Emden": "26721",
    "Celle": "29221",
    "Suhl": "98527",
    "Gera": "07545",
    "Hagen": "58095",
    "Fulda": "36037",
    "Speyer": "67346",
    "Worms": "67547",
    "Trier": "54290",
}


def at(town: str) -> Row:
    return {"postal_code": TOWNS[town], "city": town}


def vat_id(digits: str) -> str:
    """A German VAT id whose check digit is right."""
    return "DE" + digits + mod_11_10.calc_check_digit(digits)


def house(town: str) -> Row:
    return {"street": "Seeweg 9", **at(town)}


# Two records, and whether they are one company. All are resolved together: names, numbers and town are a pair's own.
PAIRS: dict[str, tuple[Row, Row, bool]] = {
    "one VAT id, written otherwise": ({"vat_id": VAT}, {"vat_id": "de 136 695 976"}, True),
    "two VAT ids": ({"vat_id": OTHER_VAT}, {"vat_id": vat_id("30000001")}, False),
    "a filler is no VAT id": ({"vat_id": "DE000000000"}, {"vat_id": "DE000000000"}, False),
    "an example is no VAT id": ({"vat_id": "DE123456789"}, {"vat_id": "DE123456789"}, False),
    "one register entry": (
        {"register_number": "HRB 4711", "city": "München"},
        {"register_number": "Amtsgericht München HRB4711"},
        True,
    ),
    "one number at two courts": (
        {"register_number": "HRB 4712", "city": "Ulm"},
        {"register_number": "HRB 4712", "city": "Köln"},
        False,
    ),
    "one name in one town": ({"name": "Nagel GmbH", **at("Aachen")}, {"name": "NAGEL G.m.b.H.", **at("Aachen")}, True),
    "legal form left out": ({"name": "Huber GmbH", **at("Berlin")}, {"name": "Huber", **at("Berlin")}, True),
    "two legal forms": ({"name": "Kurz GmbH", **at("Bonn")}, {"name": "Kurz AG", **at("Bonn")}, False),
    "two towns": ({"name": "Vogel", **at("Bremen")}, {"name": "Vogel", "postal_code": "50667"}, False),
    "a name alone": ({"name": "Winter"}, {"name": "Winter"}, False),
    "a placeholder is no name": ({"name": "n/a", **at("Dresden")}, {"name": "n/a", **at("Dresden")}, False),
    "one name, two VAT ids": (
        {"name": "Brandt", "vat_id": vat_id("30000002"), **at("Erfurt")},
        {"name": "Brandt", "vat_id": vat_id("40000003"), **at("Erfurt")},
        False,
    ),
    "a website alone": ({"domain": "seidel.example"}, {"domain": "seidel.example"}, False),
    "one name at one website": (
        {"name": "Pohl Bau GmbH", "domain": "https://www.pohl.example/kontakt"},
        {"name": "Pohl-Bau", "domain": "pohl.example"},
        True,
    ),
    "two companies of a group at one website": (
        {"name": "Engel Bau GmbH", "domain": "engel.example"},
        {"name": "Engel Druck GmbH", "domain": "engel.example"},
        False,
    ),
    "a daughter in the same house": (
        {"name": "Busch GmbH", "domain": "busch.example", "street": "Seeweg 9", **at("Essen")},
        {"name": "Busch Verwaltungs-GmbH", "domain": "busch.example", "street": "Seeweg 9", **at("Essen")},
        False,
    ),
    "two companies of a group in the same house": (
        {"name": "Horn Bau GmbH", "domain": "horn.example", "street": "Seeweg 9", **at("Halle")},
        {"name": "Horn Druck GmbH", "domain": "horn.example", "street": "Seeweg 9", **at("Halle")},
        False,
    ),
    "a free provider is no website": (
        {"name": "Sauer Bau", "domain": "sauer.example"},
        {"name": "Sauer Bau", "domain": "info@gmx.de"},
        False,
    ),
    "a page among those of many is no website": (
        {"name": "Arnold Bau", "domain": "facebook.com/arnold"},
        {"name": "Arnold Bau", "domain": "www.facebook.com/arnold"},
        False,
    ),
    "a slip in the name in one house": (
        {"name": "Hoffmann Metall GmbH", "street": "Hauptstraße 5", **at("Hamburg")},
        {"name": "Hofmann Metall GmbH", "street": "Hauptstr. 5", **at("Hamburg")},
        True,
    ),
    "nearly one name in one town": (
        {"name": "Lehmann Glas GmbH", "street": "Hauptstraße 5", **at("Hannover")},
        {"name": "Leemann Glas GmbH", "street": "Seeweg 9", **at("Hannover")},
        False,
    ),
    "another figure is no slip": (
        {"name": "Hotel am See Haus 1", "street": "Seeweg 9", **at("Jena")},
        {"name": "Hotel am See Haus 2", "street": "Seeweg 9", **at("Jena")},
        False,
    ),
    "the words in another order in one house": (
        {"name": "Logistik Berger GmbH", "street": "Seeweg 9", **at("Kassel")},
        {"name": "Berger Logistik", "street": "Seeweg 9", **at("Kassel")},
        True,
    ),
    "umlauts and the word and": (
        {"name": "Müller & Söhne", **at("Kiel")},
        {"name": "Mueller und Soehne", **at("Kiel")},
        True,
    ),
    "alike in everything but the legal form": (
        {"name": "Bergmann Holz GmbH", "street": "Hauptstraße 5", "domain": "bergmann.example", **at("Leipzig")},
        {"name": "Bergman Holz AG", "street": "Hauptstraße 5", "domain": "bergmann.example", **at("Leipzig")},
        False,
    ),
    "one name, the VAT id mistyped": (
        {"name": "Ziegler", "vat_id": "DE136695984", **at("Mainz")},
        {"name": "Ziegler", "vat_id": "DE136695948", **at("Mainz")},
        True,
    ),
    "one name, VAT ids of two countries": (
        {"name": "Krüger", "vat_id": vat_id("30000004"), **at("Potsdam")},
        {"name": "Krüger", "vat_id": "ATU13585627", **at("Potsdam")},
        True,
    ),
    "parks that differ in a Roman number": (
        {"name": "Windpark Nord I GmbH & Co. KG", "domain": "windpark.example", **house("Trier")},
        {"name": "Windpark Nord II GmbH & Co. KG", "domain": "windpark.example", **house("Trier")},
        False,
    ),
    "objects that differ in a letter": (
        {"name": "Objekt Hafen A GmbH", "domain": "hafen.example", **house("Worms")},
        {"name": "Objekt Hafen B GmbH", "domain": "hafen.example", **house("Worms")},
        False,
    ),
    "east and west": (
        {"name": "Wohnbau Ost GmbH", "domain": "wohnbau.example", **house("Speyer")},
        {"name": "Wohnbau West GmbH", "domain": "wohnbau.example", **house("Speyer")},
        False,
    ),
    "another short word is no slip": (
        {"name": "Kern Bau GmbH", "domain": "kern.example", **house("Fulda")},
        {"name": "Kern Bad GmbH", "domain": "kern.example", **house("Fulda")},
        False,
    ),
    "a slip in a name of other words in order": (
        {"name": "Kellermann Logistik", "domain": "kellermann.example", **house("Hagen")},
        {"name": "Logistik Kelermann", "domain": "kellermann.example", **house("Hagen")},
        True,
    ),
    "what it is, without a name": (
        {"name": "Apotheke", "street": "Seeweg 9", **at("Gera")},
        {"name": "Apotheke", "street": "Hauptstraße 5", **at("Gera")},
        False,
    ),
    "nobody's company": ({"name": "privat", **at("Suhl")}, {"name": "Privat", **at("Suhl")}, False),
    "one name, another house and another website": (
        {"name": "Burgpalast", "domain": "burgpalast.example", "street": "Seeweg 9", **at("Celle")},
        {"name": "Burgpalast", "domain": "palast.example", "street": "Hauptstraße 5", **at("Celle")},
        False,
    ),
    "the town in the name": (
        {"name": "Autohaus Lindt", "domain": "lindt.example", **house("Emden")},
        {"name": "Autohaus Lindt Emden", "domain": "lindt.example", **house("Emden")},
        True,
    ),
    "its owner in the name": (
        {"name": "Bäckerei Lenz", **at("Husum")},
        {"name": "Bäckerei Lenz Inh. Karl Lenz", **at("Husum")},
        True,
    ),
    "AS with a stroke": ({"name": "Møbler A/S", **at("Hof")}, {"name": "Mobler AS", **at("Hof")}, True),
    "being founded": ({"name": "Startklar GmbH i. G.", **at("Brake")}, {"name": "Startklar GmbH", **at("Brake")}, True),
    "one VAT id of a group, two entries at one court": (
        {"name": "Brunner Bau GmbH", "vat_id": vat_id("30000007"), "register_number": "HRB 4715", "city": "Ulm"},
        {"name": "Brunner Druck GmbH", "vat_id": vat_id("30000007"), "register_number": "HRB 4716", "city": "Ulm"},
        False,
    ),
    "one VAT id, the entry mistyped": (
        {"name": "Brenner Bau GmbH", "vat_id": vat_id("30000008"), "register_number": "HRB 4717", "city": "Ulm"},
        {"name": "Brenner Bau GmbH", "vat_id": vat_id("30000008"), "register_number": "HRB 4771", "city": "Ulm"},
        True,
    ),
    "one entry, two VAT ids and names": (
        {"name": "Kramer Bau", "vat_id": vat_id("30000009"), "register_number": "HRB 4718", "city": "Ulm"},
        {"name": "Holz und Dach", "vat_id": vat_id("30000010"), "register_number": "HRB 4718", "city": "Ulm"},
        False,
    ),
    "two entries at one court": (
        {"name": "Simon", "register_number": "HRB 4713", **at("Rostock")},
        {"name": "Simon", "register_number": "HRB 4714", **at("Rostock")},
        False,
    ),
}


@pytest.fixture(scope="module")
def accounts_of_pairs(staged: Settings) -> Accounts:
    """The account of each record of `PAIRS`; no account has records of two pairs."""
    records = [
        {"source_record_id": f"{name}, {letter}"} | record
        for name, pair in PAIRS.items()
        for letter, record in zip("ab", pair[:2], strict=True)
    ]
    with connect(staged.build_warehouse, staged) as connection:
        accounts = Companies(connection, staged).resolve(records)
    pairs_of = {account: {r[:-3] for r, found in accounts.items() if found == account} for account in accounts.values()}
    assert all(len(pairs) == 1 for pairs in pairs_of.values()), pairs_of
    return accounts


@pytest.mark.parametrize("pair", PAIRS)
def test_what_makes_two_records_one_company(accounts_of_pairs: Accounts, pair: str) -> None:
    *_, is_one = PAIRS[pair]
    assert (accounts_of_pairs[f"{pair}, a"] == accounts_of_pairs[f"{pair}, b"]) is is_one


def test_a_record_without_anything_is_an_account_of_its_own(companies: Companies) -> None:
    accounts = companies.resolve([{"source_record_id": "a"}, {"source_record_id": "b", "deleted_at": "2026-01-01"}])
    assert len(set(accounts.values())) == 2
    assert all(account.startswith("a_") and len(account) == 18 for account in accounts.values())


def test_no_company_at_all_is_no_account(companies: Companies) -> None:
    assert companies.resolve([]) == {}


def test_merged_at_the_source_is_one_account_over_several_steps(companies: Companies) -> None:
    merged = {"c": None, "b": "c", "a": "b"}
    accounts = companies.resolve([{"source_record_id": a, "merged_into_record_id": b} for a, b in merged.items()])
    assert len(set(accounts.values())) == 1


def test_a_number_that_many_names_carry_is_nobody_s(companies: Companies) -> None:
    names = [f"Nagel {chr(97 + n)}" for n in range(MOST_NAMES + 1)]
    rows = [{"source_record_id": name, "name": name, "vat_id": VAT} for name in names]
    assert len(set(companies.resolve(rows).values())) == len(rows)
    assert len(set(companies.resolve(rows[1:]).values())) == 1


def test_an_order_names_the_account_by_number_before_name(companies: Companies) -> None:
    nagel = {"source_record_id": "nagel", "name": "Nagel GmbH", "vat_id": VAT, **ULM}
    huber = {"source_record_id": "huber", "name": "Huber AG", "vat_id": OTHER_VAT, **ULM}
    twins = [{"source_record_id": f"kurz{n}", "name": "Kurz", "vat_id": None, **ULM} for n in (1, 2)]
    twins[0]["legal_form"], twins[1]["legal_form"] = "GmbH", "AG"
    accounts = companies.resolve(
        [nagel, huber, *twins],
        [
            {
                "source_record_id": "by_number",
                "vat_id": VAT,
                "company_name": "Huber AG",
                "billing_postal_code": "89073",
            },
            {"source_record_id": "by_name", "company_name": "huber ag", "billing_postal_code": "89073"},
            {"source_record_id": "elsewhere", "company_name": "Huber AG", "billing_postal_code": "10115"},
            {"source_record_id": "of_two", "company_name": "Kurz", "billing_postal_code": "89073"},
            {"source_record_id": "private"},
        ],
    )
    assert accounts["by_number"] == accounts["nagel"]
    assert accounts["by_name"] == accounts["huber"]
    assert not {"elsewhere", "of_two", "private"} & set(accounts)


def test_the_id_stays_when_records_come_go_and_are_joined(companies: Companies) -> None:
    nagel = {"source_record_id": "nagel", "name": "Nagel", "created_at": "2024-01-01", **ULM}
    huber = {"source_record_id": "huber", "name": "Huber", "created_at": "2025-01-01", **ULM}
    first = companies.resolve([nagel, huber], version="20260101T000000Z-0000000a")
    companies.publish()
    older = {"source_record_id": "older", "name": "Nagel", "created_at": "2020-01-01", **ULM}
    second = companies.resolve(
        [older, nagel | {"vat_id": VAT}, huber | {"vat_id": VAT}], version="20260102T000000Z-0000000b"
    )
    assert set(second.values()) == {first["nagel"]} or set(second.values()) == {first["huber"]}
    kept = set(second.values()).pop()
    query = "select account_id, current_account_id from identity.account_id_history"
    history = dict(companies.connection.execute(query).fetchall())
    assert history == {first["nagel"]: kept, first["huber"]: kept}
    companies.publish()
    third = companies.resolve([nagel, huber], version="20260103T000000Z-0000000c")
    assert third == first


def test_the_order_of_records_is_irrelevant(companies: Companies) -> None:
    rows = [{"source_record_id": n, "name": f"Nagel {n[0]}", **ULM} for n in ("a1", "b1", "a2", "b2", "c")]
    assert companies.resolve(rows) == companies.resolve(rows[::-1])


def test_people_join_and_separate_companies_against_all_evidence(companies: Companies) -> None:
    def decide(kind: str, a: str, b: str) -> None:
        keys = ", ".join(record_key("'crm'", "'companies'", literal(c)) for c in (a, b))
        companies.connection.execute(
            "insert into config.overrides (kind, a_record_key, b_record_key, is_active) "
            f"select {literal(kind)}, {keys}, true"
        )

    rows = [{"source_record_id": c, "vat_id": VAT} for c in "abc"] + [{"source_record_id": "d", "vat_id": OTHER_VAT}]
    try:
        assert len(set(companies.resolve(rows).values())) == 2
        decide("cannot-link", "a", "c")
        decide("must-link", "c", "d")
        accounts = companies.resolve(rows)
        assert accounts["a"] == accounts["b"] != accounts["c"] == accounts["d"]
    finally:
        companies.connection.execute("drop table config.overrides")


def test_whom_one_record_fits_equally_well_is_not_guessed(companies: Companies) -> None:
    house = {"street": "Seeweg 9", **ULM}
    rows = [
        {"source_record_id": "gmbh", "name": "Nagel Bau GmbH", **house},
        {"source_record_id": "ag", "name": "Nagel Bau AG", **house},
        {"source_record_id": "either", "name": "Nagel Bau", **house},
    ]
    assert len(set(companies.resolve(rows).values())) == 3
    reasons = "select reason, count(*) from identity.refused_account_links group by reason order by reason"
    assert companies.connection.execute(reasons).fetchall() == [("ambiguous", 2), ("other_legal_form", 1)]


def test_a_website_of_many_names_is_nobody_s(companies: Companies) -> None:
    twice = [{"source_record_id": n, "name": "Nagel Bau", "domain": "centre.example"} for n in ("a", "b")]
    others = [
        {"source_record_id": f"o{n}", "name": f"Firma {chr(97 + n) * 3}", "domain": "centre.example"}
        for n in range(MOST_NAMES)
    ]
    joined, apart = companies.resolve([*twice, *others[1:]]), companies.resolve([*twice, *others])
    assert joined["a"] == joined["b"]
    assert apart["a"] != apart["b"]


def test_a_company_without_a_website_has_that_of_its_contacts_mailboxes(companies: Companies) -> None:
    rows = [
        {"source_record_id": "a", "name": "Nagel Bau GmbH", "domain": "nagel.example"},
        {"source_record_id": "b", "name": "Nagel Bau"},
    ]
    companies.resolve(rows)
    [(key,)] = companies.connection.execute(
        "select record_key from clean.companies where name = 'Nagel Bau'"
    ).fetchall()
    mailboxes = ["anna@nagel.example", "otto@nagel.example", "private@gmx.de", "guest@other.example"]
    contacts = [
        {"record_key": mailbox, "email": mailbox, "is_email_valid": True, "company_record_key": key}
        for mailbox in mailboxes
    ]
    accounts = companies.resolve(rows, contacts=contacts)
    assert accounts["a"] == accounts["b"]
    accounts = companies.resolve(rows, contacts=contacts[2:])
    assert accounts["a"] != accounts["b"]


def test_a_link_says_what_it_is_made_of_and_the_parts_add_up(companies: Companies) -> None:
    companies.resolve(
        [
            {"source_record_id": "a", "name": "Hoffmann Metall GmbH", "street": "Hauptstraße 5", **ULM},
            {
                "source_record_id": "b",
                "name": "Hofmann Metall GmbH",
                "street": "Hauptstr. 5",
                "domain": "h.example",
                **ULM,
            },
            {"source_record_id": "c", "name": "Hofmann Metall", "domain": "h.example"},
        ]
    )
    query = "select method, rule, match_weight, reasons from identity.account_links order by match_weight"
    links = companies.connection.execute(query).fetchall()
    assert {(method, rule) for method, rule, *_ in links} == {("probabilistic", "weighed")}
    for _, _, weight, reasons in links:
        parts = [float(part) for part in re.findall(r"\(([+-][0-9.]+)\)", reasons)]
        assert weight == pytest.approx(sum(parts) - 14, abs=0.05 * (len(parts) + 1))
    assert "name: a slip away" in str(links)
    assert not re.search("hof|haupt|89073|example", str(links).lower()), "no value in what analysts may read"


def test_records_of_a_huge_block_are_compared_with_their_neighbours_only_and_counted(companies: Companies) -> None:
    rows = [{"source_record_id": f"{n:03}", "name": "Riesenwerk", **ULM} for n in range(LARGEST_BLOCK + 1)]
    assert len(set(companies.resolve(rows).values())) == 1
    assert companies.report.oversized_count == len(rows)
