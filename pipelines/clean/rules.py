"""What a cleaning rule is, and how an ordered table of rules is applied to a table of drafts.

A draft is a temporary table that the rules change in place; every change is logged in the temporary table `changes`.
Most drafts hold distinct values and not records, so that a value is cleaned once however many records carry it. Rules
themselves live beside their field. Nothing here knows a field.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
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
        confidence: how sure the rule is that the new value is the right one, 0 to 1; a number, or SQL over the row.
        status: a proposed change is logged but not made.
        prepare: called with the name of the draft just before the rule, e.g. to make a lookup table from the state the
            rules before left.
        is_final: what the value must look like to be published at all; a rejected correction cannot switch it off.
    """

    name: str
    changes: Mapping[str, str]
    when: str = "true"
    confidence: float | str = 1.0
    status: Status = Status.APPLIED
    prepare: Callable[[DuckDBPyConnection, str], None] | None = None
    is_final: bool = False


def with_status(rules: Iterable[Rule], status: Status | None) -> tuple[Rule, ...]:
    """The rules with another status; with None as they are."""
    return tuple(replace(rule, status=status) if status else rule for rule in rules)


def start_log(connection: DuckDBPyConnection) -> None:
    """Create the empty log: one row per draft, id, field and rule, in the order of the rules."""
    connection.execute(
        """
        create or replace temp table changes (
            draft text, id bigint, field text, rule text, position integer, confidence double, status text,
            before text, after text
        )
        """
    )


def apply_rules(connection: DuckDBPyConnection, draft: str, rules: Sequence[Rule]) -> None:
    """Apply `rules` one after the other to the temporary table `draft`.

    Its column `id` is unique; `rejected` lists what somebody refused for this row, see `reject_changes`.
    """
    row = connection.execute(f"select count(rejected) from {draft}").fetchone()
    has_rejections = row is not None and row[0] > 0
    for position, rule in enumerate(rules):
        if rule.prepare is not None:
            rule.prepare(connection, draft)
        _apply_rule(connection, draft, rule, position, has_rejections and not rule.is_final)
    connection.execute("drop table if exists changed")


def rejected_entry(field: str, value: str) -> str:
    """SQL for an entry of `rejected`: the field, or the field with the one new value that is refused."""
    return f"{field} || coalesce(chr(31) || {value}, '')"


def _apply_rule(connection: DuckDBPyConnection, draft: str, rule: Rule, position: int, can_be_rejected: bool) -> None:
    pairs = ", ".join(
        f"{field} as {identifier('before ' + field)}, {expression} as {identifier('after ' + field)}"
        for field, expression in rule.changes.items()
    )
    differs = {
        field: f"{identifier('before ' + field)} is distinct from {identifier('after ' + field)}"
        for field in rule.changes
    }
    condition = f"({' or '.join(differs.values())})"
    if can_be_rejected:
        # What changes several fields at once is refused as a whole: a street without its number would lose it.
        condition += "".join(f" and ({_is_allowed(field)} or not {differ})" for field, differ in differs.items())
    created = connection.execute(
        f"""
        create or replace temp table changed as
        -- Materialized, or every expression is computed twice: for the comparison and for the result.
        with candidates as materialized (
            select id, rejected, {rule.confidence} as confidence, {pairs} from {draft} where {rule.when}
        )
        select * exclude (rejected) from candidates where {condition}
        """
    ).fetchone()
    if created == (0,):
        return
    for field, differ in differs.items():
        connection.execute(
            f"""
            insert into changes
            select
                {literal(draft)}, id, {literal(field)}, {literal(rule.name)}, {position}, confidence,
                {literal(rule.status)}, {identifier("before " + field)}, {identifier("after " + field)}
            from changed where {differ}
            """
        )
    if rule.status is Status.APPLIED:
        assignments = ", ".join(f"{field} = changed.{identifier('after ' + field)}" for field in rule.changes)
        connection.execute(f"update {draft} set {assignments} from changed where {draft}.id = changed.id")


def _is_allowed(field: str) -> str:
    entry = rejected_entry(literal(field), identifier("after " + field))
    return f"(rejected is null or not list_has_any(rejected, [{literal(field)}, {entry}]))"
