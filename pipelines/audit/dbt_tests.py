"""dbt's data tests as rules of the suite `dbt`, and what the manifest knows of published tables.

Add here what a rule takes from dbt's manifest. A test names its rule in `config.meta`: `rule_id`, `name`,
`severity`, `dimension`, `owner`, `description(_de)`, `remedy(_de)`; what it leaves out is derived.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.audit.results import Severity
from pipelines.audit.rules import Rule, RuleObject
from pipelines.audit.suites import CHECK_NAME
from pipelines.warehouse import PUBLISHED_SCHEMAS

SUITE = "dbt"
UNIQUE_KEY = "key_is_unique"
REFERENCES = frozenset({"reference_exists", "relationships"})  # ours, and dbt's own
# Types whose values cannot name anybody by a text.
WITHOUT_TEXT = re.compile(
    r"(?i)(u?(tiny|small|big|huge)?int(eger)?|decimal|double|float|real|boolean|date|time)\b|timestamp"
)
DIMENSIONS = {
    "unique": "uniqueness",
    "not_null": "completeness",
    "relationships": "integrity",
    "accepted_values": "validity",
}


@dataclass(frozen=True)
class Reference:
    """What a data test wants to be there: the values of a column as keys of another table.

    Attributes:
        table: `schema.table` that is referred to.
        key: its column.
    """

    column: str
    table: str
    key: str


@dataclass(frozen=True)
class DataTests:
    """The rules of all data tests, and one sentence for every mistake in their `meta`."""

    rules: list[Rule]
    problems: list[str]


def rules_of_data_tests(manifest: Mapping[str, Any]) -> DataTests:
    """One rule per data test that dbt would run. Without a `rule_id` it is named after the test, and only warns."""
    tests = [n for n in manifest["nodes"].values() if n["resource_type"] == "test" and n["config"]["enabled"]]
    rules: list[Rule] = []
    problems: list[str] = []
    for test in sorted(tests, key=lambda t: str(t["unique_id"])):
        found = list(_problems(_meta(test)))
        problems += [f"{test['original_file_path']}: data test {test['name']}: {p}" for p in found]
        if not found:
            rules.append(_rule(test, manifest))
    return DataTests(rules, problems)


def _problems(meta: Mapping[str, Any]) -> Iterator[str]:
    allowed = [s.value for s in Severity]
    if meta.get("severity", "warning") not in allowed:
        yield f"meta.severity is '{meta['severity']}'; allowed: {', '.join(allowed)}."
    if not re.fullmatch(r"dbt_[0-9]{3}", meta.get("rule_id", "dbt_000")):
        yield f"meta.rule_id is '{meta['rule_id']}'; write it like dbt_012."
    if not re.fullmatch(CHECK_NAME, meta.get("name", "name")):
        yield f"meta.name is '{meta['name']}'; use at most 25 letters, digits and underscores."


def grains(manifest: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """The columns that name a row, by `schema.table`, as the tests of unique keys say."""
    tests = [node for node in manifest["nodes"].values() if node["resource_type"] == "test"]
    return {_table_name(_tested_table(test, manifest)): key for test in tests if (key := _unique_key(test))}


def _unique_key(test: Mapping[str, Any]) -> tuple[str, ...]:
    """The columns that a test wants to be the key of its table; none when it asks something else."""
    asked = test.get("test_metadata") or {}
    return tuple(asked["kwargs"]["columns"]) if asked.get("name") == UNIQUE_KEY else ()


def references(manifest: Mapping[str, Any]) -> dict[str, Reference]:
    """What the data tests of references want to be there, by the id of the test."""
    tests = [node for node in manifest["nodes"].values() if node["resource_type"] == "test"]
    return {str(test["unique_id"]): found for test in tests if (found := _reference(test, manifest))}


def _reference(test: Mapping[str, Any], manifest: Mapping[str, Any]) -> Reference | None:
    asked = test.get("test_metadata") or {}
    if asked.get("name") not in REFERENCES:
        return None
    everything = {**manifest["nodes"], **manifest["sources"]}
    [referred] = [name for name in test["depends_on"]["nodes"] if name != test["attached_node"]]
    kwargs = asked["kwargs"]
    return Reference(kwargs.get("column") or kwargs["column_name"], _table_name(everything[referred]), kwargs["field"])


def columns_of_tables(manifest: Mapping[str, Any]) -> dict[str, list[str]]:
    """The columns that are described, by `schema.table`."""
    return {_table_name(node): list(node["columns"]) for node in _tables(manifest)}


def published_texts(manifest: Mapping[str, Any], file: str = "warehouse") -> dict[str, list[str]]:
    """The columns that hold text, by `schema.table`, of every table that is built and published in this file.

    A column without a type counts as text, and a table that describes no column has none.
    """
    return {
        _table_name(node): [c["name"] for c in node["columns"].values() if not WITHOUT_TEXT.match(c["data_type"] or "")]
        for node in sorted(_tables(manifest), key=_table_name)
        if _meta(node).get("file") == file and node["schema"] in {"marts", "activation"}
    }


def _rule(test: Mapping[str, Any], manifest: Mapping[str, Any]) -> Rule:
    meta = _meta(test)
    table = _tested_table(test, manifest)
    schema, name = _table_name(table).split(".")
    kind = (test.get("test_metadata") or {}).get("name", "")
    column = f" of column {test['column_name']}" if test.get("column_name") else ""
    described = test.get("description") or meta.get("description") or _in_words(test["name"], kind, column, table)
    remedy = (
        meta.get("remedy") or f"Look at the rows that the dbt test {test['name']} finds, and mend them at the source."
    )
    return Rule(
        id=meta.get("rule_id") or f"dbt_{test['name']}",
        check_name=meta.get("name") or _check_name(test["name"]),
        suite=SUITE,
        severity=Severity(meta.get("severity", Severity.WARNING)),
        dimension=meta.get("dimension") or DIMENSIONS.get(kind, "consistency"),
        owner=meta.get("owner") or _meta(table).get("owner") or "data engineering",
        description=described,
        description_de=meta.get("description_de") or described,
        remedy=remedy,
        remedy_de=meta.get("remedy_de") or remedy,
        reason=meta.get("reason") or "Keys, references and arithmetic have no tolerance.",
        protects="Joins and sums over the published tables.",
        protects_de="Verknüpfungen und Summen über die veröffentlichten Tabellen.",
        asset_key=(schema, name),
        objects=(RuleObject(f"{schema}.{name}", f"select * from {schema}.{name}"),),
        threshold=0.0,
        dbt_test=test["unique_id"],
        dbt_code=_code(test, manifest),
        unique_key=_unique_key(test),
    )


def _code(test: Mapping[str, Any], manifest: Mapping[str, Any]) -> str:
    """What a test checks: its own text, its arguments, and the macros that make its query."""
    macros = [manifest["macros"][name]["macro_sql"] for name in sorted(test["depends_on"]["macros"])]
    kwargs = (test.get("test_metadata") or {}).get("kwargs", {})
    return json.dumps([test.get("raw_code"), kwargs, macros], sort_keys=True, default=str)


def _in_words(name: str, kind: str, column: str, table: Mapping[str, Any]) -> str:
    return f"dbt test {kind or name}{column} of {_table_name(table)}." if kind else f"dbt test {name}."


def _check_name(name: str) -> str:
    """The test's own name when it fits, else its beginning and a hash of the whole."""
    if re.fullmatch(CHECK_NAME, name):
        return name
    readable = re.sub(r"[^A-Za-z0-9_]", "_", name)[:18]
    return f"{readable}_{hashlib.sha256(name.encode()).hexdigest()[:6]}"


def _tested_table(test: Mapping[str, Any], manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    """The table a test is attached to. One that compares several is about the first published one it reads."""
    everything: dict[str, Mapping[str, Any]] = {**manifest["nodes"], **manifest["sources"]}
    if attached := everything.get(str(test.get("attached_node"))):
        return attached
    read = [everything[name] for name in test["depends_on"]["nodes"] if name in everything]
    return next((table for table in read if table["schema"] in PUBLISHED_SCHEMAS), read[0])


def _tables(manifest: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from (n for n in manifest["nodes"].values() if n["resource_type"] in {"model", "seed"})
    yield from manifest["sources"].values()


def _table_name(node: Mapping[str, Any]) -> str:
    return f"{node['schema']}.{node.get('identifier') or node.get('alias') or node['name']}"


def _meta(node: Mapping[str, Any]) -> Mapping[str, Any]:
    """dbt keeps `meta` in two places, depending on the kind of node and on where it was written."""
    return {**(node.get("meta") or {}), **((node.get("config") or {}).get("meta") or {})}
