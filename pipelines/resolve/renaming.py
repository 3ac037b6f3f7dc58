"""The ids of a night: those of clusters that a changed record touches, and those that lead there; all others stay.

A cluster that is a published customer with all its records keeps that id, whatever becomes of the others, and an id
stays what it is while neither its founder, nor the records that carried it last, nor what it was merged into is in
another cluster than before. So `ids` is called over these clusters and ids alone. That takes that what is published is
what the last run said; where something else is, all are named anew. Change here which clusters and ids are looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.resolve.changes import CannotContinueError, WhyInFull
from pipelines.resolve.ids import assign_ids, show_ids
from pipelines.warehouse import literal

if TYPE_CHECKING:
    from datetime import datetime

    from duckdb import DuckDBPyConnection

    from pipelines.resolve.slices import Slices


def digest_ids(connection: DuckDBPyConnection, members: str, history: str) -> str:
    """Names who is which customer, and what every id is; the order of the rows of both tables is of no importance."""
    rows = connection.execute(
        f"select count(*), bit_xor(hash(record_key, customer_id)) from {members} "
        f"union all select count(*), bit_xor(hash(h)) from {history} as h"
    ).fetchall()
    return " ".join(f"{count} {digest}" for count, digest in rows)


def rename_touched(slices: Slices, version: str, at: datetime) -> None:
    """Create `members`, `id_history` and `id_events` as `assign_ids` does, where what is published is as it was kept.

    All three are views: what is published of all other records is read where it is.

    Reads `records`, `clustered`, `regrouped_records` and `changes`, and what `assign_ids` reads of earlier versions.

    Raises:
        CannotContinueError: a new id would be one that was issued to a record of another cluster.
    """
    slices.run(_TOUCHED)
    near = slices.main + ".near_published"
    with slices.slice(
        clusters="select record_key, cluster, is_live, created_at from records join clustered using (n) "
        "semi join renamed using (n)",
        published_members="from near_published",
        former_members=f"from {slices.main}.former_members semi join (from changes where not was_there) "
        "using (record_key)",
        known_ids=f"from {slices.main}.known_ids where customer_id in (from near_ids) "
        f"or customer_id in (select customer_id from {near})",
        known_events=f"from {slices.main}.known_events limit 0",
    ):
        assign_ids(slices.connection, version, at)
        for table in ("new_history", "new_events"):
            slices.run(f"create table {slices.main}.{table} as from {slices.part}.{table}")
        slices.run(f"create table {slices.main}.renamed_members as from {slices.part}.members")
        elsewhere = (
            f"(from {slices.main}.known_ids semi join (from {slices.main}.new_history "
            f"where first_version = {literal(version)}) using (customer_id) anti join known_ids using (customer_id))"
        )
        if slices.count(elsewhere):
            raise CannotContinueError(WhyInFull.ISSUED_ELSEWHERE)
    slices.run(
        """
        create view members as
        from published_members anti join near_published using (record_key) union all from renamed_members
        """
    )
    show_ids(slices.connection)


# Components are renewed as a whole, so their clusters are; `changes` has the records that are gone.
_TOUCHED = """
create table touched_keys as
select record_key from records semi join regrouped_records using (n) union select record_key from changes;
create table near_ids as
with near as (
    select customer_id from published_members semi join touched_keys using (record_key)
    union select customer_id from former_members semi join (from changes where not was_there) using (record_key)
    union select customer_id from known_ids where founder_record_key in (from touched_keys)
),
following as (from near union select customer_id from known_ids where current_customer_id in (from near))
from following
union
select current_customer_id from known_ids semi join following using (customer_id) where current_customer_id is not null;
create table renamed as
with nearby as (
    select record_key from published_members semi join near_ids using (customer_id)
    union select founder_record_key from known_ids semi join near_ids using (customer_id)
)
select n from clustered where cluster in (
    select cluster from clustered
    where n in (from regrouped_records) or n in (select n from records semi join nearby using (record_key)));
create table near_published as
from published_members semi join (
    select record_key from records semi join renamed using (n) union all select record_key from changes
) using (record_key)
"""
