"""Which rows failed a rule: their keys, never a value, at most so many per rule and object.

Add here what a failing row may be named by. The true number of failing rows is in the result of the rule; what is
found here is where to look.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pipelines.audit.failing_rows import failing_rows_of
from pipelines.audit.naming import NamedRows, columns_of, is_naming, name_rows
from pipelines.warehouse import connect, identifier, insert_rows, log_privately

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.audit.catalogue import Catalogue
    from pipelines.audit.results import RuleResult
    from pipelines.audit.rules import Rule
    from pipelines.settings import Settings

# Where the customer of a failing record is looked up, by the table that a rule is checked on: table and its key.
FACTS = {
    "orders": "order_key",
    "order_lines": "order_line_key",
    "returns": "return_key",
    "order_discounts": "order_discount_key",
    "carts": "cart_key",
    "invoices": "invoice_key",
    "deals": "deal_key",
    "interactions": "interaction_key",
    "stage_changes": "stage_change_key",
    "tickets": "ticket_key",
    "ratings": "rating_key",
    "touches": "touch_key",
}


@dataclass(frozen=True)
class RuleFailure:
    """One failing row.

    Attributes:
        object: as in the result of the rule.
        key_name: the columns that name the row, e.g. `record_key` or `source_system, entity`.
        key: their values.
        customer_id: the customer it belongs to, None where that is not known.
        fields: the columns that the rule looks at.
    """

    rule_id: str
    object: str
    key_name: str
    key: str
    customer_id: str | None
    fields: Sequence[str] = ()


def find_failures(
    settings: Settings,
    catalogue: Catalogue,
    results: Iterable[RuleResult],
    named: Mapping[tuple[str, str], NamedRows],
    tests: Mapping[str, str],
) -> list[RuleFailure]:
    """The rows that fail, by rule, object and key. Rules without a failing row cost nothing.

    Which rows of a rule are kept depends on nothing but their keys. A row without a key of its own is not listed.

    Args:
        settings: names the build, and how many rows of a rule and object are kept.
        catalogue: has the rules that were checked.
        results: what they found.
        named: by rule and object, the failing rows that were named when they were counted; others are looked up.
        tests: SQL of dbt's data tests by their id.
    """
    import duckdb

    by_id = {rule.id: rule for rule in catalogue.rules}
    found: list[RuleFailure] = []
    with connect(settings.build_warehouse, settings, read_only=True) as connection:
        for result in results:
            rule = by_id[result.rule_id]
            rows = named.get((result.rule_id, result.object))
            query = _query(rule, result, tests) if result.failed_count and rows is None else None
            if query is not None:
                try:
                    rows = _look_up(
                        connection, query, grain_of(rule, result.object, catalogue.grains), result, settings
                    )
                except duckdb.Error as error:  # the count stands; where to look is not known
                    log_privately(settings, error)
            if rows is not None and rows.key_name is not None:
                place, fields = (rule.id, result.object, rows.key_name), catalogue.fields[rule.id]
                found += [RuleFailure(*place, key, customer_id, fields) for key, customer_id in rows.keys]
        return sorted(_with_customers(connection, found, by_id), key=lambda f: (f.rule_id, f.object, f.key))


def _query(rule: Rule, result: RuleResult, tests: Mapping[str, str]) -> str | None:
    if rule.dbt_test:
        return tests.get(rule.dbt_test)
    return failing_rows_of(rule, next(o for o in rule.objects if o.name == result.object))


def grain_of(rule: Rule, name: str, grains: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The columns that name a row of an object that a rule is checked on."""
    schema, table = rule.asset_key
    if schema == "raw" and f"{schema}.{table}" not in grains:
        return ("record_key",)
    return tuple(grains.get(name) or grains.get(f"{schema}.{table}") or ())


def _look_up(
    connection: DuckDBPyConnection, query: str, grain: Sequence[str], result: RuleResult, settings: Settings
) -> NamedRows:
    """Name the rows of a query.

    One that shows only a value of each failing row, as dbt's tests of one column do, is joined back to its table.
    """

    def fetch(sql: str) -> list[tuple[Any, ...]]:
        return connection.execute(sql).fetchall()

    columns = columns_of(fetch, query)
    if len(columns) == 1 and not is_naming(columns[0]) and grain:
        value = identifier(columns[0])
        query = f"select * from {result.object} where {value} in (select {value} from ({query}))"
        columns = columns_of(fetch, query)
    return name_rows(fetch, query, columns, grain, settings.kept_failures)


def _with_customers(
    connection: DuckDBPyConnection, failures: Sequence[RuleFailure], rules: Mapping[str, Rule]
) -> list[RuleFailure]:
    """Say whose the failing records are: by the record itself where it is a person, else by the fact it became."""
    unknown = [f for f in failures if f.customer_id is None]
    there = set(connection.execute("select table_schema, table_name from information_schema.tables").fetchall())
    customers: dict[tuple[str, str], str] = {}
    connection.execute("create temp table sought (key text)")
    for table, key in [(("identity", "members"), "record_key"), *((("marts", t), k) for t, k in FACTS.items())]:
        sought = {f.key for f in unknown if _is_about(rules[f.rule_id], f, table, key)}
        if sought and table in there:
            connection.execute("delete from sought")
            insert_rows(connection, "sought", [(value,) for value in sorted(sought)])
            rows: list[tuple[str, Any]] = connection.execute(
                f"select {key}, min(customer_id) from {'.'.join(table)} where {key} in (from sought) "
                f"and customer_id is not null group by {key}"
            ).fetchall()
            customers |= {(key_name, value): customer for value, customer in rows for key_name in ("record_key", key)}
    return [
        replace(f, customer_id=customers.get((f.key_name, f.key))) if f.customer_id is None else f for f in failures
    ]


def _is_about(rule: Rule, failure: RuleFailure, table: tuple[str, str], key: str) -> bool:
    """Whether the failing record may be found in this table: named like its key, or landed as its entity."""
    if failure.key_name == key:
        return True
    return failure.key_name == "record_key" and rule.asset_key[1].split("_", 1)[-1] == table[1]
