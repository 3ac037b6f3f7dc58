"""Agglomeration over integers: conflicts cut, strength decides, order does not."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.resolve.clustering import Component, Edge, Forest, agglomerate, connect


def cluster(component: Component, size: int) -> tuple[list[int], dict[int, str]]:
    forest = Forest(range(size))
    refused = agglomerate(component, forest)
    return list(forest.labels().values()), refused


def edges(*pairs: tuple[int, int, float | None]) -> list[Edge]:
    return [Edge(i, a, b, 1 if weight is None else 100, weight) for i, (a, b, weight) in enumerate(pairs)]


def conflict(*pairs: tuple[int, int]) -> dict[int, dict[int, str]]:
    found: dict[int, dict[int, str]] = {}
    for a, b in pairs:
        found.setdefault(a, {})[b] = "different_first_names"
        found.setdefault(b, {})[a] = "different_first_names"
    return found


def test_a_chain_of_any_length_is_one_component() -> None:
    size = 200_000
    pairs = [(i, i + 1) for i in range(size - 1)]
    random.Random(1).shuffle(pairs)
    assert set(connect(size, pairs).tolist()) == {0}


def test_a_component_is_cut_at_its_weakest_edge() -> None:
    # 0-1-2-3 where 0 and 3 cannot be one person: the edge between 1 and 2 is the weakest.
    component = Component(
        edges=edges((0, 1, 9.0), (1, 2, 5.0), (2, 3, 8.0)),
        form_of={0: 0, 1: 1, 2: 2, 3: 3},
        conflicts=conflict((0, 3)),
    )
    labels, refused = cluster(component, 4)
    assert labels == [0, 0, 2, 2]
    assert refused == {1: "cluster_has_different_first_names"}


def test_an_exact_edge_holds_against_a_heavier_scored_one() -> None:
    component = Component(
        edges=edges((0, 1, 30.0), (1, 2, None)), form_of={0: 0, 1: 1, 2: 2}, conflicts=conflict((0, 2))
    )
    assert cluster(component, 3)[0] == [0, 1, 1]


def test_a_bridge_against_which_the_other_pairs_speak_is_cut() -> None:
    component = Component(
        edges=edges((0, 1, None), (2, 3, None), (1, 2, 5.0)),
        form_of=dict.fromkeys(range(4), 0),
        scores=[(1, 2, 5.0), (0, 2, -4.0), (0, 3, -4.0), (1, 3, -4.0)],
    )
    labels, refused = cluster(component, 4)
    assert labels == [0, 0, 2, 2]
    assert refused == {2: "cluster_disagrees"}


@pytest.mark.parametrize(
    ("size", "weight", "common", "are_two"),
    [(6, 5.0, (), True), (6, 9.0, (), False), (6, 5.0, (99,), False), (5, 5.0, (), False)],
    ids=["namesakes", "a rare name", "something in common", "hardly known"],
)
def test_who_is_well_known_and_shares_nothing_but_a_name_is_another_person(
    size: int, weight: float, common: tuple[int, ...], are_two: bool
) -> None:
    chains = [(a, a + 1, None) for first in (0, size) for a in range(first, first + size - 1)]
    component = Component(
        edges=edges(*chains, (0, size, weight)),
        form_of=dict.fromkeys(range(2 * size), 0),
        values={n: frozenset({n // size, *common}) for n in range(2 * size)},
    )
    labels, refused = cluster(component, 2 * size)
    assert (len(set(labels)) == 2) == are_two
    assert set(refused.values()) == ({"cluster_has_nothing_in_common"} if are_two else set())


def test_one_garbled_name_of_many_does_not_divide_a_person() -> None:
    # 0 to 4 and 5 to 8 are well known to be one person each; the name of 8 is garbled and conflicts with that of 0.
    chain = [(a, a + 1, None) for a in (0, 1, 2, 3, 5, 6, 7)]
    forms = {n: n for n in range(9)}
    component = Component(
        edges=edges(*chain, (4, 5, 9.0)), form_of=forms, conflicts=conflict((0, 8)), named=set(range(9))
    )
    assert cluster(component, 9) == ([0] * 9, {})
    # Of a person whose other records have initials only, the one name counts.
    component.named = {0, 8}
    assert cluster(component, 9) == ([0] * 5 + [5] * 4, {7: "cluster_has_different_first_names"})


def test_in_a_crowd_only_forms_that_are_linked_themselves_fit() -> None:
    component = Component(edges=edges((0, 1, 9.0), (1, 2, 8.0)), form_of={0: 0, 1: 1, 2: 2}, is_crowd=True)
    labels, refused = cluster(component, 3)
    assert labels == [0, 0, 2]
    assert refused == {1: "crowd"}


def test_what_the_source_merged_is_never_cut() -> None:
    component = Component(edges=[Edge(0, 0, 1, 0, None)], form_of={0: 0, 1: 1}, conflicts=conflict((0, 1)))
    assert cluster(component, 2) == ([0, 0], {})


def test_two_records_that_people_keep_apart_are_not_joined_through_others() -> None:
    # 0-1-2-3, all of one name and merged at the source even: 0 and 3 are two persons, the last edges yield.
    component = Component(
        edges=[Edge(i, i, i + 1, 0, None) for i in range(3)], form_of=dict.fromkeys(range(4), 0), apart=[(3, 0)]
    )
    assert cluster(component, 4) == ([0, 0, 0, 3], {2: "cannot_link"})


@settings(max_examples=150)
@given(st.data())
def test_what_people_decided_holds_whatever_else_is_known(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, 10))
    pair = st.tuples(st.integers(0, size - 1), st.integers(0, size - 1)).filter(lambda p: p[0] < p[1])
    same = sorted(data.draw(st.sets(pair, max_size=4)))
    groups = connect(size, same)
    apart = sorted((a, b) for a, b in data.draw(st.sets(pair, max_size=5)) if groups[a] != groups[b])
    found = data.draw(st.dictionaries(pair, st.one_of(st.none(), st.integers(3, 30).map(float)), max_size=25))
    listed = [
        Edge(i, a, b, data.draw(st.integers(0, 3)) if weight is None else 100, weight)
        for i, ((a, b), weight) in enumerate(sorted(found.items()))
    ]
    against = conflict(*data.draw(st.sets(st.sampled_from([(0, 1), (1, 2), (0, 3)]))))
    form_of = {n: n % 4 for n in range(size)}

    def run(same: list[tuple[int, int]], apart: list[tuple[int, int]]) -> list[int]:
        labels, _ = cluster(Component(listed, form_of, against, same=same, apart=apart), size)
        return connect(size, [*enumerate(labels), *same]).tolist()

    labels = run(same, apart)
    assert all(labels[a] == labels[b] for a, b in same)
    assert all(labels[a] != labels[b] for a, b in apart)
    # Without anything kept apart, what people join adds to what was found and takes nothing away.
    assert run(same, []) == connect(size, [*enumerate(run([], [])), *same]).tolist()


@settings(max_examples=150)
@given(st.data())
def test_clusters_are_free_of_conflicts_and_independent_of_the_order_of_edges(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, 12))
    pair = st.tuples(st.integers(0, size - 1), st.integers(0, size - 1)).filter(lambda p: p[0] < p[1])
    found = data.draw(st.dictionaries(pair, st.one_of(st.none(), st.integers(3, 30).map(float)), max_size=25))
    against = data.draw(st.sets(pair, max_size=8))
    found = {p: w for p, w in found.items() if p not in against}
    listed = edges(*((a, b, w) for (a, b), w in sorted(found.items())))
    scores = [(a, b, w) for (a, b), w in found.items() if w is not None]
    form_of = {n: n for n in range(size)}

    def run(order: list[Edge]) -> tuple[list[int], dict[int, str]]:
        return cluster(Component(order, form_of, conflict(*sorted(against)), scores=sorted(scores)), size)

    labels, refused = run(listed)
    shuffled = data.draw(st.permutations(listed))
    assert run(list(shuffled)) == (labels, refused)
    assert all(labels[a] != labels[b] for a, b in against)
    for edge in listed:
        assert (labels[edge.a] == labels[edge.b]) != (edge.position in refused)
