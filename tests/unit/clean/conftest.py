"""Fixtures of the clean stage: rules on drafts alone, and the whole stage on small raw tables with dbt's staging."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipelines import warehouse
from pipelines.build import Build
from pipelines.clean import CleanReport, clean_records
from pipelines.clean.addresses import BLOCKS as ADDRESS_BLOCKS
from pipelines.clean.attributes import BLOCKS as ATTRIBUTE_BLOCKS
from pipelines.clean.attributes import TEXT_FIELDS, birth_date_blocks
from pipelines.clean.blocks import build_rules
from pipelines.clean.countries import create_country_names
from pipelines.clean.functions import create_functions
from pipelines.clean.names import BLOCKS as NAME_BLOCKS
from pipelines.clean.records import TABLES
from pipelines.clean.rules import Rule, apply_rules, start_log
from pipelines.configuration import Configuration, load_configuration
from pipelines.configuration.cleaning import CleaningConfig
from pipelines.settings import Settings
from tests.raw_tables import insert_history, insert_rows

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Row = dict[str, Any]

# Every field that a rule of distinct values may look at.
DRAFT_COLUMNS = {
    "id": "bigint",
    "weight": "bigint",
    "rejected": "text[]",
    "birth_date": "date",
    **dict.fromkeys((*TEXT_FIELDS, "house_number"), "text"),
}

AS_OF = datetime(2026, 11, 21, 12, tzinfo=UTC).replace(tzinfo=None)
BUILD = Build("b" * 32, "20261121T120000Z-bbbbbbbb", AS_OF, "0" * 16, None, "Test GmbH", AS_OF)

CONFIG = {
    "company.yml": "{name: Test GmbH, controllers: [Test GmbH]}",
    "permissions.yml": "{channels: {email: [consent]}}",
    "sources.yml": """
sources:
  - {name: crm, role: crm, controller: Test GmbH, entities: {contacts: {path: a.csv}, permissions: {path: a.csv}}}
  - {name: shop, role: shop, controller: Test GmbH, entities: {customers: {path: a.csv}, orders: {path: a.csv}}}
  - name: support
    role: support
    controller: Test GmbH
    entities:
      users: {path: a.csv}
      tickets: {path: a.csv, references: {requester_record_id: crm}}
      ratings: {path: a.csv}
