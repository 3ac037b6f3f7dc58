"""A canary person is planted in the sources: where may be found of them, and where not."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.sample import break_sample
from pipelines.warehouse import connect, identifier
from tests.integration.company import Company, said

pytestmark = pytest.mark.slow

CANARY = "Zzyzxkanari"
MAIL = "zzyzxkanari@gmx.de"
RECORD = "canary-00017"


def _plant(company: Company, birth_date: str) -> None:
    """One more line in the CRM's contacts, with the canary in every text column."""
    file = company.sample / "crm" / "contacts.csv"
    text = file.read_text(encoding="cp1252")
    header = text.splitlines()[0].split(";")
    mapping = {column: name for name, column in company_mapping(company).items() if isinstance(column, str)}
    values = []
    for column in header:
        name = mapping.get(column.strip('"'), column.strip('"'))
        value = {
            "source_record_id": RECORD,
            "first_name": CANARY,
            "last_name": CANARY,
            "full_name": "",
            "email": MAIL,
            "birth_date": birth_date,
            "country": "DE",
        }.get(name, "")
        values.append(value)
    file.write_text(text.rstrip("\n") + "\n" + ";".join(values) + "\n", encoding="cp1252")


def company_mapping(company: Company) -> dict[str, object]:
    from pipelines.configuration import load_configuration

    source = load_configuration(company.settings, company.environment).source("crm")
    return dict(source.entities["contacts"].columns)


def _texts_of(file: Path, company: Company) -> Iterator[str]:
    """Everything readable in a file: tables of DuckDB and SQLite through SQL, else the bytes."""
    head = file.read_bytes()[:16] if file.stat().st_size else b""
    if file.suffix == ".duckdb":
        with connect(None, company.settings, attach={"searched": file}) as connection:
            for schema, table in connection.execute(
                "select schema_name, table_name from duckdb_tables() where database_name = 'searched'"
            ).fetchall():
                name = f"searched.{identifier(schema)}.{identifier(table)}"
                query = f"select count(*) from {name} t where contains(lower(t::text), lower($1))"
                for needle in (CANARY, RECORD):
                    [(count,)] = connection.execute(query, [needle]).fetchall()
                    if count:
                        yield needle
    elif head.startswith(b"SQLite format 3"):
        with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as database:
            yield from database.iterdump()
    else:
        yield file.read_bytes().decode("utf-8", errors="replace")


def _found(company: Company) -> set[str]:
    """Files in which the canary is readable, relative to the data folder where they are below it; not the sources."""
    return {
        str(file.relative_to(company.data if file.is_relative_to(company.data) else company.root))
        for file in sorted(company.root.rglob("*"))
        if file.is_file()
        and not file.is_symlink()
        and not file.is_relative_to(company.sample)
        and any(n.lower() in text.lower() for text in _texts_of(file, company) for n in (CANARY, RECORD))
    }


def _allowed(path: str) -> bool:
    first, *inside = path.split("/")
    if first == "published":
        return inside[2:3] in (["restricted.duckdb"], ["state.duckdb"], ["audiences"])
    if first in {"build", "builds"}:
        return inside[-1] in {"warehouse.duckdb", "errors.log"}
    return first in {"landing", "state"}


def _assert_nothing_leaked(company: Company, output: str) -> set[str]:
    assert CANARY.lower() not in output.lower()
    assert RECORD not in output
    found = _found(company)
    assert {path for path in found if not _allowed(path)} == set()
    return found


def test_a_person_is_readable_only_where_the_architecture_allows_it(fresh: Company) -> None:
    """After success, after a rejected record (a birth date that is none), and after a refusal."""
    _plant(fresh, "12.03.1980")
    done = fresh.run()
    assert done.returncode == 0, said(done)
    found = _assert_nothing_leaked(fresh, said(done))
    assert "landing/crm.duckdb" in found, "the search must be able to find the canary"
    assert any(path.endswith("restricted.duckdb") for path in found)

    _plant(fresh, f"{CANARY} 1980")
    break_sample(fresh.sample, "invalid_emails", 0.3)
    refused = fresh.run()
    assert refused.returncode == 2, said(refused)
    _assert_nothing_leaked(fresh, said(refused))


@pytest.mark.parametrize(
    ("materialized", "sentence"),
    [
        pytest.param("table", "dbt could not build stg_crm__contacts", id="in a step of dbt"),
        pytest.param("view", "a value does not fit the type of its column", id="in a step of Python"),
    ],
)
def test_an_error_of_the_engine_that_names_a_person_is_in_the_private_log_only(
    fresh: Company, materialized: str, sentence: str
) -> None:
    """A model that casts without mercy, so that DuckDB's message repeats the canary's name."""
    _plant(fresh, "12.03.1980")
    model = fresh.check_out() / "dbt_project" / "models" / "staging" / "stg_crm__contacts.sql"
    merciful = "select * from cast_and_trimmed"
    text = model.read_text()
    assert merciful in text
    cast = "(case when last_name like 'Zzyzx%' then last_name::integer end)::text"
    merciless = f"select * replace ({cast} as job_title) from cast_and_trimmed"
    model.write_text(f"{{{{ config(materialized='{materialized}') }}}}\n{text.replace(merciful, merciless)}")

    failed = fresh.run()

    assert failed.returncode == 1, said(failed)
    assert sentence in said(failed)
    assert "Traceback" not in said(failed)
    found = _assert_nothing_leaked(fresh, said(failed))
    assert "build/errors.log" in found, "the engine's own words must name the canary"
    assert not any(path.startswith("published") for path in found)
    told = fresh.call("status")
    assert sentence in said(told)
    assert CANARY not in said(told)
