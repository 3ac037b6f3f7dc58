"""The tables of schema `identity`, as the stage leaves them.

Change here what others read of a link, of a refusal, or of a value that is no evidence. How it was found out is
elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.resolve.queue import write_queue
from pipelines.tables import write_published_table, write_table
from pipelines.warehouse import RESTRICTED, SHARED, literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.resolve.model import Model


DEFAULT_DATE = "default_date"  # the problem of a birth date, which is no identifier


def write_identity(connection: DuckDBPyConnection, warehouse: str, model: Model) -> None:
    """Replace the tables of schema `identity`; nobody may rely on the order of the rows of the large ones."""
    schema = f"{warehouse}.identity"
    connection.execute(f"create schema if not exists {schema}")
    write_table(connection, f"{schema}.members", "select * from members")
    links = _LINKS.format(model_version=literal(model.version))
    refused = _REFUSED.format(warehouse=warehouse)
    for table, query, part in (
        ("links", links, SHARED),
        ("refused_links", refused, SHARED),
        ("silenced_values", _SILENCED, RESTRICTED),
    ):
        write_published_table(connection, f"{schema}.{table}", query, part=part, published=table)
    write_queue(connection, schema)
    write_table(connection, f"{schema}.customer_id_history", "select * from id_history")
    write_table(connection, f"{schema}.customer_id_events", "select * from id_events")
    connection.execute(f"create or replace table {schema}.model as from model order by comparison, level")
    connection.execute(f"create or replace table {schema}.model_frequencies as from frequencies order by field, value")


_LINKS = """
with accepted as (
    select a, b, method, rule, match_weight, match_probability from candidates anti join cluster_refusals using (a, b)
)
select l.record_key as record_key_a, r.record_key as record_key_b, method, rule, match_weight, match_probability,
    case when method = 'probabilistic' then {model_version} end as model_version
from (
    from accepted
    union all
    select a, b, 'override', 'must_link', null, null from must_links anti join accepted using (a, b)
)
join records as l on l.n = a join records as r on r.n = b
"""

# What is left out of what is compared: a birth date that is nobody's, and what says nothing for its carriers.
_SILENCED = f"""
select 'birth_date' as kind, birth_date::text as value, '{DEFAULT_DATE}' as problem from default_dates
union all
select distinct kind, value, problem
from carriers join (from identifier_values where problem is not null) using (value_key)
"""

# The evidence is named by the contact point both records carry, never by its value.
_REFUSED = """
with refused as (
    select a, b, method, rule, match_weight, cluster_refusals.reason, 1 as preference
    from cluster_refusals join candidates using (a, b)
    union all
    select a, b, 'exact', rule, null, reason, 2 from (from exact_refusals union all from other_details)
    union all
    select a, b, 'probabilistic', rule, match_weight, reason, 3 from score_refusals
),
chosen as (
    select a, b, method, rule, max(match_weight) over (partition by a, b) as match_weight, reason
    from refused
    qualify row_number() over (partition by a, b order by preference, rule, reason) = 1
),
apart as materialized (
    select chosen.* from chosen join clustered as cl on cl.n = a join clustered as cr on cr.n = b
    where cl.cluster <> cr.cluster  -- they may have come together through others
),
keyed as materialized (
    select n, record_key from records where n in (select a from apart union all select b from apart)
),
carried as materialized (
    select n, kind, contact_point_key from {warehouse}.clean.contact_points join keyed using (record_key)
),
points as (
    select a, b, arg_min(l.contact_point_key, (l.kind = 'address', l.contact_point_key)) as evidence_key
    from apart join carried as l on l.n = a join carried as r on r.n = b and r.contact_point_key = l.contact_point_key
    group by a, b
)
select l.record_key as record_key_a, r.record_key as record_key_b, method, rule, match_weight, reason, evidence_key
from apart left join points using (a, b) join keyed as l on l.n = a join keyed as r on r.n = b
"""
