"""`customer_id` and `account_id`: which cluster is called what, so that an id means the same for ever.

Change here how ids are issued, kept, given back and resolved. Set-based SQL over tables of keys and ids: nothing here
knows what a record contains or why records are one customer. Accounts get their ids in the same way; in here they go
by the name of customers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.warehouse import literal

if TYPE_CHECKING:
    from datetime import datetime

    from duckdb import DuckDBPyConnection

HISTORY_COLUMNS = (
    "customer_id text, status text, current_customer_id text, founder_record_key text, first_version text, "
    "issued_at timestamp, status_version text"
)
EVENT_COLUMNS = (
    'event_key text, customer_id text, event text, other_customer_id text, version text, "at" timestamp, reason text'
)
MEMBER_COLUMNS = "record_key text, customer_id text"

CUSTOMER_PREFIX, ACCOUNT_PREFIX = "c_", "a_"


def assign_ids(connection: DuckDBPyConnection, version: str, at: datetime, prefix: str = CUSTOMER_PREFIX) -> None:
    """Name every cluster, and bring the history of all ids ever issued up to date. New ids begin with `prefix`.

    Reads, in the current schema:

        clusters: `record_key`, `cluster` (any integer), `is_live`, `created_at`; one row per record.
        published_members: `record_key`, `customer_id`; the assignment of the published version, may be empty.
        former_members: the last assignment of every record of earlier versions; what is published goes before it.
        known_ids, known_events: every id ever issued (`HISTORY_COLUMNS`), every event (`EVENT_COLUMNS`).

    Creates:
        members: `record_key`, `customer_id`; one row per record.
        id_history: one row per id ever issued, `HISTORY_COLUMNS`.
        id_events: one row per event of an id, `EVENT_COLUMNS`; the known ones and those of this version.

    The last two are views, which read the known ones where they are; `new_history` and `new_events` are what this
    version adds.

    An id goes to the cluster that holds most of its published records (live ones first, then the oldest), but rather
    to the one that holds its founder than to one that has an id of its own. A cluster
    that inherits several keeps the oldest id: the first one issued, of several issued together that of the oldest
    record. A part that was a customer of its own before it was merged gets its old id back, and so do records that
    were away for some versions. The id of a new customer is derived from its oldest record.
    """
    connection.execute(_MACROS.format(prefix=literal(prefix)))
    connection.execute(_ORPHANED)
    connection.execute(_SETTLED)
    connection.execute(_RECORDS)
    connection.execute(_PARTS)
    connection.execute(_RESTORABLE)
    connection.execute(_HEIRS)
    connection.execute(_NAMED)
    _issue_new_ids(connection)
    connection.execute(_MEMBERS)
    stamp = {"version": literal(version), "at": f"{literal(at)}::timestamp"}
    connection.execute(_HISTORY.format(**stamp))
    connection.execute(_EVENTS.format(**stamp))
    show_ids(connection)
    for table in ("orphaned", "ordered", "parts", "restorable", "heirs", "named", "new_ids", "issued", "placed"):
        connection.execute(f"drop table {table}")


def show_ids(connection: DuckDBPyConnection) -> None:
    """Create the views `id_history` and `id_events` of what is known and what is new."""
    connection.execute(
        """
        create view id_history as from new_history union all from known_ids anti join new_history using (customer_id);
        create view id_events as from known_events union all from new_events
        """
    )


def _issue_new_ids(connection: DuckDBPyConnection) -> None:
    """Give an id to each cluster in `named` that has none: of its oldest record whose id was never issued."""
    connection.execute("create table new_ids (cluster integer, customer_id text, founder_record_key text)")
    attempt = 1
    while True:
        connection.execute(_ISSUE.format(attempt=attempt))
        open_clusters = connection.execute(
            "select count(*) from named where customer_id is null and cluster not in (select cluster from new_ids)"
        ).fetchone()
        if not open_clusters or not open_clusters[0]:
            break
        attempt += 1
    connection.execute(
        "update named set customer_id = new_ids.customer_id from new_ids where new_ids.cluster = named.cluster"
    )


# The first 80 bits of the hash, five at a time. A record that founds a second customer (all records of a part found
# ids that others keep) counts its rounds into the hash.
_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_LETTERS = " || ".join(
    f"substr('{_ALPHABET}', (((('0x' || substr(hex, {5 * part + 1}, 5))::integer >> {shift}) & 31) + 1), 1)"
    for part in range(4)
    for shift in (15, 10, 5, 0)
)
_MACROS = f"""
create or replace macro base32(hex) as {_LETTERS};
create or replace macro id_of(record_key, round) as
    {{prefix}} || base32(sha256(record_key || case when round > 0 then chr(31) || round else '' end));
