"""Other ways to make clusters of the same evidence, to be measured against ours.

Add a way here as a function over `Evidence`. All get the links that we made and those that we refused only because
their clusters did not fit; pairs that are in conflict themselves are no link, and weigh against.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.warehouse import literal

if TYPE_CHECKING:
    from pathlib import Path

    from duckdb import DuckDBPyConnection

Edge = tuple[str, str]
EXACT_WEIGHT = 30.0  # bits; an exact rule has no weight of its own, and neither has a conflict


@dataclass(frozen=True)
class Evidence:
    """What is known of pairs of records.

    Attributes:
        links: pairs that would join two records, strongest first.
        weights: match weights of all pairs that have one and of those links, in bits; what contradicts is below 0.
    """

    links: Sequence[Edge]
    weights: Mapping[Edge, float]


def connect_all(evidence: Evidence) -> dict[str, str]:
    """Connected components."""
    parent: dict[str, str] = {}

    def root(node: str) -> str:
        while (above := parent.setdefault(node, node)) != node:
            parent[node] = parent[above]
            node = above
        return node

    for a, b in evidence.links:
        low, high = sorted((root(a), root(b)))
        parent[high] = low
    return {node: root(node) for node in parent}


def center(evidence: Evidence) -> dict[str, str]:
    """Center clustering (Haveliwala, Gionis and Indyk 2000): a node joins the first center that it has an edge to."""
    center_of: dict[str, str] = {}
    for a, b in evidence.links:
        if a not in center_of and b not in center_of:
            center_of[a] = center_of[b] = a
        elif a not in center_of and center_of[b] == b:
            center_of[a] = b
        elif b not in center_of and center_of[a] == a:
            center_of[b] = a
    return center_of


def star(evidence: Evidence) -> dict[str, str]:
    """Star clustering (Aslam, Pelekhov and Rus 1998): nodes of most edges first take all their free neighbors."""
    neighbors: dict[str, list[str]] = {}
    for a, b in evidence.links:
        neighbors.setdefault(a, []).append(b)
        neighbors.setdefault(b, []).append(a)
    center_of: dict[str, str] = {}
    for node in sorted(neighbors, key=lambda n: (-len(neighbors[n]), n)):
        if node not in center_of:
            center_of[node] = node
            center_of |= {other: node for other in neighbors[node] if other not in center_of}
    return center_of


def average_linkage(evidence: Evidence) -> dict[str, str]:
    """Average linkage (Sokal and Michener 1958): the two clusters of the highest mean weight merge while it is above 0.

    The mean is over the pairs that have a weight: two records that were not compared say nothing.
    """
    return _contract(evidence, lambda total, count: total / count)


def correlation(evidence: Evidence) -> dict[str, str]:
    """Correlation clustering (Bansal, Blum and Chawla 2004) by greedy additive edge contraction (Keuper et al. 2015).

    The two clusters of the highest sum of weights merge, while it is above 0: each merge is the one that gains most.
    """
    return _contract(evidence, lambda total, _: total)


def _contract(evidence: Evidence, strength: Callable[[float, int], float]) -> dict[str, str]:
    """Merge the two strongest neighbors within each component until no two are above 0.

    `strength` is of the sum of the weights between two clusters, and their number.
    """
    component = connect_all(evidence)
    between: defaultdict[str, dict[str, tuple[float, int]]] = defaultdict(dict)
    for (a, b), weight in evidence.weights.items():
        if a in component and component[a] == component.get(b):
            between[a][b] = between[b][a] = (weight, 1)
    heap = [(-strength(*known), a, b, known) for a in between for b, known in between[a].items() if a < b]
    heapq.heapify(heap)
    merged_into: dict[str, str] = {}
    while heap and heap[0][0] < 0:
        _, a, b, known = heapq.heappop(heap)
        if between[a].get(b) != known:
            continue  # one of them is another cluster by now
        merged_into[b] = a
        for other, (weight, count) in between.pop(b).items():
            del between[other][b]
            if other == a:
                continue
            total, number = between[a].get(other, (0.0, 0))
            joint = (total + weight, number + count)
            between[a][other] = between[other][a] = joint
            heapq.heappush(heap, (-strength(*joint), *sorted((a, other)), joint))

    def root(node: str) -> str:
        while node in merged_into:
            node = merged_into[node]
        return node

    return {node: root(node) for node in component}


ALTERNATIVES: dict[str, Callable[[Evidence], dict[str, str]]] = {
    "components": connect_all,
    "center": center,
    "star": star,
    "average linkage": average_linkage,
    "correlation": correlation,
}


def read_evidence(connection: DuckDBPyConnection, scores: Path) -> Evidence:
    """What `identity.links`, `identity.refused_links` and the scores that the run kept in `scores` say of pairs."""
    links = connection.execute(
        f"""
        select record_key_a, record_key_b, coalesce(match_weight, {EXACT_WEIGHT}) as weight from (
            from identity.links select record_key_a, record_key_b, match_weight
            union all
            select record_key_a, record_key_b, match_weight from identity.refused_links
            where reason in ('crowd', 'cluster_disagrees') or starts_with(reason, 'cluster_has_'))
        order by weight desc, record_key_a, record_key_b
        """
    ).fetchall()
    contradicted = connection.execute(
        "select record_key_a, record_key_b from identity.refused_links "
        "where not (reason in ('crowd', 'cluster_disagrees') or starts_with(reason, 'cluster_has_'))"
    ).fetchall()
    create_weights(connection, scores)
    weights = {(a, b): weight for a, b, weight in connection.execute("from pair_weights").fetchall()}
    weights |= dict.fromkeys(contradicted, -EXACT_WEIGHT)
    weights |= {(a, b): weight for a, b, weight in links}
    return Evidence([(a, b) for a, b, _ in links], weights)


def create_weights(connection: DuckDBPyConnection, scores: Path) -> None:
    """Create `pair_weights` (`a`, `b`, `weight`): the match weight of every pair of records that was scored.

    Scores are those of profiles: of all records that say the same. A model that learned nothing keeps none: then there
    are only the links.
    """
    connection.execute("create or replace temp table pair_weights (a text, b text, weight double)")
    if scores.exists():
        connection.execute(f"attach {literal(scores)} as scored (read_only)")
        connection.execute(
            """
            insert into pair_weights
            with members as (select n, unnest(members) as member from scored.profiles),
            said as (
                select record_key, content
                from scored.scored_profiles join members using (n) join scored.numbers on numbers.n = member
            )
            select least(l.record_key, r.record_key), greatest(l.record_key, r.record_key), max(match_weight)
            from scored.scores
            join scored.scored_profiles as pl on pl.n = a join scored.scored_profiles as pr on pr.n = b
            join said as l on l.content = pl.content join said as r on r.content = pr.content
            where l.record_key <> r.record_key
            group by all
            """
        )
        connection.execute("detach scored")
    else:
        connection.execute(
            "insert into pair_weights select record_key_a, record_key_b, match_weight from identity.links "
            "where match_weight is not null"
        )


def write_clusters(
    connection: DuckDBPyConnection, evidence: Evidence, cluster: Callable[[Evidence], dict[str, str]]
) -> None:
    """Create `other_members` (`record_key`, `customer_id`)."""
    import pandas as pd

    frame = pd.DataFrame(cluster(evidence).items(), columns=["record_key", "customer_id"], dtype="str")
    connection.register("other_frame", frame)
    connection.execute(
        "create or replace temp table other_members as select m.record_key, "
        "coalesce(o.customer_id, m.record_key) as customer_id from identity.members as m "
        "left join other_frame as o on o.record_key = m.record_key"
    )
    connection.unregister("other_frame")
