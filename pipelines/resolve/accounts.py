"""Accounts: which company records are one company, and which account an order names.

Change here what the phase reads and writes. What is evidence is found in `account_evidence`, what likeness is worth in
`account_model`. Precision comes first: a company that is there twice is seen and merged in the CRM, two companies in
one account are not seen by anybody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.resolve.account_evidence import find_company_evidence
from pipelines.resolve.clustering import Component, Edge, Forest, agglomerate
from pipelines.resolve.ids import ACCOUNT_PREFIX, EVENT_COLUMNS, HISTORY_COLUMNS, MEMBER_COLUMNS, assign_ids
from pipelines.resolve.overrides import read_decided_pairs
from pipelines.resolve.records import open_scratch
from pipelines.resolve.state import copy_table

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.build import Build
    from pipelines.configuration import Configuration
    from pipelines.settings import Settings


@dataclass(frozen=True)
class AccountReport:
    """Counts for the log.

    Attributes:
        record_count: rows of `clean.companies`.
        account_count: accounts they became.
        order_count: orders that name the company of an account.
        exact_link_count, weighed_link_count: accepted links by method.
        refused_link_count: pairs that are alike and were not joined.
        oversized_count: records so alike to many others that they were compared with few of them.
    """

    record_count: int
    account_count: int
    order_count: int
    exact_link_count: int
    weighed_link_count: int
    refused_link_count: int
    oversized_count: int


def resolve_accounts(
    connection: DuckDBPyConnection, settings: Settings, configuration: Configuration, build: Build
) -> AccountReport:
    """Put every record of `clean.companies` into exactly one account.

    Writes, to schema `identity`:

        account_records: `record_key`, `account_id`; one row per company record.
        account_links: what joined records, with the reasons in words; one row per pair.
        refused_account_links: pairs that are alike and were not joined, and why not; one row per pair.
        account_orders: `record_key`, `account_id`; one row per order that names the company of one account.
        account_id_history: one row per account id ever issued.

    Records are one company when their source merged them, or when they share the VAT id, the register entry, name and
    postal code, or are so alike in name, website and address together that it is nearly certain. Neither name nor
    likeness joins what has other VAT ids, register entries or legal forms. What people decided about two companies
    holds against all of it.
    """
    with open_scratch(connection) as warehouse:
        _read_state(connection, settings)
        probability = configuration.identity.company_match_probability
        oversized = find_company_evidence(connection, warehouse, configuration.company.country, probability)
        connection.execute("create view records as from companies")
        read_decided_pairs(connection, warehouse)
        _cluster(connection)
        assign_ids(connection, build.version, build.as_of, ACCOUNT_PREFIX)
        connection.execute(f"create schema if not exists {warehouse}.identity")
        for query in (_ACCOUNT_RECORDS, _ACCOUNT_LINKS, _REFUSED_LINKS, _ACCOUNT_ORDERS, _ACCOUNT_HISTORY):
            connection.execute(query.format(warehouse=warehouse))
        counts = (
            connection.execute(
                f"""
            select count(*), count(distinct customer_id), (select count(*) from {warehouse}.identity.account_orders),
                (select count(*) from {warehouse}.identity.account_links where method = 'exact'),
                (select count(*) from {warehouse}.identity.account_links where method = 'probabilistic'),
                (select count(*) from {warehouse}.identity.refused_account_links)
            from members
            """
            ).fetchone()
            or (0,) * 6
        )
        return AccountReport(*map(int, (*counts, oversized)))


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
    """Create `clusters`, one row per record, and `cluster_refusals`, one row per candidate that did not fit."""
    import pandas as pd

    component = _read_component(connection)
    forest = Forest(component.form_of)
    reasons = agglomerate(component, forest)
    for a, b in component.same:
        forest.join(a, b)
    labels = forest.labels()
    connection.register("label_frame", pd.DataFrame({"n": labels.keys(), "cluster": labels.values()}, dtype="int64"))
    connection.execute(
        "create table clusters as select record_key, cluster::integer as cluster, is_live, created_at "
        "from companies join label_frame using (n)"
    )
    connection.unregister("label_frame")
    refused = [(e.a, e.b, reasons[e.position]) for e in component.edges if e.position in reasons]
    connection.execute("create table cluster_refusals (a integer, b integer, reason text)")
    if refused:
        connection.executemany("insert into cluster_refusals values (?, ?, ?)", refused)


def _read_component(connection: DuckDBPyConnection) -> Component:
    """All companies as one component: there are few, and fewer edges."""
    component = Component()
    component.form_of = dict(connection.execute("select n, form from companies order by n").fetchall())
    rows = connection.execute("select a, b, rank, match_weight from candidates order by a, b").fetchall()
    component.edges = [Edge(position, *row) for position, row in enumerate(rows)]
    for a, b, reason in connection.execute("select a, b, reason from conflicts order by a, b").fetchall():
        component.conflicts.setdefault(a, {})[b] = reason
        component.conflicts.setdefault(b, {})[a] = reason
    component.scores = connection.execute("select a, b, match_weight from scores order by a, b").fetchall()
    component.same = connection.execute("select a, b from must_links order by a, b").fetchall()
    component.apart = connection.execute("select a, b from cannot_links order by a, b").fetchall()
    return component


_ACCOUNT_RECORDS = """
create or replace table {warehouse}.identity.account_records as
select record_key, customer_id as account_id from members order by record_key
"""

_ACCOUNT_LINKS = """
create or replace table {warehouse}.identity.account_links as
with accepted as (
    select a, b, method, rule, match_weight, match_probability, reasons
    from candidates anti join cluster_refusals using (a, b)
    union all
    select a, b, 'override', 'must_link', null, null, null from must_links
    where (a, b) not in (select (a, b) from candidates)
)
select l.record_key as record_key_a, r.record_key as record_key_b, method, rule, match_weight, match_probability,
    reasons
from accepted join companies as l on l.n = a join companies as r on r.n = b
order by record_key_a, record_key_b
"""

_REFUSED_LINKS = """
create or replace table {warehouse}.identity.refused_account_links as
with found as (
    select a, b, method, rule, match_weight, match_probability, reasons, reason from refused
    union all
    select a, b, method, rule, match_weight, match_probability, reasons, cluster_refusals.reason
    from candidates join cluster_refusals using (a, b)
)
select l.record_key as record_key_a, r.record_key as record_key_b, method, rule, match_weight, match_probability,
    reasons, reason
from found join companies as l on l.n = a join companies as r on r.n = b
join members as cl on cl.record_key = l.record_key join members as cr on cr.record_key = r.record_key
where cl.customer_id <> cr.customer_id  -- they may have come together through others
order by record_key_a, record_key_b
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
