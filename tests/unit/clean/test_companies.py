"""Companies through the whole stage: legal forms, VAT ids, countries."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines import warehouse
from pipelines.company_names import LEGAL_FORMS, SPELLINGS

FORMS = {
    "Löwe Bau GmbH & Co. KG": "GmbH & Co. KG",
    "Löwe Bau G.m.b.H.": "GmbH",
    "Löwe e. K.": "e.K.",
    "Löwe UG (haftungsbeschränkt)": "UG (haftungsbeschränkt)",
    "Löwe Aktiengesellschaft": "AG",
    "Rossi S.p.A.": "S.p.A.",
    "Nowak Sp. z o.o.": "Sp. z o.o.",
    "Leeuw B.V.": "B.V.",
    "Lion Limited": "Ltd",
    "Lion SA": "S.A.",
    "Leu S.à r.l.": "S.à r.l.",
    "Løve A/S": "A/S",
    "Löwe e.U.": "e.U.",
    "Löwe Bau": None,
    "Löwe GmbH&Co.KG": "GmbH & Co. KG",
    "Löwe GmbH & Co": "GmbH & Co. KG",
    "Löwe GmbH u. Co. KG": "GmbH & Co. KG",
    "Löwe GmbH i.L.": "GmbH",
    "Löwe Ges.m.b.H.": "GmbH",
    "Löwe SE & Co. KGaA": "SE & Co. KGaA",
    "Löwe PartGmbB": "PartG",
    "Löwe eGbR": "eGbR",
    "Löwe Co., Ltd.": "Ltd",
    "Lion Corporation": "Corp.",
    "Løve AS": "AS",
    "Lev a.s.": "AS",
    "Oroszlán Zrt.": "Zrt.",
    "León S.L.U.": "S.L.U.",
    "Lew Spółka z o.o.": "Sp. z o.o.",
    "Lõvi OÜ": "OÜ",
    "Лъв ЕООД": "ЕООД",
    "Hotel & Spa": None,
    "Visa": None,
}


def test_the_legal_form_is_taken_from_the_name_and_written_in_one_way(clean: Any) -> None:
    rows = [{"source_record_id": name, "name": name} for name in FORMS]
    given = {"source_record_id": "given", "name": "Löwe", "legal_form": "gmbh und co. kg"}
    cleaned = clean({"crm_companies": [*rows, given]})
    found = {c["source_record_id"]: c["legal_form"] for c in cleaned.tables["companies"]}
    assert found == {**FORMS, "given": "GmbH & Co. KG"}
    assert {c["name"] for c in cleaned.tables["companies"]} == {*FORMS, "Löwe"}


def test_a_form_of_several_countries_is_written_as_in_that_of_the_company(clean: Any) -> None:
    expected = {"CZ": "a.s.", "Slovensko": "a.s.", "TR": "A.Ş.", "DK": "A/S", "NO": "AS"}
    rows = [{"source_record_id": c, "name": "Lev a. s.", "legal_form": "AS", "country": c} for c in expected]
    found = {c["source_record_id"]: c["legal_form"] for c in clean({"crm_companies": rows}).tables["companies"]}
    assert found == expected


def test_every_legal_form_has_a_spelling() -> None:
    assert set(LEGAL_FORMS.values()) == set(SPELLINGS)


VAT_IDS = {
    ("de 136 695 976", "DE"): ("DE136695976", None),
    ("136695976", "Deutschland"): ("DE136695976", None),
    ("DE136695975", "DE"): ("DE136695975", "vat_id_checksum"),
    ("ATU-13585627", "AT"): ("ATU13585627", None),
    ("ATU13585626", "AT"): ("ATU13585626", "vat_id_checksum"),
    ("CHE-123.456.788", "CH"): ("CHE123456788", None),
    ("CHE-107.787.577 MWST", "CH"): ("CHE107787577", None),
    ("CHE-107.787.578", "CH"): ("CHE107787578", "vat_id_checksum"),
    ("NO 995 525 828 MVA", "NO"): ("NO995525828", None),
    ("NO995525829MVA", "NO"): ("NO995525829", "vat_id_checksum"),
    ("GB 980 7806 84", "GB"): ("GB980780684", None),
    ("GB980780685", "GB"): ("GB980780685", "vat_id_checksum"),
    ("USt-IdNr. DE136695976", "DE"): ("DE136695976", None),
    ("12/345/67890", "DE"): ("12/345/67890", None),
    ("beantragt", "DE"): (None, None),
    ("GR094259216", "GR"): ("EL094259216", None),
    ("BE 428.759.497", "BE"): ("BE0428759497", None),
    ("12892312-2-42", "HU"): ("HU12892312", None),
    ("U13585627", "AT"): ("ATU13585627", None),
    ("B58378431", "ES"): ("ESB58378431", None),
    ("40303265045", "FR"): ("FR40303265045", None),
    ("NL004495445B01", "NL"): ("NL004495445B01", None),
    ("004495445B01", "NL"): ("NL004495445B01", None),
    ("HR33392005961", "HR"): ("HR33392005961", None),
    ("33392005961", "HR"): ("HR33392005961", None),
    ("25123891", "CZ"): ("CZ25123891", None),
}


def test_a_vat_id_has_one_form_and_a_wrong_check_digit_is_proposed_for_correction(
    clean: Any, run_clean: Any, settings: Any
) -> None:
    rows = [
        {"source_record_id": vat_id, "name": "Löwe", "vat_id": vat_id, "country": country}
        for vat_id, country in VAT_IDS
    ]
    first = clean({"crm_companies": rows})
    proposed = {c["source_record_id"]: c["rule"] for c in first.rows("corrections", status="proposed")}
    found = {
        c["source_record_id"]: (c["vat_id"], proposed.get(c["source_record_id"])) for c in first.tables["companies"]
    }
    assert found == {vat_id: expected for (vat_id, _), expected in VAT_IDS.items()}
    assert (settings.data_dir / "cache" / "vat_ids.duckdb").exists()
    assert run_clean() == first


@pytest.fixture
def reject(settings: Any) -> Any:
    """Write `config.overrides` into the open build: rows of (kind, record key, field, value, is_active)."""

    def write(*rows: tuple[str, str, str, str | None, bool]) -> None:
        with warehouse.connect(settings.build_warehouse, settings) as connection:
            connection.execute("create schema if not exists config")
            connection.execute(
                "create or replace table config.overrides "
                "(kind text, a_record_key text, b_record_key text, field text, value text, is_active boolean)"
            )
            for kind, key, field, value, is_active in rows:
                connection.execute(
                    "insert into config.overrides values (?, ?, null, ?, ?, ?)", [kind, key, field, value, is_active]
                )

    return write


def test_a_rejected_correction_is_off_for_that_record_and_field_and_for_no_other(
    clean: Any, run_clean: Any, reject: Any
) -> None:
    rows = [
        {
            "source_record_id": i,
            "first_name": "MAX",
            "last_name": "MC DONALD",
            "email": "m@gmial.com",
            "street": "Weg 5",
        }
        for i in "123"
    ]
    company = {"source_record_id": "f", "name": "Löwe AG"}
    before = clean({"crm_contacts": rows, "crm_companies": [company]})
    key = {i: before.person(i)["record_key"] for i in "123"}
    reject(
        ("reject-correction", key["1"], "last_name", None, True),
        ("reject-correction", key["1"], "email", "m@gmail.com", True),
        ("reject-correction", key["1"], "house_number", None, True),
        ("reject-correction", key["2"], "first_name", "another value", True),
        ("reject-correction", key["2"], "last_name", None, False),
        ("must-link", key["3"], "last_name", None, True),
        ("reject-correction", before.tables["companies"][0]["record_key"], "legal_form", None, True),
    )
    after = run_clean()
    assert [after.person(i)["last_name"] for i in "123"] == ["MC DONALD", "Mc Donald", "Mc Donald"]
    assert [after.person(i)["first_name"] for i in "123"] == ["Max", "Max", "Max"]
    assert [after.person(i)["email"] for i in "123"] == ["m@gmial.com", "m@gmail.com", "m@gmail.com"]
    assert [(after.person(i)["street"], after.person(i)["house_number"]) for i in "123"] == [
        ("Weg 5", None),
        ("Weg", "5"),
        ("Weg", "5"),
    ]
    assert [c["legal_form"] for c in after.tables["companies"]] == [None]
    assert {c["field"] for c in after.rows("corrections", record_key=key["1"])} == {"first_name"}
    assert [(e["raw_value"], e["value"]) for e in after.tables["emails"]] == [("m@gmial.com", "m@gmail.com")]
    points = {p["record_key"]: p["value"] for p in after.rows("contact_points", kind="email")}
    assert points == {key["1"]: "m@gmial.com", key["2"]: "m@gmail.com", key["3"]: "m@gmail.com"}
