"""Take records out that a rule with `quarantine: true` refuses, before any stage uses them.

Add here what decides which records are set aside. They stay landed and in `raw`, keep their identity, and are treated
downstream like records that their source deleted; what is mended at the source is used again in the next build,
because nothing of an earlier one is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from pipelines.audit.expectation_types import UNEXPECTED_ROWS
from pipelines.audit.failing_rows import CONDITIONS, DUPLICATES, failing_rows_of
from pipelines.entities import ENTITIES
from pipelines.errors import WarehouseError
from pipelines.warehouse import identifier, literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.audit.rules import Rule
    from pipelines.audit.suites import Expectation

# A record of these may say that somebody must not be contacted: set aside, it would no longer say so.
CLOSES_CONTACT = frozenset(
    {("crm", "permissions"), ("crm", "interactions"), ("marketing", "touches"), ("support", "tickets")}
)
# What is nothing without its record, and the reference to it: it is set aside with that record.
PARTS = {
    ("shop", "orders"): (
        ("order_lines", "order_record_key"),
        ("order_discounts", "order_record_key"),
        ("returns", "order_record_key"),
    )
}
LATER_SCHEMA = re.compile(r"\b(staging|clean|identity|intermediate|marts|activation|meta|audit)\.", re.IGNORECASE)


def quarantine_problems(expectation: Expectation) -> Iterator[str]:
    """Why a rule cannot set records aside, one sentence each."""
    for name in expectation.meta.objects:
        role, _, entity = name.partition(".")
        if (role, entity) not in ENTITIES:
            yield "quarantine sets records of a source aside; name an entity such as shop.orders in meta.object."
        if (role, entity) in CLOSES_CONTACT:
            yield f"a record of {name} may forbid to contact somebody, so it is never set aside; remove quarantine."
    query = str(expectation.kwargs.get("unexpected_rows_query", ""))
    if expectation.type == UNEXPECTED_ROWS:
        if "record_key" not in query:
            yield "quarantine needs the keys of the failing records; select record_key in the SQL."
        if later := LATER_SCHEMA.search(f"{query} {expectation.meta.rows or ''}"):
            yield f"quarantine runs before '{later[1]}' is made; its SQL may read raw and config only."
    elif expectation.type not in CONDITIONS.keys() | DUPLICATES:
        yield f"{expectation.type} is about all records together; quarantine needs a rule about each record."


def quarantined_entities(names: Iterable[str]) -> set[str]:
    """Entities of which records may be set aside, when rules do so with these, as `<role>.<entity>`."""
    whole = {(role, entity) for role, _, entity in (name.partition(".") for name in names)}
    parts = {(place[0], part) for place in whole & PARTS.keys() for part, _ in PARTS[place]}
    return {f"{role}.{entity}" for role, entity in whole | parts}


def quarantine_records(connection: DuckDBPyConnection, rules: Sequence[Rule]) -> int:
    """Fill `raw.quarantine`, and say in `raw.reconciliation` how many records are there and how many were set aside.

    What belongs to a record is set aside with it, under the same rule.

    Args:
        connection: open on the build, with the tables of schema `raw`.
        rules: of the catalogue; those that do not set anything aside are left out.

    Returns:
        The number of rows of `raw.quarantine`: one per record and rule.

    Raises:
        WarehouseError: a rule could not be run. Going on would publish what it is there to take out.
    """
    import duckdb

    connection.execute("delete from raw.quarantine")
    for rule in (r for r in rules if r.quarantines):
        for checked in rule.objects:
            source, _, entity = checked.name.partition(".")
            failing = failing_rows_of(rule, checked)
            if failing is None:  # no source delivers it
                continue
            try:
                connection.execute(
                    f"insert into raw.quarantine select distinct {literal(source)}, {literal(entity)}, record_key, "
                    f"{literal(rule.id)} from ({failing}) where record_key is not null order by record_key"
                )
            except duckdb.Error as error:
                raise WarehouseError(
                    f"Rule {rule.display_id} could not be run on {checked.name}, so it is not known which records to "
                    f"set aside: {type(error).__name__}. Correct its SQL in expectations/{rule.suite}.yml, then start "
                    f"again."
                ) from None
    _set_parts_aside(connection)
    _reconcile(connection)
    row = connection.execute("select count(*) from raw.quarantine").fetchone()
    return int(row[0]) if row else 0


def _set_parts_aside(connection: DuckDBPyConnection) -> None:
    for (role, whole), parts in PARTS.items():
        for part, key in parts:
            connection.execute(
                f"insert into raw.quarantine select p.source_system, {literal(part)}, p.record_key, q.rule_id "
                f"from raw.{identifier(f'{role}_{part}')} as p inner join raw.quarantine as q "
                f"on p.source_system = q.source_system and p.{identifier(key)} = q.record_key "
                f"where q.entity = {literal(whole)} and p.deleted_at is null order by p.record_key, q.rule_id"
            )


def _reconcile(connection: DuckDBPyConnection) -> None:
    """What is landed and not deleted is used, or set aside: both are counted."""
    landed = " union all ".join(
        f"select source_system, {literal(entity.name)} as entity, count(*) as n from raw.{entity.table} "
        f"where deleted_at is null group by source_system"
        for entity in ENTITIES.values()
    )
    quarantined = "select source_system, entity, count(distinct record_key) as n from raw.quarantine group by all"
    connection.execute("update raw.reconciliation set landed_count = 0, quarantined_count = 0")
    for column, counts in (("landed_count", landed), ("quarantined_count", quarantined)):
        connection.execute(
            f"update raw.reconciliation as r set {column} = c.n from ({counts}) as c "
            f"where c.source_system = r.source_system and c.entity = r.entity"
        )
