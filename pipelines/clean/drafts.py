"""What the rules work on: distinct names, addresses and attributes, and which record has which of them.

A value that many records carry is cleaned once. Records whose corrections somebody rejected have drafts of their own.
Add a draft here when the rules of further fields look at nothing else than these fields. Contact points have theirs in
`contact_points`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.clean.addresses import ADDRESS_FIELDS
from pipelines.clean.attributes import ATTRIBUTE_FIELDS
from pipelines.clean.names import NAME_FIELDS
from pipelines.clean.rules import rejected_entry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from duckdb import DuckDBPyConnection

# The fields of each draft of distinct values; a name and its company belong together, as one may stand for the other.
VALUE_DRAFTS = {
    "name_drafts": (*NAME_FIELDS, "company_name"),
    "address_drafts": ADDRESS_FIELDS,
    "attribute_drafts": ATTRIBUTE_FIELDS,
}


def load_rejections(connection: DuckDBPyConnection) -> None:
    """Make the temporary table `rejections`: corrections that somebody switched off for good, by record and field.

    `entry` is what stands in the column `rejected` of a draft. `config.overrides` is there when the company has some.
    """
    connection.execute("create or replace temp table rejections (record_key text, field text, value text, entry text)")
    is_there = connection.execute(
        "select count(*) from duckdb_tables() where schema_name = 'config' and table_name = 'overrides'"
    ).fetchone()
    if is_there != (0,):
        connection.execute(
            f"""
            insert into rejections
            select distinct a_record_key, field, value, {rejected_entry("field", "value")}
            from config.overrides
            where kind = 'reject-correction' and is_active and a_record_key is not null and field is not null
            """
        )


def mark_rejections(connection: DuckDBPyConnection, table: str) -> None:
    """Fill `rejected` of a table of records with `record_key`; it stays NULL where nothing was rejected."""
    connection.execute(
        f"""
        update {table} set rejected = refused.entries
        from (select record_key, list_sort(list(entry)) as entries from rejections group by record_key) as refused
        where {table}.record_key = refused.record_key
        """
    )


def draft_values(connection: DuckDBPyConnection) -> None:
    """Make the drafts of distinct values, and put their ids in place of those of `person_drafts` and `address_uses`.

    A draft has `id`, its fields, `rejected` and `weight`, the number of records with these values.
    """
    for draft, fields in VALUE_DRAFTS.items():
        tables = ["person_drafts", "address_uses"] if draft == "address_drafts" else ["person_drafts"]
        carried = " union all ".join(f"select {', '.join(fields)}, rejected from {table}" for table in tables)
        connection.execute(
            f"""
            create or replace temp table {draft} as
            select row_number() over () as id, {", ".join(fields)}, rejected, count(*) as weight
            from ({carried}) group by all
            """
        )
    connection.execute("alter table address_drafts add column house_number text")
    _number(connection, "address_uses", ["address_drafts"])
    _number(connection, "person_drafts", list(VALUE_DRAFTS))


def _number(connection: DuckDBPyConnection, table: str, drafts: Sequence[str]) -> None:
    """Put the id of the draft in place of its fields."""
    replaced = dict.fromkeys(field for draft in drafts for field in VALUE_DRAFTS[draft])
    joins = "\n".join(
        f"inner join {draft} on "
        + " and ".join(f"{table}.{f} is not distinct from {draft}.{f}" for f in (*VALUE_DRAFTS[draft], "rejected"))
        for draft in drafts
    )
    ids = ", ".join(f"{draft}.id as {id_column(draft)}" for draft in drafts)
    connection.execute(
        f"create or replace temp table numbered as "
        f"select {table}.* exclude ({', '.join(replaced)}), {table}.rowid as id, {ids} "
        f"from {table} {joins}"
    )
    connection.execute(f"drop table {table}")
    connection.execute(f"alter table numbered rename to {table}")


def id_column(draft: str) -> str:
    """`name_id` of `name_drafts`."""
    return draft.removesuffix("_drafts") + "_id"
