"""Every rule of the audit, with the objects it is checked on: from the suites in YAML and from dbt's data tests.

Add here how a rule's object becomes rows of the warehouse. Nothing here imports Great Expectations or opens a
database: Dagster lists every rule by name when it loads.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.audit.dbt_tests import (
    Reference,
    columns_of_tables,
    grains,
    published_texts,
    references,
    rules_of_data_tests,
)
from pipelines.audit.expectation_types import OWN, SUPPORTED, UNEXPECTED_ROWS
from pipelines.audit.metrics import SOURCES
from pipelines.audit.naming import is_naming
from pipelines.audit.quarantine import quarantine_problems, quarantined_entities
from pipelines.audit.rules import Rule, RuleObject, fields_of
from pipelines.audit.suites import Expectation, RuleMeta, Suite, read_suites
from pipelines.entities import ENTITIES, ROLES, SYSTEM_COLUMNS
from pipelines.errors import ConfigurationError
from pipelines.settings import EXPECTATIONS_DIR
from pipelines.warehouse import SCHEMAS, identifier, literal

if TYPE_CHECKING:
    from pipelines.configuration import Configuration

PUBLISHED = "published"
# The asset that a rule about figures is shown at, where its object is none.
STANDS_FOR = {
    SOURCES: ("raw", "reconciliation"),
    "audit.rule_results": ("audit", "verdict"),
}
# What every contact point holds one of, and hardly another text: the texts of a row without any are not put together.
MARKS = ("@", "+")
# Columns of `raw.*` that are not of the source.
RAW_COLUMNS = frozenset({"record_key", "source_system", "merged_into_record_key", "identifiers", "custom"})

# Columns of other tables that say whose or which a row is, beside their keys.
ROW_NAMES = frozenset({"customer_id", "account_id", "source_system", "entity", "column_name", "figure", "part"})

# What a table of different values, one row each, has them of.
DISTINCT_VALUES = {"clean.emails": "email", "clean.phones": "phone"}


@dataclass(frozen=True)
class Catalogue:
    """All rules, ordered by suite and id.

    Attributes:
        grains: the columns that name a row, by `schema.table`.
        fields: the columns that a rule looks at, by its id.
        references: what data tests of references want to be there, by the test.
    """

    rules: tuple[Rule, ...]
    grains: Mapping[str, Sequence[str]]
    fields: Mapping[str, Sequence[str]]
    references: Mapping[str, Reference]

    @property
    def suites(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(rule.suite for rule in self.rules))

    def rule(self, rule_id: str) -> Rule:
        return next(r for r in self.rules if r.id == rule_id)

    def select(self, suites: Collection[str] | None = None) -> list[Rule]:
        """The rules of the named suites, of all when None.

        Raises:
            ConfigurationError: a suite does not exist.
        """
        if unknown := sorted(set(suites or ()) - set(self.suites)):
            raise ConfigurationError(
                [f"There is no suite '{name}'; allowed: {', '.join(self.suites)}." for name in unknown]
            )
        return [r for r in self.rules if suites is None or r.suite in suites]


def load_catalogue(
    configuration: Configuration, *, directory: Path = EXPECTATIONS_DIR, manifest: Mapping[str, Any] | None = None
) -> Catalogue:
    """Read every rule.

    Args:
        configuration: says which source delivers which entity.
        directory: the folder of the suites.
        manifest: dbt's manifest, by default of the project as it is.

    Raises:
        ConfigurationError: with one sentence for every problem in any suite.
    """
    from pipelines.transform import load_manifest

    manifest = load_manifest() if manifest is None else manifest
    files = read_suites(directory)
    problems = list(files.problems)
    published, keys = published_texts(manifest), grains(manifest)
    quarantined = quarantined_entities(
        name for suite in files.suites for e in suite.expectations if e.meta.quarantine for name in e.meta.objects
    )
    rules = []
    for suite in files.suites:
        for expectation in suite.expectations:
            where = f"expectations/{suite.name}.yml: rule {expectation.meta.id}"
            problems += [f"{where}: {p}" for p in _object_problems(expectation)]
            if expectation.meta.quarantine:
                problems += [f"{where}: {p}" for p in quarantine_problems(expectation)]
            rules.append(_rule(suite, expectation, _Objects(configuration, published, keys, quarantined)))
    data_tests = rules_of_data_tests(manifest)
    rules += data_tests.rules
    problems += data_tests.problems
    problems += _repeated("id", [r.id for r in rules]) + _repeated("name", [r.check_name for r in rules])
    if problems:
        raise ConfigurationError(problems)
    columns = columns_of_tables(manifest)
    fields = {rule.id: fields_of(rule, _columns_of(rule, columns)) for rule in rules}
    return Catalogue(tuple(sorted(rules, key=lambda r: (r.suite, r.id))), keys, fields, references(manifest))


def _columns_of(rule: Rule, columns: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The columns of the table that a rule is about, by what it may call them: a reference also by its key.

    What only names a row is none, but for a data test, which may be about a key.
    """
    table = ".".join(rule.asset_key)
    entity = next((e for e in ENTITIES.values() if f"raw.{e.table}" == table), None)
    if entity is not None:
        unasked = RAW_COLUMNS | {"deleted_at"}  # every rule looks at these
        fields = {c.name: c.name for c in (*entity.columns, *SYSTEM_COLUMNS) if c.name not in unasked}
        return fields | {c.key_column: c.name for c in entity.columns if c.key_column}
    if table in DISTINCT_VALUES:
        return {"raw_value": DISTINCT_VALUES[table]}
    return {c: c for c in columns.get(table, ()) if rule.dbt_test or not (c.endswith("_key") or c in ROW_NAMES)}


