"""The shipped `sources.yml` fits the files of the sample: nothing missing, nothing mapped by mistake."""

from __future__ import annotations

from pathlib import Path

import pytest
from duckdb import DuckDBPyConnection

from pipelines.configuration import Configuration
from pipelines.configuration.sources import SqlExpression
from pipelines.entities import ENTITIES, SYSTEM_COLUMNS
from pipelines.settings import PROJECT_DIR
from pipelines.warehouse import identifier

# What the files hold and nobody mapped: it is reported by name and not stored.
UNMAPPED = {("crm", "contacts"): {"Bemerkung"}}

# The words that the rest of the warehouse understands.
WORDS = {
    ("contacts", "gender"): {"female", "male", None},
    ("contacts", "lifecycle_stage"): {"customer", "opportunity", "lead"},
    ("permissions", "channel"): {"email", "phone", "post"},
    ("permissions", "kind"): {"consent", "existing_customer", "objection"},
    ("permissions", "status"): {"requested", "granted", "withdrawn"},
    ("orders", "status"): {"paid", "delivered", "cancelled", "open"},
    ("tickets", "priority"): {"low", "normal", "high", "urgent", None},
}


SOURCES = {
    "crm": "companies company_contacts contact_methods contacts deal_contacts deals interactions permissions "
    "stage_changes",
    "shop": "carts customers order_discounts order_lines orders products returns",
    "support": "ratings tickets users",
    "mail_order": "customers order_lines orders products returns",
    "tills": "customers order_lines",
    "marketplace": "order_lines orders",
    "newsletter": "campaign_steps campaigns permissions touches",
    "web": "events",
    "erp": "invoices",
    "enrichment": "attributes",
}


def test_every_source_and_every_entity_is_mapped(configuration: Configuration) -> None:
    assert {s.name: " ".join(sorted(s.entities)) for s in configuration.sources} == SOURCES
    delivered = {name for source in configuration.sources for name in source.landed_entities}
    assert delivered == {name for _, name in ENTITIES}


def test_both_legal_entities_have_sources(configuration: Configuration) -> None:
    assert {s.controller for s in configuration.sources} == set(configuration.company.controllers)


@pytest.mark.parametrize("source", SOURCES)
def test_every_mapped_column_is_in_the_file_and_every_column_of_the_file_is_mapped(
    configuration: Configuration, tables: DuckDBPyConnection, sample: Path, source: str
) -> None:
    config = configuration.source(source)
    assert config.path == f"${{KUNDENSTAMM_SAMPLE}}/{source}"
    for name, entity in config.entities.items():
        assert (sample / source / entity.path).is_file()
        view = Path(entity.path).stem
        delivered = {row[0] for row in tables.execute(f"describe {identifier(view)}").fetchall()}
        mapped = (
            set(entity.key or ())
            | set(entity.identifiers.values())
            | {custom.from_ for custom in entity.custom.values()}
        )
        expressions = ""
        for target in entity.columns.values():
            if isinstance(target, SqlExpression):
                expressions += f" {target.sql}"
            else:
                mapped |= {target} if isinstance(target, str) else set(target)
        assert mapped <= delivered, name
        canonical = {c.name for c in (*config.find_entity(name).columns, *SYSTEM_COLUMNS)}  # type: ignore[union-attr]
        used = mapped | canonical | {column for column in delivered if f" {column} " in f"{expressions} "}
        assert delivered - used == UNMAPPED.get((source, name), set()), name


@pytest.mark.parametrize(("entity", "column"), WORDS, ids=lambda part: part)
def test_the_systems_own_words_become_ours(
    configuration: Configuration, tables: DuckDBPyConnection, entity: str, column: str
) -> None:
    source = next(s for s in configuration.sources if entity in s.entities)
    target = source.entities[entity].columns[column]
    assert isinstance(target, SqlExpression)
    found = tables.execute(f"select distinct {target.sql} from {identifier(entity)}").fetchall()
    assert {value for (value,) in found} == WORDS[entity, column]


def test_the_pipeline_never_imports_the_sample_nor_reads_the_truth() -> None:
    for file in sorted((PROJECT_DIR / "pipelines").rglob("*.py")):
        relative = file.relative_to(PROJECT_DIR / "pipelines")
        if relative.parts[0] not in {"sample", "cli"}:
            text = file.read_text(encoding="utf-8")
            assert "pipelines.sample" not in text, relative
            assert "truth/" not in text, relative
