"""A canary person in the sources of every company: where anything may be found of them, and where not."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from pipelines.configuration import load_configuration
from pipelines.warehouse import connect, identifier
from tests.integration.company import Company

CANARY = "Zzyzxkanari"
MAIL = "zzyzxkanari@gmx.de"
RECORD = "canary-00017"


def plant(company: Company, birth_date: str) -> None:
    """One more line in the CRM's contacts, with the canary in every text column."""
    file = company.sample / "crm" / "contacts.csv"
    text = file.read_text(encoding="cp1252")
    header = text.splitlines()[0].split(";")
    mapping = {column: name for name, column in _mapping(company).items() if isinstance(column, str)}
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


def _mapping(company: Company) -> dict[str, object]:
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
        return inside[-1] in {"warehouse.duckdb", "restricted.duckdb", "interim.duckdb", "errors.log"}
    return first in {"landing", "state"} or path == "cache/identity.duckdb"


def assert_nothing_leaked(company: Company, output: str) -> set[str]:
    assert CANARY.lower() not in output.lower()
    assert RECORD not in output
    found = _found(company)
    assert {path for path in found if not _allowed(path)} == set()
    return found