@dataclass(frozen=True)
class _Objects:
    """What an object of a suite is expanded with.

    Attributes:
        published: the columns that hold text, by published table.
        keys: the columns that name a row, by table.
        quarantined: entities of which some rule sets records aside.
    """

    configuration: Configuration
    published: Mapping[str, Sequence[str]]
    keys: Mapping[str, Sequence[str]]
    quarantined: Collection[str]


def _rule(suite: Suite, expectation: Expectation, among: _Objects) -> Rule:
    meta = expectation.meta
    is_own = expectation.type in OWN
    return Rule(
        id=meta.id,
        check_name=meta.name,
        suite=suite.name,
        severity=expectation.severity,
        dimension=meta.dimension,
        owner=meta.owner or suite.meta.owner,
        description=meta.description,
        description_de=meta.description_de,
        remedy=meta.remedy,
        remedy_de=meta.remedy_de,
        reason=meta.reason,
        protects=meta.protects,
        protects_de=meta.protects_de,
        asset_key=_asset_key(meta.objects[0]),
        objects=tuple(checked for name in meta.objects for checked in _objects(name, meta, among)),
        threshold=_threshold(expectation),
        expectation=None if is_own else {"type": expectation.type, "kwargs": expectation.kwargs},
        metrics=expectation.kwargs["metrics"] if is_own and "metrics" in expectation.kwargs else None,
        tolerated_share=meta.tolerated_share,
        applies_when_empty=meta.applies_when_empty,
        is_approvable=meta.approvable,
        quarantines=meta.quarantine,
    )


def _asset_key(name: str) -> tuple[str, str]:
    """The table a rule is shown on; of several, the first."""
    schema, table = name.split(".")
    if entity := ENTITIES.get((schema, table)):
        return "raw", entity.table
    return ("meta", "columns") if schema == PUBLISHED else STANDS_FOR.get(name, (schema, table))


