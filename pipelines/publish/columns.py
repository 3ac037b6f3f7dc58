"""What may leave a build: every published table and column, as `meta.columns`, read from dbt's manifest.

Add here what a table must say about itself before it is published. The tables themselves are described beside the
models (`config.meta` of a model, or of a source for a table that Python writes).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.errors import BuildError
from pipelines.warehouse import PART_SCHEMAS, PUBLISHED_SCHEMAS, insert_rows

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

FILES = ("warehouse", "restricted")
RETENTION = "as long as the version is kept"  # of a table whose description names none

# Written after the audit froze the build, so they cannot be looked up in it when the columns are registered.
_LATER = {("meta", "version")}
_LATER_SCHEMAS = {"audit"}

_DEFINITION = """
    schema_name text, table_name text, column_name text, position integer, data_type text, description text,
    purpose text, is_personal boolean, owner text, retention text, file text, table_description text
"""


@dataclass(frozen=True)
class DescribedColumn:
    name: str
    data_type: str | None
    description: str
    purpose: str
    is_personal: bool | None


@dataclass(frozen=True)
class DescribedTable:
    """One published table as its description says it should be. `file` is `warehouse` or `restricted`."""

    schema: str
    name: str
    file: str
    description: str
    owner: str
    retention: str
    columns: tuple[DescribedColumn, ...]

    @property
    def full_name(self) -> str:
        return f"{self.schema}.{self.name}"


def register_columns(connection: DuckDBPyConnection, manifest: Mapping[str, Any] | None = None) -> int:
    """Replace `meta.columns` of the open build. One row per column of every published table.

    Args:
        connection: to the build's warehouse, with the right to write.
        manifest: dbt's manifest as plain data; by default that of the project as it is.

    Returns:
        The number of columns.

    Raises:
        BuildError: a table or column is not described as it must be, or differs from what was built.
    """
    if manifest is None:
        from pipelines.transform import load_manifest

        manifest = load_manifest()
    connection.execute("create schema if not exists meta")
    connection.execute(f"create or replace table meta.columns ({_DEFINITION})")
    tables = describe_tables(manifest)
    built = _read_built(connection)
    problems = [sentence for table in tables for sentence in (*_missing_facts(table), *_differences(table, built))]
    if problems:
        raise BuildError("\n".join(problems))
    rows = [
        (
            table.schema,
            table.name,
            column.name,
            position,
            built.get((table.schema, table.name), {}).get(column.name) or column.data_type,
            column.description,
            column.purpose,
            column.is_personal,
            table.owner,
            table.retention,
            table.file,
            table.description,
        )
        for table in tables
        for position, column in enumerate(_in_built_order(table, built), start=1)
    ]
    insert_rows(connection, "meta.columns", rows)
    return len(rows)


def describe_tables(manifest: Mapping[str, Any]) -> list[DescribedTable]:
    """Every published table of the project, by schema and name.

    Raises:
        BuildError: a model of a published schema does not say which file it belongs to.
    """
    tables, problems = [], []
    for node in (*manifest["nodes"].values(), *manifest["sources"].values()):
        if node["resource_type"] not in {"model", "source"} or node["schema"] not in PUBLISHED_SCHEMAS:
            continue
        meta = _meta(node)
        if "file" not in meta and node["resource_type"] == "source":
            continue  # a table of the stage itself
        if meta.get("file") not in FILES:
            problems.append(
                f"{node['schema']}.{node['name']} does not say to which file it belongs; "
                f"add `file: warehouse` or `file: restricted` to its config.meta."
            )
            continue
        tables.append(
            DescribedTable(
                schema=node["schema"],
                name=node["name"],
                file=meta["file"],
                description=_one_line(node.get("description")),
                owner=str(meta.get("owner") or ""),
                retention=str(meta.get("retention") or RETENTION),
                columns=tuple(_describe_column(c, meta) for c in node["columns"].values()),
            )
        )
    if problems:
        raise BuildError("\n".join(sorted(problems)))
    return sorted(tables, key=lambda table: (table.schema, table.name))


def find_gaps(tables: Iterable[DescribedTable]) -> list[str]:
    """What descriptions leave out, one sentence each; empty when all is said."""
    return [sentence for table in tables for sentence in _missing_facts(table)]


def _describe_column(column: Mapping[str, Any], table_meta: Mapping[str, Any]) -> DescribedColumn:
    meta = _meta(column)
    personal = meta.get("personal")
    return DescribedColumn(
        name=column["name"],
        data_type=column.get("data_type"),
        description=_one_line(column.get("description")),
        purpose=str(meta.get("purpose") or table_meta.get("purpose") or ""),
        is_personal=personal if isinstance(personal, bool) else None,
    )


def _meta(node: Mapping[str, Any]) -> dict[str, Any]:
    """dbt keeps `meta` in two places, depending on the kind of node and on where it was written."""
    return {**(node.get("meta") or {}), **((node.get("config") or {}).get("meta") or {})}


def _one_line(text: str | None) -> str:
    return " ".join((text or "").split())


def _missing_facts(table: DescribedTable) -> list[str]:
    problems = []
    if not table.description:
        problems.append(f"{table.full_name} has no description; say what one row is.")
    if not table.owner:
        problems.append(f"{table.full_name} has no owner; add `owner` to its config.meta.")
    if not table.columns:
        problems.append(f"{table.full_name} describes no column; list them.")
    for column in table.columns:
        missing = [
            fact
            for fact, is_there in (
                ("a description", bool(column.description)),
                ("`personal: true` or `false`", column.is_personal is not None),
            )
            if not is_there
        ]
        if missing:
            problems.append(f"{table.full_name}.{column.name} lacks {' and '.join(missing)}; add it beside the model.")
    return problems


def _read_built(connection: DuckDBPyConnection) -> dict[tuple[str, str], dict[str, str]]:
    """Types by column name, in the order of the table, by (schema, table) of the build."""
    rows = connection.execute(
        "select schema_name, table_name, column_name, data_type from duckdb_columns() "
        "where (database_name = current_database() or database_name = any(?)) and list_contains(?, schema_name) "
        "order by schema_name, table_name, column_index",
        [list(PART_SCHEMAS), list(PUBLISHED_SCHEMAS)],
    ).fetchall()
    built: dict[tuple[str, str], dict[str, str]] = {}
    for schema, table, column, data_type in rows:
        built.setdefault((schema, table), {})[column] = data_type
    return built


def _differences(table: DescribedTable, built: Mapping[tuple[str, str], Mapping[str, str]]) -> list[str]:
    if table.schema in _LATER_SCHEMAS or (table.schema, table.name) in _LATER:
        return []
    columns = built.get((table.schema, table.name))
    if columns is None:
        return [f"{table.full_name} is described but was not built; run its step, or remove the description."]
    described = {column.name for column in table.columns}
    return [
        *(f"{table.full_name}.{c} was built but is not described; describe it." for c in columns if c not in described),
        *(f"{table.full_name}.{c} is described but was not built." for c in sorted(described - columns.keys())),
    ]


def _in_built_order(table: DescribedTable, built: Mapping[tuple[str, str], Mapping[str, str]]) -> list[DescribedColumn]:
    columns = built.get((table.schema, table.name))
    if columns is None:
        return list(table.columns)
    order = list(columns)
    return sorted(table.columns, key=lambda column: order.index(column.name))
