"""Other ways to make clusters of the same links, to be measured against ours.

Add a way here as a function over weighted edges. All get the links that we made and those that we refused only because
their clusters did not fit; pairs that are in conflict themselves are in none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Edge = tuple[str, str]  # strongest first
EXACT_WEIGHT = 30.0  # bits; an exact rule has no weight of its own


def connect_all(edges: Sequence[Edge]) -> dict[str, str]:
    """Connected components."""
    parent: dict[str, str] = {}

    def root(node: str) -> str:
        while (above := parent.setdefault(node, node)) != node:
            parent[node] = parent[above]
            node = above
        return node

    for a, b in edges:
        low, high = sorted((root(a), root(b)))
        parent[high] = low
    return {node: root(node) for node in parent}


def center(edges: Sequence[Edge]) -> dict[str, str]:
    """Center clustering (Haveliwala, Gionis and Indyk 2000): a node joins the first center that it has an edge to."""
    center_of: dict[str, str] = {}
    for a, b in edges:
        if a not in center_of and b not in center_of:
            center_of[a] = center_of[b] = a
        elif a not in center_of and center_of[b] == b:
            center_of[a] = b
        elif b not in center_of and center_of[a] == a:
            center_of[b] = a
    return center_of


def star(edges: Sequence[Edge]) -> dict[str, str]:
    """Star clustering (Aslam, Pelekhov and Rus 1998): nodes of most edges first take all their free neighbors."""
    neighbors: dict[str, list[str]] = {}
    for a, b in edges:
        neighbors.setdefault(a, []).append(b)
        neighbors.setdefault(b, []).append(a)
    center_of: dict[str, str] = {}
    for node in sorted(neighbors, key=lambda n: (-len(neighbors[n]), n)):
        if node not in center_of:
            center_of[node] = node
            center_of |= {other: node for other in neighbors[node] if other not in center_of}
    return center_of


ALTERNATIVES: dict[str, Callable[[Sequence[Edge]], dict[str, str]]] = {
    "components": connect_all,
    "center": center,
    "star": star,
}


def write_clusters(connection: DuckDBPyConnection, cluster: Callable[[Sequence[Edge]], dict[str, str]]) -> None:
    """Create `other_members` (`record_key`, `customer_id`) from `identity.links` and `identity.refused_links`."""
    import pandas as pd

    edges = connection.execute(
        f"""
        select record_key_a, record_key_b from (
            select record_key_a, record_key_b, coalesce(match_weight, {EXACT_WEIGHT}) as weight from identity.links
            union all
            select record_key_a, record_key_b, coalesce(match_weight, {EXACT_WEIGHT}) from identity.refused_links
            where reason in ('crowd', 'cluster_disagrees') or starts_with(reason, 'cluster_has_'))
        order by weight desc, record_key_a, record_key_b
        """
    ).fetchall()
    frame = pd.DataFrame(cluster(edges).items(), columns=["record_key", "customer_id"])
    connection.register("other_frame", frame)
    connection.execute(
        "create or replace temp table other_members as select m.record_key, "
        "coalesce(o.customer_id, m.record_key) as customer_id from identity.members as m "
        "left join other_frame as o on o.record_key = m.record_key"
    )
    connection.unregister("other_frame")
