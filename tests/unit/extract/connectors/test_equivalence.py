"""The same company through files, a database and the APIs of three vendors is the same company, row for row."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipelines.configuration import load_configuration
from pipelines.configuration.documents import read_document
from pipelines.configuration.sources import SourcesConfig
from pipelines.extract import build_raw, load_source
from pipelines.extract.connectors import http
from pipelines.sample import generate_sample
from pipelines.sample.servers.numbers import number_in_sql
from pipelines.sample.servers.vendors import Vendors, list_vendor_sources, refer_by_number, running_vendors
from pipelines.settings import PROJECT_DIR, Settings
from pipelines.warehouse import connect, literal
from tests.sharing import make_once
from tests.unit.extract.connectors.conftest import FIRST_NIGHT, Server
from tests.unit.sample.conftest import loaded

Entry = dict[str, Any]

SECOND_NIGHT = FIRST_NIGHT + timedelta(days=1)
# When and how it came is not the same, what came is.
OF_THE_LOAD = ("_loaded_at", "_run_id")
# At Shopify a product is there above what is sold of it, and a cart tells its content in words of its own.
WHERE = {"shop_products": "where source_system <> 'shop' or not starts_with(source_record_id, '9')"}
PECULIAR = {"shop_products": ("parent_product_record_id", "parent_product_record_key"), "shop_carts": ("lines",)}
# Counts of loads, of which there are as many as streams.
NOT_COMPARED = {"reconciliation"}


@pytest.fixture(scope="module")
def company(shared_folder: Path) -> Path:
    """A small sample company whose CRM has deleted and merged contacts."""

    def make(folder: Path) -> None:
        rates = {"merge_in_crm": 0.9, "delete_in_crm": 0.05}
        generate_sample(folder, customers=80, seed=3, as_of=date.fromisoformat("2026-11-21"), rates=rates)

    return make_once(shared_folder / "equivalent", make)


@pytest.fixture(scope="module")
def shipped() -> list[Entry]:
    """The shipped entries of the sample's ten systems, as they stand in sources.yml."""
    return list(read_document(PROJECT_DIR / "config" / "sources.yml").data["sources"])


@pytest.fixture(scope="module")
def raw_of(tmp_path_factory: pytest.TempPathFactory, company: Path) -> Any:
    """A build whose `raw.*` holds what the sources deliver."""
    folder = tmp_path_factory.mktemp("equivalent")
    configuration = load_configuration(Settings.from_environment({}))

    def read(
        name: str, sources: list[Entry], vendors: Vendors | None = None, before: list[Entry] | None = None
    ) -> Path:
        own = Settings.from_environment({"KUNDENSTAMM_DATA_DIR": str(folder / name), "KUNDENSTAMM_THREADS": "1"})
        described = replace(configuration, sources_file=SourcesConfig.model_validate({"sources": sources}))
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("KUNDENSTAMM_SAMPLE", str(company))
            environment.setenv("KUNDENSTAMM_SECRET", "0" * 64)
            if vendors is not None:
                environment.setattr(http, "pause", lambda _: None)
                for variable, value in vendors.environment.items():
                    environment.setenv(variable, value)
            if before is not None:
                yesterday = replace(described, sources_file=SourcesConfig.model_validate({"sources": before}))
                load_source(own, yesterday, yesterday.source("crm"), run_id="before", now=FIRST_NIGHT)
            if vendors is not None:
                assert vendors.merge_contacts() > 0
            for source in described.sources:
                load_source(own, described, source, run_id="night", now=SECOND_NIGHT, full=vendors is not None)
            own.build_dir.mkdir(parents=True)
            with connect(own.build_warehouse, own) as connection:
                build_raw(connection, own, described)
        return own.build_warehouse

    return read


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


def through_sql(source: Entry, url: str, schema: str) -> Entry:
    """The entry of a source of files as one of a database: the mapping is the same."""
    entities = {}
    for name, config in source["entities"].items():
        stem = Path(config["path"]).stem
        entities[name] = {key: value for key, value in config.items() if key not in {"path", "format"}}
        entities[name]["table"] = f"{schema}.{stem}"
    form = {k: v for k, v in source.get("format", {}).items() if k in {"decimal", "dates", "time_zone"}}
    kept = {key: value for key, value in source.items() if key not in {"path", "format", "connector"}}
    return {**kept, "connector": "sql", "sql": {"url": url, "batch_rows": 500}, "format": form, "entities": entities}