""",
}


def shipped_rules(section: str) -> tuple[Rule, ...]:
    """The rules of one list of the shipped `cleaning.yml`."""
    blocks = {
        "name": NAME_BLOCKS,
        "address": ADDRESS_BLOCKS,
        "attributes": ATTRIBUTE_BLOCKS,
        "birth_date": birth_date_blocks(AS_OF.date()),
    }
    entries = load_configuration(Settings.from_environment({})).cleaning
    return build_rules(getattr(entries, section), blocks[section])


def chosen_rules(section: str, *entries: Any) -> tuple[Rule, ...]:
    """The rules of entries written as in `cleaning.yml`."""
    blocks = {"name": NAME_BLOCKS, "address": ADDRESS_BLOCKS, "attributes": ATTRIBUTE_BLOCKS}
    return build_rules(getattr(CleaningConfig.model_validate({section: entries}), section), blocks[section])


@dataclass(frozen=True)
class Cleaned:
    """Schema `clean` as it was written, each table a list of rows."""

    report: CleanReport
    tables: Mapping[str, list[Row]]

    def person(self, record_id: str, entity: str | None = None) -> Row:
        return one(
            r for r in self.tables["persons"] if r["source_record_id"] == record_id and entity in (None, r["entity"])
        )

    def rows(self, table: str, **values: Any) -> list[Row]:
        return [r for r in self.tables[table] if all(r[name] == value for name, value in values.items())]


def one(rows: Iterator[Row] | Sequence[Row]) -> Row:
    (row,) = rows
    return row


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return with_small_configuration(settings, tmp_path / "config")


def with_small_configuration(settings: Settings, folder: Path) -> Settings:
    folder.mkdir()
    for name, text in CONFIG.items():
        (folder / name).write_text(text, encoding="utf-8")
    return replace(settings, config_dir=folder)


@pytest.fixture
def configuration(settings: Settings) -> Configuration:
    return load_configuration(settings)


@pytest.fixture
def build_warehouse(settings: Settings, staged_warehouse: Path) -> Callable[..., None]:
    """Make the open build from raw rows by table; `sources` names the source where it is not the role."""
    return partial(fill_build, settings, staged_warehouse)


def fill_build(settings: Settings, staged: Path, raw: Mapping[str, Sequence[Row]], **options: Any) -> None:
    settings.build_dir.mkdir(parents=True, exist_ok=True)
    shutil.copy(staged, settings.build_warehouse)
    with warehouse.connect(settings.build_warehouse, settings) as connection:
        from pipelines import keys

        keys.use_secret(connection, settings)
        for table, rows in raw.items():
            if table == "person_history":
                insert_history(connection, rows)
                continue
            insert_rows(connection, table, rows, **options.get(table, {}))


@pytest.fixture
def run_clean(settings: Settings, configuration: Configuration) -> Callable[[], Cleaned]:
    """Clean the open build and read what was written."""
    return partial(clean_build, settings, configuration)


def clean_build(settings: Settings, configuration: Configuration) -> Cleaned:
    with warehouse.connect(settings.build_warehouse, settings) as connection:
        report = clean_records(connection, settings, configuration, BUILD)
        return Cleaned(report, {table: read_table(connection, f"clean.{table}") for table in TABLES})


@pytest.fixture
def clean(build_warehouse: Callable[..., None], run_clean: Callable[[], Cleaned]) -> Callable[..., Cleaned]:
    """Raw rows in, schema `clean` out."""

    def clean_rows(raw: Mapping[str, Sequence[Row]], **options: Any) -> Cleaned:
        build_warehouse(raw, **options)
        return run_clean()

    return clean_rows


@pytest.fixture(scope="module")
def clean_once(staged_warehouse: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Cleaned]:
    """The same for what tests of a file share and only read."""

    def clean_rows(raw: Mapping[str, Sequence[Row]], **options: Any) -> Cleaned:
        folder = tmp_path_factory.mktemp("clean")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("KUNDENSTAMM_SECRET", "0" * 64)
            environment = {"KUNDENSTAMM_DATA_DIR": str(folder / "data"), "KUNDENSTAMM_THREADS": "1"}
            settings = with_small_configuration(Settings.from_environment(environment), folder / "config")
            fill_build(settings, staged_warehouse, raw, **options)
            return clean_build(settings, load_configuration(settings))

    return clean_rows


def read_table(connection: DuckDBPyConnection, table: str) -> list[Row]:
    result = connection.execute(f"from {table}")
    names = [column[0] for column in result.description]
    return [dict(zip(names, values, strict=True)) for values in result.fetchall()]


@pytest.fixture
def apply_to_drafts(settings: Settings) -> Iterator[Callable[..., tuple[list[Row], list[Row]]]]:
    """Apply rules to drafts written as dictionaries; returns the drafts afterwards and the log."""
    with warehouse.connect(None, settings) as connection:
        create_functions(connection)
        create_country_names(connection)

        def apply(rows: Sequence[Row], rules: Sequence[Rule], draft: str = "drafts") -> tuple[list[Row], list[Row]]:
            start_log(connection)
            fields = ", ".join(f"{name} {type_}" for name, type_ in DRAFT_COLUMNS.items())
            connection.execute(f"create or replace temp table {draft} ({fields})")
            for position, row in enumerate(rows):
                complete = {"id": position, "weight": 1, **row}
                marks = ", ".join(f"? as {name}" for name in complete)
                connection.execute(f"insert into {draft} by name select {marks}", list(complete.values()))
            apply_rules(connection, draft, rules)
            changes = read_table(connection, "changes")
            return sorted(read_table(connection, draft), key=lambda r: r["id"]), changes

        yield apply