"""

# Ids that are somebody's, but nobody's in the published version: a newer one that issued them was rolled back. What
# that one said of their records counts, whatever these are in the published one.
_ORPHANED = """
create table orphaned as
select customer_id from known_ids
where status = 'active' and customer_id not in (select customer_id from published_members)
"""

# Clusters that are a published customer with all its records, among them the founder, and nothing else: no other id
# was ever founded by one of them, or leads to theirs. Whatever becomes of the rest, they keep their id, its row in the
# history stays, and no other id depends on them; so they are left out of everything below.
_SETTLED = """
create table settled as
with published as materialized (  -- numbers are told apart at a fraction of what texts cost
    select hash(record_key) as record, hash(customer_id) as id from published_members
),
sizes as (select id, count(*) as size from published group by id),
placed as materialized (select hash(record_key) as record, cluster from clusters),
assigned as (
    select cluster, min(id) as id, count(*) as size
    from placed left join published using (record)
    group by cluster
    having count(id) = count(*) and min(id) = max(id)
),
founded as (
    select cluster, known_ids.customer_id, hash(known_ids.customer_id) as id, status, current_customer_id
    from known_ids join placed on record = hash(founder_record_key)
)
select cluster, customer_id
from assigned join sizes using (id, size) join founded using (cluster, id)
where status = 'active' and current_customer_id = customer_id
  and cluster not in (
      select f.cluster from founded as f join assigned as a on a.cluster = f.cluster
      where a.id <> f.id)
  and customer_id not in (
      select current_customer_id from known_ids
      where current_customer_id <> customer_id and current_customer_id is not null)
  and cluster not in (
      select cluster from clusters join former_members using (record_key) semi join orphaned using (customer_id))
"""

_RECORDS = """
create table ordered as
select record_key, cluster, is_live,
    row_number() over (order by created_at nulls last, record_key) as age,
