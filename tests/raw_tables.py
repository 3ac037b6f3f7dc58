"""Small raw tables for the tests of everything that comes after extraction.

`create_raw_tables` makes every table of schema `raw`, empty; `insert_rows` adds rows written as dictionaries. Add here
what the form of `raw.*` needs; what a test is about belongs to the test.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pipelines import keys
from pipelines.entities import ENTITIES, PERSON_ENTITY, Entity
from pipelines.warehouse import identifier, literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.settings import Settings

LOADED_AT = "2026-01-02 03:04:05"

# What stands beside the entities in schema `raw`.
LEDGER_TABLES = {
    "employments": {
        "record_key": "VARCHAR",
        "company_record_key": "VARCHAR",
        "valid_from": "TIMESTAMP",
        "valid_until": "TIMESTAMP",
    },
    "person_history": {
        **dict.fromkeys(
            (
                *("record_key", "source_system", "entity", "email", "phone", "mobile", "street", "postal_code"),
                *("city", "region", "country"),
            ),
            "VARCHAR",
        ),
        "valid_from": "TIMESTAMP",
        "valid_until": "TIMESTAMP",
    },
    "rejects": {
        "source_system": "VARCHAR",
        "entity": "VARCHAR",
        "record_key": "VARCHAR",
        "field": "VARCHAR",
        "value_class": "VARCHAR",
        "reason": "VARCHAR",
        "run_id": "VARCHAR",
        "rejected_at": "TIMESTAMP",
    },
    "reconciliation": {
        "source_system": "VARCHAR",
        "entity": "VARCHAR",
        "is_enabled": "BOOLEAN",
        **{
            f"{count}_count": "BIGINT"
            for count in (
                "load",
                "delivered",
                "new",
                "changed",
                "unchanged",
                "revived",
                "rejected",
                "superseded",
                "repeated",
                "deleted",
                "latest_delivered",
                "latest_rejected",
                "differing",
            )
        },
        "loaded_at": "TIMESTAMP",
        "control_amounts": "JSON",
        "failed_at": "TIMESTAMP",
        "landed_count": "BIGINT",
        "quarantined_count": "BIGINT",
    },
    "quarantine": dict.fromkeys(("source_system", "entity", "record_key", "rule_id"), "VARCHAR"),
}


def raw_columns(entity: Entity) -> dict[str, str]:
    """Columns of `raw.<role>_<entity>` with their types, in their order."""
    canonical = {column.name: str(column.type) for column in entity.columns}
    references = {column.key_column: "VARCHAR" for column in entity.columns if column.key_column}
    return {
        "record_key": "VARCHAR",
        "source_system": "VARCHAR",
        "source_record_id": "VARCHAR",
        **canonical,
        **references,
        "created_at": "TIMESTAMP",
        "updated_at": "TIMESTAMP",
        "deleted_at": "TIMESTAMP",
        "merged_into_record_id": "VARCHAR",
        "merged_into_record_key": "VARCHAR",
        "identifiers": "JSON",
        "custom": "JSON",
        "_loaded_at": "TIMESTAMP",
        "_run_id": "VARCHAR",
    }


def create_raw_tables(connection: DuckDBPyConnection, settings: Settings) -> None:
    """Create every table of schema `raw`, empty, and make the secret of the keys known to the connection."""
    keys.use_secret(connection, settings)
    connection.execute("create schema if not exists raw")
    tables = {entity.table: raw_columns(entity) for entity in ENTITIES.values()} | LEDGER_TABLES
    for table, columns in tables.items():
        definition = ", ".join(f"{identifier(name)} {type_}" for name, type_ in columns.items())
        connection.execute(f"create or replace table raw.{table} ({definition})")


def insert_rows(
    connection: DuckDBPyConnection,
    table: str,
    rows: Sequence[Mapping[str, Any]],
    *,
    source_system: str | None = None,
    references: Mapping[str, str] | None = None,
    roles: Mapping[str, str] | None = None,
) -> None:
    """Insert rows into `raw.<table>`, made by `create_raw_tables` on this connection.

    Args:
        connection: the connection on which the tables were created.
        table: name without schema, e.g. `crm_contacts`.
        rows: canonical columns by name; `identifiers` and `custom` as dictionaries; ids become keys.
        source_system: the source's name, by default the role of the table.
        references: source that a reference column refers to, where it is not the row's own.
        roles: role of each source that is not named like its role.
    """
    entity = next(e for e in ENTITIES.values() if e.table == table)
    source = source_system or entity.role
    columns = raw_columns(entity)
    chosen = {name: identifier(name) for name in columns} | {
        "record_key": keys.record_key("source_system", literal(entity.name), "source_record_id"),
        "merged_into_record_key": keys.record_key("source_system", literal(entity.name), "merged_into_record_id"),
    }
    for column in entity.columns:
        if column.references and column.key_column:
            target = (references or {}).get(column.name, source)
            role = (roles or {}).get(target, target if target in PERSON_ENTITY else entity.role)
            name = PERSON_ENTITY[role] if column.references == "person" else column.references
            chosen[column.key_column] = keys.record_key(literal(target), literal(name), identifier(column.name))
    given = ", ".join(f"cast(? as {type_}) as {identifier(name)}" for name, type_ in columns.items())
    connection.executemany(
        f"insert into raw.{table} select {', '.join(chosen.values())} from (select {given})",
        [_values(row, columns, source) for row in rows],
    )


def insert_history(connection: DuckDBPyConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows into `raw.person_history`: contact fields that the CRM's contact `record_id` had once."""
    for row in rows:
        columns = {"source_system": "crm", "entity": "contacts", **row}
        key = keys.record_key("source_system", "entity", "record_id")
        marks = ", ".join(f"? as {name}" for name in columns)
        connection.execute(
            f"insert into raw.person_history by name select {key} as record_key, * exclude (record_id) "
            f"from (select {marks})",
            list(columns.values()),
        )


def _values(row: Mapping[str, Any], columns: Mapping[str, str], source: str) -> list[Any]:
    unknown = set(row) - set(columns)
    if unknown:
        raise KeyError(f"no such raw columns: {sorted(unknown)}")
    complete = {"source_system": source, "_loaded_at": LOADED_AT, "_run_id": "run", **row}
    return [json.dumps(value) if isinstance(value, dict) else value for value in map(complete.get, columns)]
