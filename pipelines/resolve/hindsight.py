"""What the model compared of a few records of a version, told anew by the functions that the run called.

Change here what of a version that takes. A weight follows from the cleaned fields, which are published, from the values
that were no evidence, and from the model; so nothing folded is published. How it is taken apart is in `weights`.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipelines.resolve.limits import list_carriers, remove_problems
from pipelines.resolve.records import (
    SCRATCH,
    create_profiles,
    describe_names,
    describe_records,
    fold_records,
    list_common_names,
    open_scratch,
)
from pipelines.resolve.scoring import create_scored_profiles
from pipelines.resolve.writing import DEFAULT_DATE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from duckdb import DuckDBPyConnection


@contextmanager
def compared_again(connection: DuckDBPyConnection, keys: Sequence[str], as_of: datetime) -> Iterator[None]:
    """Within, the scratch catalog is current, and has what `weights` reads of these records.

    `compared` has one row per record that is weighed: `record_key` and the columns of the scored profiles;
    `frequencies` is that of the model.

    Args:
        connection: on the files `restricted` and `state` of the version.
        keys: of the records.
        as_of: of the version; what is born later is no birth date.
    """
    with open_scratch(connection):
        connection.execute(_PERSONS, [list(keys)])
        connection.execute(_BESIDE_THEM)
        fold_records(connection, SCRATCH, as_of, persons="persons")
        list_common_names(connection)
        describe_names(connection, is_frozen=True)
        list_carriers(connection, SCRATCH)
        remove_problems(connection)
        describe_records(connection)
        create_profiles(connection)
        create_scored_profiles(connection)
        connection.execute(_COMPARED)
        yield


_PERSONS = """
create table persons as
select *, false as is_deleted, null::timestamp as created_at from restricted.audit.compared_persons
where record_key = any(?)
"""

# Of a value that is no evidence it matters here only whether it stands in the record itself: so nothing is read of
# further contact points and of orders.
_BESIDE_THEM = f"""
create schema clean;
create table clean.persons as
select record_key from restricted.audit.compared_persons
where record_key in (select merged_into_record_key from persons);
create table clean.order_references (record_key text, buyer_record_key text);
create table further_points (record_key text, kind text, value text);
create table numbers as select record_key, row_number() over (order by record_key)::integer as n from persons;
create view silenced_values as from restricted.audit.silenced_values;
create table default_dates as
select value::date as birth_date from silenced_values where problem = '{DEFAULT_DATE}';
create table identifier_values as
select hash(kind, value) as value_key, problem from silenced_values where problem <> '{DEFAULT_DATE}';
create view frequencies as from state.model_frequencies
"""

_COMPARED = """
create table compared as
with members as (select n, unnest(members) as member from profiles)
select record_key, scored_profiles.* exclude (n)
from scored_profiles join members using (n) join numbers on numbers.n = member
"""
