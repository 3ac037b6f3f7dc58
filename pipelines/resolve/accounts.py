"""Accounts: which company records are one company, and which account an order names. Strong evidence only.

Add here how evidence of `clean.company_evidence` joins companies. Nothing is weighed: a company that is there twice is
seen and merged in the CRM, two companies in one account are not seen by anybody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.resolve.clustering import MERGED_RANK, Component, Edge, Forest, agglomerate, connect
from pipelines.resolve.ids import ACCOUNT_PREFIX, EVENT_COLUMNS, HISTORY_COLUMNS, MEMBER_COLUMNS, assign_ids
from pipelines.resolve.overrides import read_decided_pairs
from pipelines.resolve.records import open_scratch
from pipelines.resolve.state import copy_table

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.build import Build
    from pipelines.settings import Settings

# A number that companies of this many names carry is somebody's default, or that of their accountant.
MOST_NAMES_OF_A_NUMBER = 5


@dataclass(frozen=True)
class AccountReport:
    """Counts for the log.

    Attributes:
        record_count: rows of `clean.companies`.
        account_count: accounts they became.
        order_count: orders that name the company of an account.
    """

    record_count: int
    account_count: int
    order_count: int


def resolve_accounts(connection: DuckDBPyConnection, settings: Settings, build: Build) -> AccountReport:
    """Put every record of `clean.companies` into exactly one account.

    Writes, to schema `identity`:

        account_records: `record_key`, `account_id`; one row per company record.
        account_orders: `record_key`, `account_id`; one row per order that names the company of one account.
        account_id_history: one row per account id ever issued.

    Records are one company when their source merged them, or when they share the VAT id, the register entry, or name
    and postal code. A name joins none whose VAT ids, register entries or legal forms differ. What people decided about
    two companies holds against all of it.
    """
    with open_scratch(connection) as warehouse:
        _read_state(connection, settings)
        connection.execute(_RECORDS.format(warehouse=warehouse))
        connection.execute(_LINKS.format(warehouse=warehouse, most_names=MOST_NAMES_OF_A_NUMBER))
        read_decided_pairs(connection, warehouse)
        _cluster(connection)
        assign_ids(connection, build.version, build.as_of, ACCOUNT_PREFIX)
        connection.execute(f"create schema if not exists {warehouse}.identity")
        for query in (_ACCOUNT_RECORDS, _ACCOUNT_ORDERS, _ACCOUNT_HISTORY):
            connection.execute(query.format(warehouse=warehouse))
        counts = connection.execute(
            "select count(*), count(distinct customer_id), "
            f"(select count(*) from {warehouse}.identity.account_orders) from members"
        ).fetchone() or (0, 0, 0)
        return AccountReport(*map(int, counts))


def _read_state(connection: DuckDBPyConnection, settings: Settings) -> None:
    """Create the tables of earlier versions that ids are made from; nobody asks for the events of an account's id."""
    state, published = settings.state_dir / "identity.duckdb", settings.current / "state.duckdb"
    connection.execute(f"create table known_events ({EVENT_COLUMNS})")
    for file, table, target, columns in (
        (state, "account_id_history", "known_ids", HISTORY_COLUMNS),
        (state, "account_records", "former_members", MEMBER_COLUMNS),
        (published, "account_records", "published_members", MEMBER_COLUMNS),
    ):
        connection.execute(f"create table {target} ({columns})")
        copy_table(connection, file, table, target, renamed={"customer": "account"})
    connection.execute("delete from former_members where record_key in (select record_key from published_members)")


def _cluster(connection: DuckDBPyConnection) -> None:
    """Create `clusters`, one row per company record, from `links`."""
    import pandas as pd

    size = (connection.execute("select count(*) from records").fetchone() or (0,))[0]
    must = connection.execute("select a, b from must_links order by a, b").fetchall()
    found = connection.execute("select least(a, b), greatest(a, b) from links order by all").fetchall()
    labels = connect(size, [*must, *found])
    apart = connection.execute("select a, b from cannot_links order by a, b").fetchall()
    if apart := [(a, b) for a, b in apart if labels[a] == labels[b]]:
        edges = [Edge(position, a, b, MERGED_RANK, None) for position, (a, b) in enumerate(found)]
        forest = Forest(range(size))
        agglomerate(Component(edges, dict.fromkeys(range(size), 0), same=must, apart=apart), forest)
        for a, b in must:
            forest.join(a, b)
        for node, root in forest.labels().items():
            labels[node] = root
    connection.register("label_frame", pd.DataFrame({"n": range(size), "cluster": labels}))
    connection.execute(
        "create table clusters as select record_key, cluster::integer as cluster, is_live, created_at "
        "from records join label_frame using (n)"
    )
    connection.unregister("label_frame")


_RECORDS = """
create table records as
select
    (row_number() over (order by record_key) - 1)::integer as n,
    record_key, merged_into_record_key, not is_deleted as is_live, created_at
from {warehouse}.clean.companies
"""

# Every record with the first one of the same proof.
_LINKS = """
create table links as
with evidence as (
    from {warehouse}.clean.company_evidence where entity = 'companies'
),
numbers as (
    select kind, value from evidence where kind <> 'name'
    group by kind, value having count(distinct stem) <= {most_names}
),
names as (
    select
        name.record_key, name.value, name.legal_form, vat.value as vat_id, register.value as register_number
    from evidence as name
    left join evidence as vat on vat.record_key = name.record_key and vat.kind = 'vat_id'
    left join evidence as register on register.record_key = name.record_key and register.kind = 'register_number'
    where name.kind = 'name'
),
-- Where several legal forms share a name, each is a company of its own, and who names none may be any of them.
names_by_form as (
    select * exclude (value),
        case when count(distinct legal_form) over (partition by value) > 1 then value || ' ' || legal_form
             else value end as value
    from names
),
names_without_conflict as (
    select value from names_by_form where value is not null group by value
    having count(distinct vat_id) <= 1 and count(distinct register_number) <= 1
),
proofs as (
    select record_key, kind, value from evidence semi join numbers using (kind, value)
    union all
    select record_key, 'name', value from names_by_form semi join names_without_conflict using (value)
),
proven as (
    select n, min(n) over (partition by kind, value) as first from proofs join records using (record_key)
)
select first as a, n as b from proven where first <> n
union
select target.n, source.n from records as source join records as target
    on target.record_key = source.merged_into_record_key
"""

_ACCOUNT_RECORDS = """
create or replace table {warehouse}.identity.account_records as
select record_key, customer_id as account_id from members order by record_key
"""

# An order names an account with what is true of that account alone; a number is believed before a name.
_ACCOUNT_ORDERS = """
create or replace table {warehouse}.identity.account_orders as
with owners as (
    select kind, value, min(customer_id) as account_id
    from {warehouse}.clean.company_evidence join members using (record_key)
    where entity = 'companies'
    group by kind, value having count(distinct customer_id) = 1
),
named as (
    select orders.record_key, owners.account_id, orders.kind
    from {warehouse}.clean.company_evidence as orders join owners using (kind, value)
    where orders.entity = 'orders'
)
select record_key, arg_min(account_id, kind = 'name') as account_id
from named group by record_key order by record_key
"""

_ACCOUNT_HISTORY = """
create or replace table {warehouse}.identity.account_id_history as
select customer_id as account_id, status, current_customer_id as current_account_id, founder_record_key,
    first_version, issued_at, status_version
from id_history order by customer_id
"""