from clusters anti join settled using (cluster)
"""

# One row per published id and cluster that holds records of it.
_PARTS = """
create table parts as
select customer_id, cluster, count(*) filter (is_live) as live_count, min(age) as oldest
from published_members join ordered using (record_key)
group by customer_id, cluster
"""

# Ids that nobody carries in the published version, each with the one cluster that may have it back: that of its
# founder, unless the founder left before the id went away, else of the records that carried it last.
_RESTORABLE = """
create table restorable as
with former as (  -- of few records: what was published of all others is not looked at
    from (from former_members semi join ordered using (record_key))
    anti join (from published_members semi join ordered using (record_key)) using (record_key)
    union all
    from former_members semi join ordered using (record_key) semi join orphaned using (customer_id)
    semi join published_members using (record_key)
),
claims as (
    select cluster, known_ids.customer_id, first_version, true as is_founder, 0 as live_count, age as oldest
    from known_ids
    join ordered on founder_record_key = record_key
    left join published_members as published using (record_key)
    where published.customer_id is null or published.customer_id = known_ids.current_customer_id
       or (record_key, known_ids.customer_id) in (select (record_key, customer_id) from former)
    union all
    select cluster, customer_id, first_version, false, count(*) filter (is_live), min(age)
    from former join ordered using (record_key) join known_ids using (customer_id)
    group by cluster, customer_id, first_version
)
select cluster, customer_id from claims
where customer_id not in (select customer_id from parts union all select customer_id from settled)
qualify row_number() over (partition by customer_id order by is_founder desc, live_count desc, oldest) = 1
"""

# The larger part keeps the id: live records, then the oldest. A part without the record which founded the shared id
# leaves it to the others when it has an id without it: it was a customer of its own before and gets that id back, or
# it went to a customer who keeps theirs.
_HEIRS = """
create table heirs as
with founded as (
    select parts.cluster, parts.customer_id
    from parts join known_ids using (customer_id) join ordered on founder_record_key = record_key
    where ordered.cluster = parts.cluster
),
competing as (
    select parts.*,
        founder.cluster is distinct from parts.cluster
        and (parts.cluster in (select cluster from restorable)
            or exists (
                select 1 from founded
                where founded.cluster = parts.cluster and founded.customer_id <> parts.customer_id)) as yields,
    from parts
    left join known_ids using (customer_id)
    left join ordered as founder on founder.record_key = founder_record_key
)
select customer_id, cluster from competing
qualify row_number() over (partition by customer_id order by yields, live_count desc, oldest) = 1
"""

_NAMED = """
create table named as
with candidates as (
    select cluster, customer_id, 0 as preference from heirs
    union all
    select cluster, customer_id, 1 from restorable
),
chosen as (
    select candidates.cluster, customer_id, preference
    from candidates
    left join known_ids using (customer_id)
    left join ordered as founder on founder.record_key = founder_record_key
    qualify row_number() over (
        partition by candidates.cluster order by preference, coalesce(first_version, ''), founder.age, customer_id
    ) = 1
)
select cluster, customer_id, coalesce(preference = 1, false) as is_restored
from (select distinct cluster from ordered) left join chosen using (cluster)
"""

_MEMBERS = """
create table members as
select record_key, customer_id from ordered join named using (cluster)
union all
select record_key, customer_id from clusters join settled using (cluster)
"""

_ISSUE = """
insert into new_ids
with unnamed as (
    select cluster, record_key, age,
        (row_number() over (partition by cluster order by age)) as position,
        count(*) over (partition by cluster) as size,
    from ordered join named using (cluster)
    where customer_id is null and cluster not in (select cluster from new_ids)
),
candidates as (
    select cluster, age, record_key,
        id_of(record_key, ({attempt} - 1) // size) as customer_id,
    from unnamed where position = (({attempt} - 1) % size) + 1
),
taken as (
    select customer_id from (
        select customer_id from known_ids
        union all select customer_id from published_members
        union all select customer_id from new_ids)
    where customer_id in (select customer_id from candidates)
)
select cluster, customer_id, record_key from candidates
where customer_id not in (select customer_id from taken)
qualify row_number() over (partition by customer_id order by age) = 1
"""

# What every id ever issued is today. An id that nobody carries is what became of its records: of those it had when
# last published, else of its founder if that stayed with them, else of the id it was merged into. An id whose founder
# left it and whose other records are gone is retired: its founder is somebody else by now.
_HISTORY = """
create table issued as
select * from known_ids anti join settled using (customer_id)
union all
select customer_id, null, null, founder_record_key, {version}, {at}, null from new_ids
union all  -- published, but the record of having issued it is lost
select customer_id, null, null, arg_min(record_key, age), {version}, {at}, null
from (from published_members anti join known_ids using (customer_id)) join ordered using (record_key)
group by customer_id;

create table placed as
select issued.customer_id, issued.current_customer_id as old_current,
    coalesce(own.customer_id, inherited.customer_id, claimed.customer_id) as published_as,
    at_founder.customer_id as founder_is_in,
    published.customer_id is null or published.customer_id = issued.current_customer_id as is_founder_true,
from issued
left join named as own using (customer_id)
left join heirs using (customer_id)
left join named as inherited on inherited.cluster = heirs.cluster
left join (from restorable semi join orphaned using (customer_id)) as claims using (customer_id)
left join named as claimed on claimed.cluster = claims.cluster
left join ordered as founder on founder.record_key = founder_record_key
left join named as at_founder on at_founder.cluster = founder.cluster
left join published_members as published on published.record_key = founder_record_key;

create table new_history as
with resolved as (
    select placed.customer_id,
        coalesce(
            placed.published_as,
            case when placed.is_founder_true then placed.founder_is_in end,
            target.published_as,
            case when target.is_founder_true then target.founder_is_in end
        ) as current_customer_id,
    from placed left join placed as target on target.customer_id = placed.old_current
),
stated as (
    select issued.*, resolved.current_customer_id as new_current,
        case when resolved.current_customer_id is null then 'retired'
             when resolved.current_customer_id = customer_id then 'active'
             else 'merged' end as new_status,
    from issued join resolved using (customer_id)
)
select customer_id, new_status as status, new_current as current_customer_id, founder_record_key, first_version,
    issued_at,
    case when status is not distinct from new_status and current_customer_id is not distinct from new_current
         then status_version else {version} end as status_version,
from stated
"""

_EVENTS = """
create table new_events as
with happened as (
    select customer_id, 'created' as event, null as other_customer_id, 'records that no customer had' as reason
    from new_ids
    union all
    select new.customer_id, 'merged', new.current_customer_id, 'its records belong to an older customer'
    from new_history as new join issued as old using (customer_id)
    where new.status = 'merged' and old.status is distinct from 'merged'
    union all
    select new.customer_id, 'restored',
        case when published.customer_id = new.customer_id then old.current_customer_id else published.customer_id end,
        'its records are a customer of their own again'
    from new_history as new join issued as old using (customer_id)
    left join published_members as published on published.record_key = new.founder_record_key
    where new.status = 'active' and old.status <> 'active'
    union all
    select parts.customer_id, 'split', named.customer_id, 'some of its records belong to another customer'
    from parts join named using (cluster)
    left join heirs on heirs.customer_id = parts.customer_id and heirs.cluster = parts.cluster
    where heirs.cluster is null and named.customer_id <> parts.customer_id
)
select
    'e_' || substr(sha256(concat_ws(chr(31), customer_id, event, coalesce(other_customer_id, ''), {version})), 1, 32)
        as event_key,
    customer_id, event, other_customer_id, {version} as version, {at} as "at", reason
from happened
"""
