"""The pairs that people should look at: links that were nearly made, and links that hang by a thread.

Add here a kind of pair whose decision would change a customer. What a decision does is in `overrides`; the list holds
keys, weights and reasons, never a value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# A link that is the only one of its record, and less probable than this, is worth a look.
WEAK_PROBABILITY = 0.97


def write_queue(connection: DuckDBPyConnection, schema: str) -> None:
    """Write `review_queue` into `schema`: one row per two customers and one per weakly linked record.

    Columns: `rank` (1 is the most urgent), `record_key_a`, `record_key_b`, `match_probability`, `match_weight`,
    `reason`, `record_count_a`, `record_count_b` (of the customers that the two records belong to).

    The reason is `grey_zone` (probable, but not enough), `weak_link` (linked, by this alone), or that of a refusal that
    is not plain: clear differences of name or birth date between the two records themselves are not asked about. What
    people decided is not asked again. First comes what changes most records, then what is least certain.
    """
    connection.execute(_QUEUE.format(schema=schema, weak=WEAK_PROBABILITY))


_QUEUE = """
create or replace table {schema}.review_queue as
with sized as (
    select n, cluster, count(*) over (partition by cluster) as record_count from clustered
),
open_pairs as (
    select a, b, match_weight, match_probability, 'grey_zone' as reason from grey_pairs
    union all
    select a, b, match_weight, match_probability, reason from candidates join cluster_refusals using (a, b)
    union all
    select a, b, match_weight, null, reason from score_refusals
    where reason in ('different_last_names', 'name_only', 'shared_by_several_names', 'open_generation', 'family_only',
        'numbered_mailboxes', 'other_details')
    union all
    select a, b, null, null, reason from other_details
),
apart as (
    select a, b, match_weight, match_probability, reason, l.record_count as record_count_a,
        r.record_count as record_count_b, l.record_count * r.record_count as effect,
    from open_pairs join sized as l on l.n = a join sized as r on r.n = b
    where l.cluster <> r.cluster
    qualify row_number() over (
        partition by least(l.cluster, r.cluster), greatest(l.cluster, r.cluster)
        order by match_weight desc nulls last, a, b
    ) = 1
),
accepted as (from candidates anti join cluster_refusals using (a, b)),
degrees as (
    select n, count(*) as links from (select a as n from accepted union all select b from accepted) group by n
),
weak as (
    select a, b, match_weight, match_probability, 'weak_link' as reason, record_count as record_count_a,
        record_count as record_count_b, record_count - 1 as effect,
    from accepted
    join sized on n = a
    join degrees as l on l.n = a join degrees as r on r.n = b
    where method = 'probabilistic' and match_probability < {weak} and least(l.links, r.links) = 1
),
asked as (
    select * from (from apart union all by name from weak)
    anti join (from must_links union all from cannot_links) using (a, b)
)
select
    row_number() over (
        order by effect desc, abs(coalesce(match_probability, 1) - 0.75), l.record_key, r.record_key
    ) as rank,
    l.record_key as record_key_a, r.record_key as record_key_b, match_probability, match_weight, reason,
    record_count_a, record_count_b,
from asked join records as l on l.n = a join records as r on r.n = b
order by rank
"""
