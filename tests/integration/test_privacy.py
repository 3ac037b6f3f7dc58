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


def _found(folder: Path, company: Company) -> set[str]:
    """Files below a folder in which the canary is readable, relative to the data folder."""
    return {
        str(file.relative_to(company.data))
        for file in sorted(folder.rglob("*"))
        if file.is_file()
        and not file.is_symlink()
        and any(n.lower() in text.lower() for text in _texts_of(file, company) for n in (CANARY, RECORD))
    }


def _allowed(path: str) -> bool:
    first = path.split("/", maxsplit=1)[0]
    inside_version = path.split("/")[3:] if first == "published" else []
    return (
        first in {"landing", "builds", "state", "tmp", "cache"}
        or (first == "build" and ("report" not in path and "dbt" not in path))
        or inside_version[:1] in (["restricted.duckdb"], ["state.duckdb"], ["audiences"])
    )


def _assert_nothing_leaked(company: Company, output: str) -> set[str]:
    assert CANARY.lower() not in output.lower()
    assert RECORD not in output
    found = _found(company.data, company)
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


def test_an_engine_error_in_a_step_leaves_the_value_in_the_private_log_only(fresh: Company) -> None:
    """A mapping that casts a text without mercy makes DuckDB name the value in its error."""
    _plant(fresh, "12.03.1980")
    sources = fresh.config / "sources.yml"
    text = sources.read_text()
    marker = "      contacts:\n"
    assert marker in text
    before, after = text.split(marker, 1)
    column = company_mapping(fresh)["last_name"]
    broken = after.replace(
        "columns:\n", f"columns:\n          job_title: {{sql: 'cast(\"{column}\" as integer)::text'}}\n", 1
    )
    sources.write_text(before + marker + broken)
    failed = fresh.run()
    assert failed.returncode in {1, 2, 4}, said(failed)
    assert "Traceback" not in said(failed)
    _assert_nothing_leaked(fresh, said(failed))
