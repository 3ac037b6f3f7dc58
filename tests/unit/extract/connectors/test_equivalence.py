"""The same company through files, a database and a vendor's API is the same company."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipelines.configuration import load_configuration
from pipelines.configuration.documents import read_document
from pipelines.configuration.sources import SourcesConfig
from pipelines.extract import build_raw, load_source
from pipelines.sample import generate_sample
from pipelines.sample.servers.serving import VendorServer
from pipelines.sample.servers.zendesk import ORDER_FIELD, TOPIC_FIELD, ZendeskServer, read_support_desk
from pipelines.settings import PROJECT_DIR, Settings
from pipelines.warehouse import connect
from tests.sharing import make_once
from tests.unit.extract.connectors.conftest import FIRST_NIGHT, Server
from tests.unit.sample.conftest import loaded

Rows = dict[str, list[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def company(shared_folder: Path) -> Path:
    """A small sample company."""

    def make(folder: Path) -> None:
        generate_sample(folder, customers=80, seed=3, as_of=date.fromisoformat("2026-11-21"))

    return make_once(shared_folder / "equivalent", make)


@pytest.fixture(scope="module")
def shipped() -> list[dict[str, Any]]:
    """The shipped entries of the sample's ten systems, as they stand in sources.yml."""
    return list(read_document(PROJECT_DIR / "config" / "sources.yml").data["sources"])


@pytest.fixture(scope="module")
def raw_of(tmp_path_factory: pytest.TempPathFactory, company: Path) -> Any:
    """What `raw.*` holds when the sources are read as given; those that are switched off are not."""
    folder = tmp_path_factory.mktemp("equivalent")
    configuration = load_configuration(Settings.from_environment({}))

    def read(name: str, sources: list[dict[str, Any]]) -> Rows:
        own = Settings.from_environment({"KUNDENSTAMM_DATA_DIR": str(folder / name), "KUNDENSTAMM_THREADS": "2"})
        controllers = sorted({source["controller"] for source in sources})
        described = replace(
            configuration,
            company=configuration.company.model_copy(update={"controllers": controllers}),
            sources_file=SourcesConfig.model_validate({"sources": sources}),
        )
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("KUNDENSTAMM_SAMPLE", str(company))
            environment.setenv("KUNDENSTAMM_SECRET", "0" * 64)
            environment.setenv("VENDOR_TOKEN", "token")
            for source in described.sources:
                load_source(own, described, source, run_id="night", now=FIRST_NIGHT)
        own.build_dir.mkdir(parents=True)
        with connect(own.build_warehouse, own) as connection:
            with pytest.MonkeyPatch.context() as environment:
                environment.setenv("KUNDENSTAMM_SECRET", "0" * 64)
                counts = build_raw(connection, own, described)
            return {
                table: connection.execute(f"select * from raw.{table} order by all").fetchall()
                for table in counts
                if table not in {"reconciliation"}
            }

    return read


@pytest.fixture(scope="module")
def files(raw_of: Any, shipped: list[dict[str, Any]]) -> Rows:
    found: Rows = raw_of("files", shipped)
    assert len(found["crm_contacts"]) > 20
    assert sum(map(len, found.values())) > 1000
    return found


@pytest.fixture
def filled_database(postgres: Server, company: Path) -> Iterator[str]:
    """Every file of the sample as a table of the database, texts as texts and types as types."""
    import psycopg

    schema = f"sample_{uuid.uuid4().hex[:8]}"
    with loaded(company) as tables, psycopg.connect(postgres.url) as database:
        database.execute(f"create schema {schema}")
        names = [name for (name,) in tables.execute("select table_name from duckdb_tables()").fetchall()]
        for name in names:
            described = tables.execute(f'describe "{name}"').fetchall()
            native = {"DECI", "BIGI", "BOOL", "DATE", "INTE", "TIME"}
            kinds = {"DOUBLE": "double precision", "TIMESTAMP WITH TIME ZONE": "timestamptz", "BLOB": "bytea"}
            columns = ", ".join(
                f'"{column}" {kinds.get(kind, kind if kind[:4] in native else "text")}'
                for column, kind, *_ in described
            )
            database.execute(f'create table {schema}."{name}" ({columns})')
            with database.cursor().copy(f'copy {schema}."{name}" from stdin') as copy:
                for row in tables.execute(f'select * from "{name}"').fetchall():
                    copy.write_row(row)
    yield schema
    postgres.run(f"drop schema {schema} cascade")


def through_sql(source: dict[str, Any], url: str, schema: str) -> dict[str, Any]:
    """The entry of a source of files as one of a database: the mapping is the same."""
    entities = {}
    for name, config in source["entities"].items():
        stem = Path(config["path"]).stem
        entities[name] = {key: value for key, value in config.items() if key not in {"path", "format"}}
        entities[name]["table"] = f"{schema}.{stem}"
    form = {k: v for k, v in source.get("format", {}).items() if k in {"decimal", "dates", "time_zone"}}
    kept = {key: value for key, value in source.items() if key not in {"path", "format", "connector"}}
    return {**kept, "connector": "sql", "sql": {"url": url, "batch_rows": 500}, "format": form, "entities": entities}


def test_a_database_gives_the_same_records(
    postgres: Server,
    filled_database: str,
    raw_of: Any,
    files: Rows,
    shipped: list[dict[str, Any]],
) -> None:
    sources = [through_sql(source, postgres.url, filled_database) for source in shipped]
    found = raw_of("sql", sources)
    assert {table: len(rows) for table, rows in found.items()} == {table: len(rows) for table, rows in files.items()}
    for table, rows in files.items():
        assert in_order(found[table]) == in_order(rows), table


def test_zendesk_gives_the_same_records(company: Path, raw_of: Any, files: Rows, shipped: list[dict[str, Any]]) -> None:
    with VendorServer(ZendeskServer(read_support_desk(company / "support")).answer).running() as server:
        found = raw_of(
            "zendesk",
            [
                through_zendesk(source, server.url) if source["name"] == "support" else {**source, "enabled": False}
                for source in shipped
            ],
        )
    # Answers on two scales come from a tool for surveys, which Zendesk is not.
    for table in ("support_users", "support_tickets"):
        assert in_order(found[table]) == in_order(files[table]), table


def through_zendesk(source: dict[str, Any], url: str) -> dict[str, Any]:
    users = {
        "columns": {
            "first_name": "user_fields.given_name",
            "last_name": "user_fields.family_name",
            "is_employee": None,
            "company_record_id": None,
        },
        "defaults": {"country": "DE"},
    }
    tickets = {
        "columns": {
            "category": f"custom_fields.{TOPIC_FIELD}",
            "order_record_id": f"custom_fields.{ORDER_FIELD}",
            "company_record_id": None,
            "type": None,
            "tags": None,
            "group": None,
        },
        "references": {"order_record_id": "shop"},
    }
    return {
        "name": "support",
        "role": "support",
        "controller": source["controller"],
        "connector": "zendesk",
        "zendesk": {"url": url, "email": "agent@example.com", "token": "${VENDOR_TOKEN}"},
        "entities": {"users": users, "tickets": tickets},
    }


def in_order(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return sorted(rows, key=repr)
