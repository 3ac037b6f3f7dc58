"""What a cleaning rule is, and how an ordered table of rules is applied to a table of drafts.

A draft is a temporary table with one row per record or value, which the rules change in place; every change is logged
in the temporary table `changes`. Rules themselves live beside their field. Nothing here knows a field.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from pipelines.warehouse import identifier, literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class Status(StrEnum):
    APPLIED = "applied"
    PROPOSED = "proposed"


@dataclass(frozen=True)
class Rule:
    """One named rule: a condition, and for each field it changes an SQL expression over the fields of the row.

    Attributes:
        name: stands in `clean.corrections.rule`; never changes its meaning.
        changes: expression by field; all are evaluated on the row as it was before the rule.
        when: condition on the row.
        confidence: 0 to 1, how sure the rule is that the new value is the right one.
        status: a proposed change is logged but not made.
        prepare: called just before the rule, e.g. to make a lookup table from the state the rules before left.
    """

    name: str
    changes: Mapping[str, str]
    when: str = "true"
    confidence: float = 1.0
    status: Status = Status.APPLIED
    prepare: Callable[[DuckDBPyConnection], None] | None = None


def start_log(connection: DuckDBPyConnection) -> None:
    """Create the empty log: one row per draft, key, field and rule, in the order of the rules."""
    connection.execute(
        """
        create or replace temp table changes (
            draft text, key text, field text, rule text, position integer, confidence double, status text,
            before text, after text
        )
        """
    )


def apply_rules(connection: DuckDBPyConnection, draft: str, key: str, rules: Sequence[Rule]) -> None:
    """Apply `rules` one after the other to the temporary table `draft`, whose column `key` is unique."""
    for position, rule in enumerate(rules):
        if rule.prepare is not None:
            rule.prepare(connection)
        _apply_rule(connection, draft, key, rule, position)
    connection.execute("drop table if exists changed")


def _apply_rule(connection: DuckDBPyConnection, draft: str, key: str, rule: Rule, position: int) -> None:
    pairs = ", ".join(
        f"{field} as {identifier('before ' + field)}, {expression} as {identifier('after ' + field)}"
        for field, expression in rule.changes.items()
    )
    differs = {
        field: f"{identifier('before ' + field)} is distinct from {identifier('after ' + field)}"
        for field in rule.changes
    }
    created = connection.execute(
        f"""
        create or replace temp table changed as
        -- Materialized, or every expression is computed twice: for the comparison and for the result.
        with candidates as materialized (select {key} as key, {pairs} from {draft} where {rule.when})
        select * from candidates where {" or ".join(differs.values())}
        """
    ).fetchone()
    if created == (0,):
        return
    for field, condition in differs.items():
        connection.execute(
            f"""
            insert into changes
            select
                {literal(draft)}, key, {literal(field)}, {literal(rule.name)}, {position}, {rule.confidence},
                {literal(rule.status)}, {identifier("before " + field)}, {identifier("after " + field)}
            from changed where {condition}
            """
        )
    if rule.status is Status.APPLIED:
        assignments = ", ".join(f"{field} = changed.{identifier('after ' + field)}" for field in rule.changes)
        connection.execute(f"update {draft} set {assignments} from changed where {draft}.{key} = changed.key")
