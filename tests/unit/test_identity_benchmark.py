"""Other clusterings do what their authors say, and the best threshold over pairs is the best."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping

import duckdb
import pytest

from benchmarks.identity.alternatives import Evidence, average_linkage, connect_all, correlation
from benchmarks.identity.measures import find_best_pairs

# Two triangles of one person each that one strong but wrong pair connects; of the other pairs between them some are
# known to be strangers.
TRIANGLES = {("a", "b"): 9.0, ("a", "c"): 8.0, ("b", "c"): 7.0, ("x", "y"): 9.0, ("x", "z"): 8.0, ("y", "z"): 7.0}
BRIDGE = {("c", "x"): 6.0}


def _cluster(way: Callable[[Evidence], dict[str, str]], weights: Mapping[tuple[str, str], float]) -> set[str]:
    links = sorted((pair for pair, weight in weights.items() if weight > 3), key=lambda pair: -weights[pair])
    members: defaultdict[str, list[str]] = defaultdict(list)
    for node, group in way(Evidence(links, weights)).items():
        members[group].append(node)
    return {"".join(sorted(nodes)) for nodes in members.values()}


@pytest.mark.parametrize("way", [average_linkage, correlation])
def test_strangers_keep_two_clusters_apart_that_one_pair_connects(way: Callable[[Evidence], dict[str, str]]) -> None:
    strangers = {("a", "x"): -9.0, ("b", "y"): -9.0}
    assert _cluster(connect_all, TRIANGLES | BRIDGE | strangers) == {"abcxyz"}
    assert _cluster(way, TRIANGLES | BRIDGE | strangers) == {"abc", "xyz"}
    assert _cluster(way, TRIANGLES | BRIDGE) == {"abcxyz"}


def test_of_two_clusters_that_exclude_each_other_the_stronger_gets_the_record_between() -> None:
    chain = {("a", "b"): 5.0, ("b", "c"): 4.0, ("a", "d"): 4.5, ("b", "d"): 4.5, ("c", "d"): -10.0}
    assert _cluster(correlation, chain) == _cluster(average_linkage, chain) == {"abd", "c"}


def test_the_best_threshold_over_pairs_counts_what_exact_rules_prove_and_the_strongest_weights() -> None:
    with duckdb.connect() as connection:
        connection.execute(
            """
            create schema identity;
            create table identity.members as select unnest(['a', 'b', 'c', 'd', 'e']) as record_key;
            create table identity.links as select 'a' as record_key_a, 'b' as record_key_b, 'exact' as method;
            create table pair_weights as select * from (values ('b', 'c', 5.0), ('c', 'd', 1.0), ('d', 'e', -4.0))
                as pairs(a, b, weight);
            create table truth as select * from (values ('a', 1), ('b', 1), ('c', 1), ('d', 2), ('e', 2))
                as persons(record_key, person)
            """
        )
        # Down to d-e all are found: three of the four true pairs, and the wrong c-d.
        assert find_best_pairs(connection, "truth") == pytest.approx(0.75)
        connection.execute("delete from pair_weights where a = 'd'")
        assert find_best_pairs(connection, "truth") == pytest.approx(2 / 3)
