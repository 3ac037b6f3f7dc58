"""Copy whole tables from the build into the files of a version, and prove that the copies are equal.

Most tables are built in the file that becomes that of the version, which is taken as it is: that its bytes are those
that were audited is proven by their SHA-256. The few that are copied as tables are proven by the hashes of their rows.

Add here what must hold for every copied table. Nothing is computed here: what is published is what was audited.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines import warehouse
from pipelines.build import was_repeated
from pipelines.clean.persons import COMPARED_COLUMNS, PERSON_COLUMNS
from pipelines.errors import BuildError
from pipelines.publish.early import copy_and_hash, take_early_copy
from pipelines.tables import write_compactly
from pipelines.warehouse import PART_SCHEMAS, RESTRICTED, SHARED, build_parts, identifier, literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.settings import Settings

VERSION_TABLE = ("meta", "version")

# What is published in schema `audit` beside the results: a table of the build, without some of its columns. The large
# ones are built in the part that is published, and only copied when that cannot be taken.
AUDIT_TABLES: dict[str, tuple[str, str, frozenset[str]]] = {
    "corrections": ("clean", "corrections", frozenset({"before", "after", "source_record_id"})),
    "correction_plan": ("clean", "correction_plan", frozenset()),
    "corrections_values": ("clean", "corrections", frozenset()),
    "links": ("identity", "links", frozenset()),
    "refused_links": ("identity", "refused_links", frozenset()),
    "account_links": ("identity", "account_links", frozenset()),
    "refused_account_links": ("identity", "refused_account_links", frozenset()),
    "compared_companies": (
        "clean",
        "companies",
        frozenset({"industry", "employee_count", "is_key_account", "parent_company_record_key"})
        | {"merged_into_record_key", "created_at", "updated_at", "deleted_at"},
    ),
    "review_queue": ("identity", "review_queue", frozenset()),
    "compared_persons": ("clean", "persons", frozenset(PERSON_COLUMNS.keys() - COMPARED_COLUMNS)),
    "silenced_values": ("identity", "silenced_values", frozenset()),
    "overrides": ("identity", "overrides", frozenset()),
    "identity_diff": ("identity", "diff", frozenset()),
    "model_fit": ("identity", "model_fit", frozenset()),
    "rejects": ("raw", "rejects", frozenset()),
    "reconciliation": ("raw", "reconciliation", frozenset()),
    "quarantine": ("raw", "quarantine", frozenset()),
}

# The steps of a build that make them.
_ORIGINS = frozenset(f"{schema}.{origin}" for schema, origin, _ in AUDIT_TABLES.values())

_CHECK = "Check the disk, then publish again."

# The part of the build that becomes a file of the version, by the name of that file.
PARTS = {"warehouse": SHARED, "restricted": RESTRICTED}

# Names of the build's files while a version is written; none is the name of a schema, or of a file of the version.
_BUILD, _AUDIT = "build_file", "audit_file"
_PART_FILES = {part: f"{part}_file" for part in PARTS.values()}


@dataclass(frozen=True)
class ListedTable:
    """One table of `meta.columns`. `columns` are (name, description) in order; `part`, of the build that holds it."""

    schema: str
    name: str
    file: str
    description: str
    columns: tuple[tuple[str, str], ...]
    part: str | None = None

    @property
    def full_name(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def path(self) -> str:
        return f"{identifier(self.schema)}.{identifier(self.name)}"


@dataclass(frozen=True)
class Content:
    """Row count of a table, and the sum of the hashes of its rows: equal whatever their order."""

    row_count: int
    content_hash: str


def read_listed_tables(settings: Settings) -> list[ListedTable]:
    """The tables that `meta.columns` of the open build lists, by schema and name.

    Raises:
        BuildError: nothing is listed; a listed table is missing, has other columns than the listed ones, or is in the
            wrong file of the build.
    """
    with warehouse.connect(
        settings.build_warehouse, settings, read_only=True, attach={_AUDIT: settings.build_audit}
    ) as connection:
        rows = connection.execute(
            "select schema_name, table_name, min(file), min(table_description), "
            "list((column_name, description) order by position) "
            "from meta.columns group by all order by schema_name, table_name"
        ).fetchall()
        actual = {
            (schema, table): columns
            for schema, table, columns in connection.execute(
                "select schema_name, table_name, list(column_name order by column_index) from duckdb_columns() "
                "where (database_name = current_database() or database_name = any($parts) "
                "or database_name = $audit and schema_name = 'audit') "
                "and not internal group by database_name, schema_name, table_name order by database_name = any($parts)",
                {"parts": list(PARTS.values()), "audit": _AUDIT},
            ).fetchall()
        }
        holding: dict[tuple[str, str], set[str]] = {}
        for database, schema, table in connection.execute(
            "select database_name, schema_name, table_name from duckdb_tables() "
            "where not temporary and database_name <> ?",
            [_AUDIT],
        ).fetchall():
            holding.setdefault((schema, table), set()).add(database)
    for name, (schema, origin, left_out) in AUDIT_TABLES.items():
        if (schema, origin) in actual and ("audit", name) not in holding:
            actual["audit", name] = [column for column in actual[schema, origin] if column not in left_out]
    tables = [
        ListedTable(schema, name, file, text, tuple(columns), _part_of(holding.get((schema, name), set())))
        for schema, name, file, text, columns in rows
    ]
    problems = [] if tables else ["meta.columns lists no table; run its step."]
    for table in tables:
        if (table.schema, table.name) == VERSION_TABLE:
            continue
        columns = actual.get((table.schema, table.name))
        if table.part and (table.part != PARTS[table.file] or len(holding[table.schema, table.name]) > 1):
            problems.append(
                f"{table.full_name} was built for other readers before; start the job `nightly` anew, so that nothing "
                f"of it is left where it does not belong."
            )
        elif columns is None:
            problems.append(f"{table.full_name} is listed in meta.columns but was not built; run its step.")
        elif set(columns) != {name for name, _ in table.columns}:
            different = ", ".join(sorted(set(columns) ^ {name for name, _ in table.columns}))
            problems.append(f"{table.full_name} differs from meta.columns in {different}; describe what was built.")
    if problems:
        raise BuildError("\n".join(problems))
    return tables


def _part_of(catalogs: set[str]) -> str | None:
    """The part of the build among the catalogs that hold a table."""
    return min(catalogs & _PART_FILES.keys(), default=None)


def list_takable_parts(settings: Settings) -> dict[str, Path]:
    """The parts of the open build that may become files of a version as they are, unless they hold other tables.

    What was written again leaves its former rows in the unused blocks of a file, and nobody audited those.
    """
    return {
        part: file
        for part, file in build_parts(settings).items()
        if part in _PART_FILES and not was_repeated(settings, PART_SCHEMAS[part], _ORIGINS)
    }


def take_part(settings: Settings, part: str, target: Path, tables: Iterable[ListedTable]) -> bool:
    """Copy a part of the build to `target` as it is, and say whether that was possible.

    It is when the file holds nothing but these tables, each written once.

    Raises:
        BuildError: what was copied is not what was audited, byte for byte.
    """
    from pipelines.audit import hash_files

    file = list_takable_parts(settings).get(part)
    if file is None:
        return False
    with warehouse.connect(file, settings, read_only=True) as connection:
        held = _names_of_tables(connection)
    if not held <= {table.full_name for table in tables if table.part == part}:
        return False
    audited = hash_files(settings)[file].sha256
    if take_early_copy(file, target) == audited:
        return True
    target.unlink(missing_ok=True)  # copied before something was changed
    if copy_and_hash(file, target) != audited:
        raise BuildError(f"The copy of {file.name} differs from the build; nothing was published. {_CHECK}")
    return True


def copy_tables(
    settings: Settings,
    target: Path,
    tables: Sequence[ListedTable],
    version_row: Mapping[str, object],
) -> dict[str, int]:
    """Write these tables into `target` unless it has them, describe all by comments, and compare copies with the build.

    Args:
        settings: names the build.
        target: the file; made when it is missing.
        tables: the tables it must have.
        version_row: the row of `meta.version`, if that is one of them.

    Returns:
        Row count of every table of the file, by full name.

    Raises:
        BuildError: a copy differs from the build, or the file holds another table.
    """
    attach = {_BUILD: settings.build_warehouse, _AUDIT: settings.build_audit}
    attach |= {_PART_FILES[part]: file for part, file in build_parts(settings).items() if part in _PART_FILES}
    with warehouse.connect(target, settings, attach=attach) as connection:
        held = _names_of_tables(connection)
        connection.execute("begin")  # one commit for hundreds of comments
        for schema in sorted({table.schema for table in tables}):
            connection.execute(f"create schema if not exists {identifier(schema)}")
        for table in tables:
            if _is_version(table):
                _write_version(connection, table, version_row)
            elif table.full_name not in held:
                write_compactly(connection, table.path, f"from {_origin(table)}")
            _comment(connection, table)
        copied = [table for table in tables if not _is_version(table) and table.full_name not in held]
        expected = {table.full_name: read_content(connection, _origin(table)) for table in copied}
        connection.execute("commit")
        _complete(connection)
    with warehouse.connect(target, settings, read_only=True) as connection:
        found = {table.full_name: read_content(connection, table.path) for table in copied}
        counts = {table.full_name: _count(connection, table.path) for table in tables}
        names = _names_of_tables(connection)
    _require_equal(target, expected, found, names ^ counts.keys())
    return counts


def copy_identity(settings: Settings, target: Path, names: Iterable[str]) -> dict[str, int]:
    """Write `target` with these tables of schema `identity`, compare each with the build, and count its rows."""
    names = list(names)
    with warehouse.connect(target, settings, attach={_BUILD: settings.build_warehouse}) as connection:
        expected = {}
        for name in names:
            origin = f"{_BUILD}.identity.{identifier(name)}"
            write_compactly(connection, identifier(name), f"from {origin}")
            expected[name] = read_content(connection, origin)
        _complete(connection)
    with warehouse.connect(target, settings, read_only=True) as connection:
        found = {name: read_content(connection, identifier(name)) for name in names}
        there = _names_of_tables(connection)
    _require_equal(target, expected, found, there ^ {f"main.{name}" for name in names})
    return {name: content.row_count for name, content in found.items()}


def _count(connection: DuckDBPyConnection, table: str) -> int:
    row = connection.execute(f"select count(*) from {table}").fetchone()
    assert row is not None  # noqa: S101 - an aggregate has one row
    return int(row[0])


def read_content(connection: DuckDBPyConnection, table: str) -> Content:
    """Count and hash one table, given by its quoted path."""
    row = connection.execute(
        f"select count(*), coalesce(sum(hash(content)::hugeint), 0)::text from {table} as content"
    ).fetchone()
    assert row is not None  # noqa: S101 - an aggregate has one row
    return Content(int(row[0]), str(row[1]))


def _names_of_tables(connection: DuckDBPyConnection) -> set[str]:
    query = "select schema_name || '.' || table_name from duckdb_tables() where database_name = current_database()"
    return {name for (name,) in connection.execute(query).fetchall()}


def _complete(connection: DuckDBPyConnection) -> None:
    """Write everything into the file itself: closing does it too, but keeps silent when the disk is full."""
    connection.execute("checkpoint")


def _require_equal(
    target: Path, expected: Mapping[str, Content], found: Mapping[str, Content], unexpected: Iterable[str]
) -> None:
    different = sorted(name for name, content in expected.items() if found.get(name) != content)
    different += sorted(unexpected)
    if different:
        raise BuildError(
            f"The copy of {', '.join(different)} in {target.name} differs from the build; nothing was published. "
            f"{_CHECK}"
        )


def _is_version(table: ListedTable) -> bool:
    return (table.schema, table.name) == VERSION_TABLE


def _origin(table: ListedTable) -> str:
    """Where a table is copied from: the audited build; results and verdict from the audit's own, sealed file."""
    if table.part or table.schema != "audit":
        return f"{_PART_FILES[table.part] if table.part else _BUILD}.{table.path}"
    if table.name not in AUDIT_TABLES:
        return f"{_AUDIT}.{table.path}"
    schema, name, left_out = AUDIT_TABLES[table.name]
    columns = f"* exclude ({', '.join(map(identifier, sorted(left_out)))})" if left_out else "*"
    return f"(select {columns} from {_BUILD}.{identifier(schema)}.{identifier(name)})"


def _write_version(connection: DuckDBPyConnection, table: ListedTable, row: Mapping[str, object]) -> None:
    connection.execute(
        f"create table {table.path} (version text, build_id text, run_id text, company text, created_at timestamp, "
        f"as_of timestamp, base_version text, configuration_digest text, watermarks json, verdict json, software json)"
    )
    names = ", ".join(row)
    marks = ", ".join("?" for _ in row)
    connection.execute(f"insert into {table.path} ({names}) values ({marks})", list(row.values()))


def _comment(connection: DuckDBPyConnection, table: ListedTable) -> None:
    connection.execute(f"comment on table {table.path} is {literal(table.description)}")
    for column, description in table.columns:
        connection.execute(f"comment on column {table.path}.{identifier(column)} is {literal(description)}")
