"""The landings of all sources beside each other, attached to one build, and whose records they refer to.

Add here what several tables of `raw` ask of the landings. What a table is made of belongs into `raw`,
`past` and `tallies`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.configuration import Configuration, SourceConfig
from pipelines.entities import PERSON_ENTITY, Column, Entity
from pipelines.extract.fields import ORDER_PREFIX
from pipelines.extract.landing import assert_same_company
from pipelines.settings import Settings
from pipelines.warehouse import identifier, literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True)
class Landing:
    """An attached landing file: its catalog, quoted, and the columns of its tables by name."""

    catalog: str
    columns: Mapping[str, frozenset[str]]

    def table(self, name: str) -> str:
        return f"{self.catalog}.{identifier(name)}"


@contextmanager
def attached_landings(
    connection: DuckDBPyConnection, settings: Settings, configuration: Configuration
) -> Iterator[dict[str, Landing]]:
    """The landings by source, of the sources that were ever landed."""
    catalogs: dict[str, str] = {}
    try:
        for source in configuration.sources:
            file = settings.landing_file(source.name)
            if file.exists():
                catalog = f"landing_{source.name}"
                connection.execute(f"attach {literal(file)} as {identifier(catalog)} (read_only)")
                catalogs[source.name] = catalog
        columns = _columns_by_table(connection)
        landed = {name: Landing(identifier(c), columns.get(c, {})) for name, c in catalogs.items()}
        for name, landing in landed.items():
            if "meta" in landing.columns:
                row = connection.execute(f"select company from {landing.table('meta')}").fetchone()
                assert_same_company(row[0] if row else None, configuration, f"landing/{name}.duckdb")
        yield landed
    finally:
        for catalog in catalogs.values():
            connection.execute(f"detach {identifier(catalog)}")


def _columns_by_table(connection: DuckDBPyConnection) -> dict[str, dict[str, frozenset[str]]]:
    """The columns of the tables in schema `main` of every attached file, by catalog and table."""
    rows = connection.execute(
        "select database_name, table_name, list(column_name) from duckdb_columns() "
        "where schema_name = 'main' group by database_name, table_name"
    ).fetchall()
    found: dict[str, dict[str, frozenset[str]]] = {}
    for catalog, table, names in rows:
        found.setdefault(catalog, {})[table] = frozenset(names)
    return found


def landings_of(
    configuration: Configuration, entity: Entity, landed: Mapping[str, Landing]
) -> Iterator[tuple[SourceConfig, Landing]]:
    """The sources that deliver an entity and have landed it, each with its landing."""
    for source in configuration.sources:
        landing = landed.get(source.name)
        if landing and entity.name in landing.columns and entity in map(source.find_entity, source.landed_entities):
            yield source, landing


def referred_entity(
    entity: Entity, column: Column, source: SourceConfig, configuration: Configuration
) -> tuple[str, str]:
    """Source and entity that a record id belongs to."""
    config, name = source.entities.get(entity.name), column.name
    if config is None:  # orders derived from flat lines
        config, name = source.entities["order_lines"], ORDER_PREFIX + column.name
    target = configuration.source(config.references.get(name, source.name))
    if column.references == "person":
        return target.name, PERSON_ENTITY[target.role]
    return target.name, str(column.references)