def _objects(name: str, meta: RuleMeta, among: _Objects) -> Iterator[RuleObject]:
    """Expand an object as a suite names it. Always at least one, so that no rule vanishes from the results."""
    condition = f"({meta.rows})" if meta.rows else "true"
    schema, table = name.split(".")
    if name in among.quarantined and not meta.quarantine:  # what is set aside is judged by the rule that did it
        condition += " and record_key not in (select record_key from raw.quarantine)"
    if name == SOURCES:
        found = [
            RuleObject(f"{source.name}.{entity}", None)
            for source in sorted(among.configuration.sources, key=lambda s: s.name)
            for entity in sorted(source.landed_entities)
        ]
    elif schema in ROLES:
        found = [
            RuleObject(
                f"{source.name}.{table}",
                # A record that the source deleted is no longer the source's to mend.
                f"select * from raw.{schema}_{table} "
                f"where source_system = {literal(source.name)} and deleted_at is null and {condition}",
            )
            for source in sorted(among.configuration.sources, key=lambda s: s.name)
            if _delivers(source, schema, table)
        ]
    elif schema == PUBLISHED:
        found = [
            RuleObject(
                table_name,
                f"{_text_and_key(texts, among.keys.get(table_name))} from {table_name} as t where {condition}",
            )
            for table_name, texts in among.published.items()
        ]
    else:
        found = [RuleObject(name, f"select * from {name} where {condition}")]
    yield from found or [RuleObject(name, None)]


def _text_and_key(texts: Sequence[str], key: Sequence[str] | None) -> str:
    """The texts of a row of table `t` as one, null where none of them holds one of the `MARKS`, and what names it.

    To look for the marks takes little more than to read the texts; to join them and look for patterns doubles it. No
    pattern spans the bars.
    """
    row_text = "t::varchar"
    if texts:
        marked = " or ".join(f"contains({identifier(text)}, {literal(mark)})" for text in texts for mark in MARKS)
        row_text = f"case when {marked} then concat_ws('|', {', '.join(map(identifier, texts))}) end"
    named = key or [text for text in texts if is_naming(text)]
    return ", ".join([f"select {row_text} as row_text", *map(identifier, named)])


def _delivers(source: Any, role: str, entity_name: str) -> bool:
    """Whether the source delivers the entity, also as part of a flat export of order lines."""
    named = set(source.entities)
    if "order_lines" in named and any(c.startswith("order_") for c in source.entities["order_lines"].columns):
        named.add("orders")
    return any(
        (entity := source.find_entity(n)) is not None and (entity.role, entity.name) == (role, entity_name)
        for n in named
    )


def _threshold(expectation: Expectation) -> float | None:
    if expectation.type == UNEXPECTED_ROWS:
        return expectation.meta.tolerated_share
    _, options = SUPPORTED.get(expectation.type, ((), ()))
    if "mostly" in options:
        return round(1 - float(expectation.kwargs.get("mostly", 1)), 6)
    return None


def _object_problems(expectation: Expectation) -> Iterator[str]:
    kwargs = expectation.kwargs
    named = {kwargs.get(k) for k in ("column", "column_A", "column_B")} | set(kwargs.get("column_list", []))
    for name in expectation.meta.objects:
        schema, table = name.split(".")
        entity = ENTITIES.get((schema, table))
        if entity is None and schema not in {*SCHEMAS, PUBLISHED} and expectation.type not in OWN:
            entities = ", ".join(f"{role}.{entity_name}" for role, entity_name in ENTITIES)
            yield (
                f"'{name}' is neither an entity ({entities}) nor a table of {', '.join(SCHEMAS)}; correct meta.object."
            )
        if entity is not None:
            keys = {c.key_column for c in entity.columns if c.key_column}
            known = {c.name for c in (*entity.columns, *SYSTEM_COLUMNS)} | keys | RAW_COLUMNS
            for column in sorted(str(name) for name in named - known - {None}):
                yield f"'{column}' is not a column of {name}; correct kwargs."


def _repeated(what: str, names: Sequence[str]) -> list[str]:
    return [
        f"expectations: {count} rules have the {what} '{name}'; it must be unique."
        for name, count in sorted(Counter(names).items())
        if count > 1
    ]
