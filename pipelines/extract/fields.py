"""The mapping: which field of an entity comes from which column of the files, or from which expression over them.

Add a way of mapping here together with its form in `pipelines.configuration.sources`.
Types and conversions belong into `contract`, reading into `delivery`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.configuration import EntityConfig
from pipelines.configuration.sources import SqlExpression, is_flat, mappable_columns
from pipelines.entities import SYSTEM_COLUMNS, Column, Entity, Type
from pipelines.errors import SourceError
from pipelines.extract.contract import as_text
from pipelines.warehouse import identifier, literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ORDER_PREFIX = "order_"
IDENTIFIER_PREFIX = "identifiers."
CUSTOM_PREFIX = "custom."
# Separates the parts of a composite key in the landed id; a part that holds it is escaped.
KEY_SEPARATOR = "|"

# Functions whose result depends on more than the arguments: the clock, chance, other rows.
_CHANGING_FUNCTIONS = """
    select function_name
    from duckdb_functions()
    where function_type = 'aggregate' or stability <> 'CONSISTENT'
    except
    select function_name
    from duckdb_functions()
    where function_type = 'scalar' and coalesce(stability, 'CONSISTENT') = 'CONSISTENT'
"""
# The answer by version of the engine: every connection has the same functions, and listing them takes 40 ms.
_changing_functions: dict[str, frozenset[str]] = {}


@dataclass(frozen=True)
class Field:
    """One field to land.

    Attributes:
        name: canonical name, or `identifiers.<kind>`, or `custom.<name>`.
        type: the declared type.
        expression: SQL over the delivered columns; None when only the default fills it.
        kind: DuckDB's type of the expression.
        default: the value where nothing is delivered, as text.
    """

    name: str
    type: Type
    expression: str | None
    kind: str = "VARCHAR"
    default: str | None = None


def landed_columns(entity: Entity, config: EntityConfig) -> tuple[Column, ...]:
    """Canonical columns of an entity and, on flat order lines, of the order (`order_<column>`)."""
    columns = mappable_columns(entity)
    if is_flat(entity.name, config):
        return tuple(columns.values())
    return (*entity.columns, *SYSTEM_COLUMNS)


def expected_columns(entity: Entity, config: EntityConfig) -> list[str]:
    """Columns that every file must have because the mapping names them."""
    names: list[str] = []
    for target in config.columns.values():
        if isinstance(target, str):
            names.append(target)
        elif isinstance(target, list):
            names += target
    names += config.identifiers.values()
    names += [c.from_ for c in config.custom.values()]
    canonical = {c.name for c in landed_columns(entity, config)}
    names += [k for k in config.key or [] if k not in canonical]
    return list(dict.fromkeys(names))


def referred_columns(connection: DuckDBPyConnection, config: EntityConfig) -> list[str]:
    """Columns that the expressions of the mapping refer to; what is no valid expression is for `map_fields`."""
    names = []
    for target in config.columns.values():
        if isinstance(target, SqlExpression):
            row = connection.execute("select json_serialize_sql($1)", [f"select ({target.sql})"]).fetchone()
            nodes = _nodes(json.loads(row[0]) if row else {})
            names += [str(node["column_names"][-1]) for node in nodes if node.get("class") == "COLUMN_REF"]
    return list(dict.fromkeys(names))


def used_columns(entity: Entity, config: EntityConfig, delivered: Collection[str]) -> list[str]:
    """Columns of the files that the mapping uses, in file order; the others are reported and never stored."""
    names = set(expected_columns(entity, config)) | {c.name for c in landed_columns(entity, config)}
    names |= set(config.key or [])
    expressions = " ".join(t.sql for t in config.columns.values() if isinstance(t, SqlExpression)).lower()
    words = set(re.findall(r"\w+", expressions))
    return [
        c for c in delivered if c in names or c.lower() in words or (not c.isidentifier() and c.lower() in expressions)
    ]


def assert_columns_delivered(
    expected: Iterable[str], delivered: Collection[str], file_name: str, stated: str, where: str
) -> None:
    """Every column that the mapping names is in the file.

    Raises:
        SourceError: naming the missing columns and the ones that are there.
    """
    missing = [c for c in expected if c not in delivered]
    if missing:
        found = ", ".join(delivered) or "none"
        raise SourceError(
            f"{where}: {file_name} lacks {_named(missing)}, which sources.yml maps; it was read as {stated} and has "
            f"the columns {found}. Correct `format` or the mapping, or have the column delivered again."
        )


def map_fields(
    connection: DuckDBPyConnection, entity: Entity, config: EntityConfig, columns: dict[str, str], where: str
) -> list[Field]:
    """The fields to land from table `delivered`, whose columns and types are given.

    Raises:
        SourceError: when an expression cannot be computed from the file's columns.
    """
    found = []
    for column in landed_columns(entity, config):
        target = config.columns.get(column.name)
        if target is None and column.name in columns:
            target = column.name
        default = config.defaults.get(column.name)
        if target is None and default is None:
            continue
        expression = kind = None
        if isinstance(target, SqlExpression):
            expression = f"({target.sql})"
            kind = _type_of(connection, target.sql, f"{where}.columns.{column.name}", columns)
        elif isinstance(target, list):
            parts = ", ".join(as_text(identifier(c), columns[c]) for c in target)
            expression, kind = f"concat_ws(' ', {parts})", "VARCHAR"
        elif target is not None:
            expression, kind = identifier(target), columns[target]
        found.append(Field(column.name, column.type, expression, kind or "VARCHAR", _default_text(default)))
    for name, source in config.identifiers.items():
        found.append(Field(IDENTIFIER_PREFIX + name, Type.TEXT, identifier(source), columns[source]))
    for name, custom in config.custom.items():
        field_type = Type[custom.type.upper()]
        found.append(Field(CUSTOM_PREFIX + name, field_type, identifier(custom.from_), columns[custom.from_]))
    return found


def composite_key(config: EntityConfig, columns: dict[str, str], fields: list[Field]) -> str | None:
    """SQL over `delivered` for the id of `key: [columns]`; NULL when a part is missing."""
    if not config.key:
        return None
    mapped = {f.name: f for f in fields}
    parts = []
    for name in config.key:
        if name in columns:
            text = as_text(identifier(name), columns[name])
        else:
            text = as_text(mapped[name].expression or "null", mapped[name].kind)
        if len(config.key) > 1:
            text = f"replace(replace({text}, '\\', '\\\\'), '{KEY_SEPARATOR}', '\\{KEY_SEPARATOR}')"
        parts.append(text)
    return f" || '{KEY_SEPARATOR}' || ".join(parts)


def key_source(config: EntityConfig, columns: Collection[str]) -> tuple[str, ...]:
    """The file column that is the key, when it is a single one and no expression: then a broken line can be named."""
    if config.key:
        return tuple(config.key) if len(config.key) == 1 and config.key[0] in columns else ()
    target = config.columns.get("source_record_id", "source_record_id")
    return (target,) if isinstance(target, str) and target in columns else ()


def _type_of(connection: DuckDBPyConnection, sql: str, where: str, columns: dict[str, str]) -> str:
    """DuckDB's type of an expression over `delivered`, which may be nothing but that.

    Raises:
        SourceError: for anything that is no expression over one row of the file, always with the same result.
    """
    import duckdb

    problem = None
    row = connection.execute("select json_serialize_sql($1)", [f"select ({sql})"]).fetchone()
    parsed = json.loads(row[0]) if row else {"error": True}
    if parsed["error"]:
        problem = "it is not valid SQL"
    elif not _is_one_expression(parsed["statements"]):
        problem = "it must be one expression"
    else:
        nodes = list(_nodes(parsed["statements"][0]["node"]["select_list"]))
        if any(n.get("class") in {"SUBQUERY", "WINDOW", "STAR", "PARAMETER"} for n in nodes):
            problem = "queries, windows, parameters and * are not allowed"
        else:
            names = {n["function_name"].lower() for n in nodes if n.get("class") == "FUNCTION"}
            if changing := names & _list_changing_functions(connection):
                problem = f"{min(changing)}() does not depend on one record alone"
    if problem is None:
        try:
            rows = connection.execute(f"describe select ({sql}) from delivered").fetchall()
            return str(rows[0][1])
        except duckdb.Error:
            problem = "it uses a column or function that is not there"
    raise SourceError(
        f"{where}: the expression in sources.yml cannot be used: {problem}. "
        f"The file's columns are {', '.join(columns)}."
    )


def _list_changing_functions(connection: DuckDBPyConnection) -> frozenset[str]:
    import duckdb

    if duckdb.__version__ not in _changing_functions:
        rows = connection.execute(_CHANGING_FUNCTIONS).fetchall()
        _changing_functions[duckdb.__version__] = frozenset(name for (name,) in rows)
    return _changing_functions[duckdb.__version__]


def _is_one_expression(statements: list[dict[str, Any]]) -> bool:
    """Whether the parsed statements are `select <expression>` and nothing else."""
    node = statements[0]["node"]
    return (
        len(statements) == 1
        and node["type"] == "SELECT_NODE"
        and len(node["select_list"]) == 1
        and node["from_table"]["type"] == "EMPTY"
    )


def _nodes(tree: Any) -> Iterable[dict[str, Any]]:
    if isinstance(tree, dict):
        yield tree
        for value in tree.values():
            yield from _nodes(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from _nodes(value)


def _default_text(default: str | int | float | bool | None) -> str | None:
    if default is None:
        return None
    return str(default).lower() if isinstance(default, bool) else str(default)


def default_value(field: Field) -> str:
    """SQL for the default of a field."""
    return f"cast({literal(field.default)} as {field.type})"


def _named(names: list[str]) -> str:
    quoted = [f"'{n}'" for n in names]
    return f"the column{'s' if len(quoted) > 1 else ''} {', '.join(quoted)}"
