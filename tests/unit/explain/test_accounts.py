"""An account is explained from the published version: its records, what joined them, and what was not joined."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from pipelines.explain import (
    UnknownError,
    explain_account,
    explain_account_pair,
    is_account,
    tell_account,
    tell_account_pair,
    write_account_page,
)
from pipelines.settings import Settings
from pipelines.warehouse import connect, literal

COMPANIES = [
    ("r_1", "F-1", "Nagel Bau GmbH", "a_nagel"),
    ("r_2", "F-2", "Nagl Bau", "a_nagel"),
    ("r_3", "F-3", "Nagel Bau AG", "a_other"),
    ("r_4", "F-4", "<b>Ulm", "a_ulm"),
]
TABLES = {
    "restricted": {
        "audit.compared_companies": "select column0 as record_key, 'crm' as source_system, "
        "column1 as source_record_id, column2 as name, null as domain, 'DE136695976' as vat_id, "
        "null as register_number, 'Seeweg 9' as street, "
        "'89073' as postal_code, 'Ulm' as city, column0 = 'r_2' as is_deleted from companies",
    },
    "warehouse": {
        "audit.account_links": "select 'r_1' as record_key_a, 'r_2' as record_key_b, 'probabilistic' as method, "
        "'weighed' as rule, 4.56 as match_weight, 'name: a slip away (+7.1)' as reasons",
        "audit.refused_account_links": "select 'r_1' as record_key_a, 'r_3' as record_key_b, 'exact' as method, "
        "'name_and_postal_code' as rule, null::double as match_weight, null as reasons, 'other_legal_form' as reason",
    },
    "state": {
        "main.account_records": "select column0 as record_key, column3 as account_id from companies",
        "main.account_id_history": "select 'a_nagel' as account_id, 'a_nagel' as current_account_id, 'v1' as "
        "status_version union all select 'a_old', 'a_nagel', 'v1' union all select 'a_gone', null, 'v1' union all "
        "select 'a_other', 'a_other', 'v1' union all select 'a_ulm', 'a_ulm', 'v1'",
    },
}


@pytest.fixture
def published(settings: Settings) -> Settings:
    """Three company records, two of them one account."""
    settings.current.mkdir(parents=True)
    with connect(None, settings) as connection:
        connection.execute(
            "create table companies as select * from (values "
            + ", ".join(f"({', '.join(map(literal, row))})" for row in COMPANIES)
            + ") as rows(column0, column1, column2, column3)"
        )
        for name, tables in TABLES.items():
            connection.execute(f"attach {literal(settings.current / f'{name}.duckdb')} as target")
            for table, query in tables.items():
                connection.execute(f"create schema if not exists target.{table.split('.')[0]}")
                connection.execute(f"create table target.{table} as {query}")
            connection.execute("detach target")
    return settings


@pytest.mark.parametrize("name", ["a_nagel", "a_old", "crm:companies:F-2"])
def test_an_account_is_told_by_its_id_an_id_that_went_into_it_or_a_record(published: Settings, name: str) -> None:
    assert is_account(name)
    told = "\n".join(tell_account(explain_account(published, name)))
    assert told.startswith("a_nagel: 2 company records")
    assert "Merged into it: a_old." in told
    assert "crm:companies:F-2  Nagl Bau · DE136695976 · Seeweg 9 · 89073 Ulm · deleted" in told
    assert "1 =   2  weighed field by field, match weight 4.6" in told
    assert "before anything is compared (-14.0), name: a slip away (+7.1)" in told
    assert "crm:companies:F-3  Nagel Bau AG" in told
    assert "two legal forms  [name_and_postal_code; other_legal_form]" in told


@pytest.mark.parametrize(
    ("a", "b", "answer"),
    [
        ("crm:companies:F-1", "crm:companies:F-3", "two legal forms  [name_and_postal_code; other_legal_form]"),
        ("a_other", "a_old", "They are two accounts, because this was refused:"),
        ("crm:companies:F-2", "crm:companies:F-1", "They are one account, a_nagel, by 1 link:"),
        ("crm:companies:F-4", "a_nagel", "They are two accounts: they share neither"),
    ],
)
def test_two_companies_are_told_why_they_are_one_account_or_not(
    published: Settings, a: str, b: str, answer: str
) -> None:
    assert answer in "\n".join(tell_account_pair(explain_account_pair(published, a, b)))


def test_one_company_is_no_pair(published: Settings) -> None:
    with pytest.raises(UnknownError, match="name two"):
        explain_account_pair(published, "a_nagel", "crm:companies:F-1")


def test_the_page_of_an_account_is_private_and_trusts_no_value(published: Settings, tmp_path: Path) -> None:
    file = tmp_path / "account.html"
    write_account_page(explain_account(published, "crm:companies:F-4"), file)
    assert "&lt;b&gt;Ulm" in file.read_text()
    write_account_page(explain_account(published, "a_nagel"), file)
    page = file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "Merged into it: a_old." in page
    assert "weighed field by field, match weight 4.6" in page
    assert "before anything is compared (-14.0), name: a slip away (+7.1)" in page
    assert "two legal forms" in page


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("a_never", "never issued"),
        ("a_gone", "retired since version v1"),
        ("crm:companies:F-9", "not in the published version"),
    ],
)
def test_an_unknown_account_is_a_sentence(published: Settings, name: str, sentence: str) -> None:
    with pytest.raises(UnknownError, match=sentence):
        explain_account(published, name)


@pytest.mark.parametrize("name", ["c_abc", "crm:contacts:K-1", "r_key"])
def test_what_names_a_person_is_no_account(name: str) -> None:
    assert not is_account(name)