def with_vendors_ids(source: Entry) -> Entry:
    """The entry of a source of files whose records and references have the numbers of the vendors."""
    found = refer_by_number(source)
    entities = found["entities"]
    if source["name"] == "crm":
        kind = "case Kanal when 'Anruf' then 'call:' when 'Brief' then 'letter:' else 'meeting:' end"
        entities["interactions"]["columns"]["source_record_id"] = {"sql": f"{kind} || {number_in_sql('Nr')}"}
        entities["deal_contacts"].pop("key")
        deal, contact = number_in_sql('"Vorgangs-Nr"'), number_in_sql('"Kontakt-Nr"')
        entities["deal_contacts"]["columns"]["source_record_id"] = {"sql": f"{deal} || ':' || {contact}"}
    if source["name"] == "shop":
        order, line, back = (number_in_sql(name) for name in ("order_no", "line_no", "return_no"))
        entities["order_discounts"]["columns"]["source_record_id"] = {"sql": f"{order} || ':' || voucher"}
        entities["returns"]["columns"] |= {
            "source_record_id": {"sql": f"{back} || ':' || {line}"},
            "refunded_at": {"sql": "coalesce(refunded_at, returned_at)"},
        }
    return found


def differences(one: Path, other: Path) -> dict[str, tuple[int, int, int]]:
    """Per table of `raw` that differs, its rows in the first build, and the rows that only one of both has."""
    settings = Settings.from_environment({})
    found = {}
    with connect(None, settings) as connection:
        for name, file in (("one", one), ("other", other)):
            connection.execute(f"attach {literal(file)} as {name} (read_only)")
        tables = connection.execute(
            "select table_name from duckdb_tables() where database_name = 'one' and schema_name = 'raw'"
        ).fetchall()
        assert len(tables) > 25
        for (table,) in tables:
            if table in NOT_COMPARED:
                continue
            known = connection.execute(f"describe one.raw.{table}").fetchall()
            left_out = [c for c, *_ in known if c in (*OF_THE_LOAD, *PECULIAR.get(table, ()))]
            columns = f"* exclude ({', '.join(left_out)})" if left_out else "*"
            rows = {
                name: f"select {columns} from {name}.raw.{table} {WHERE.get(table, '')}" for name in ("one", "other")
            }
            counts = [
                connection.execute(f"select count(*) from ({query})").fetchall()[0][0]
                for query in (
                    rows["one"],
                    f"{rows['one']} except all {rows['other']}",
                    f"{rows['other']} except all {rows['one']}",
                )
            ]
            if any(counts[1:]):
                found[table] = (counts[0], counts[1], counts[2])
    return found


def test_a_database_gives_the_same_records(
    postgres: Server, filled_database: str, raw_of: Any, shipped: list[Entry]
) -> None:
    sources = [through_sql(source, postgres.url, filled_database) for source in shipped]
    assert differences(raw_of("files", shipped), raw_of("sql", sources)) == {}


def test_the_vendors_give_the_same_records(company: Path, raw_of: Any, shipped: list[Entry]) -> None:
    """CRM, shop and support through HubSpot, Shopify and Zendesk; the other systems refer to the vendors' numbers.

    HubSpot forgets a contact that was merged away: what is known of it is from the night before.
    """
    at_vendors = list_vendor_sources(shipped)
    files = [with_vendors_ids(source) for source in shipped if source["name"] != "support"]
    files += [source for source in at_vendors if source["name"] == "surveys"]
    files.append(without_ratings(next(source for source in shipped if source["name"] == "support")))
    with running_vendors(company) as vendors:
        found = raw_of("vendors", at_vendors, vendors, before=at_vendors)
    assert differences(raw_of("numbered", files, before=[before_merges(source) for source in files]), found) == {}


def without_ratings(support: Entry) -> Entry:
    found = refer_by_number(support)
    return found | {"entities": {name: config for name, config in found["entities"].items() if name != "ratings"}}


def before_merges(source: Entry) -> Entry:
    if source["name"] != "crm":
        return source
    contacts = source["entities"]["contacts"]
    columns = {name: target for name, target in contacts["columns"].items() if name != "merged_into_record_id"}
    return source | {"entities": source["entities"] | {"contacts": contacts | {"columns": columns}}}
