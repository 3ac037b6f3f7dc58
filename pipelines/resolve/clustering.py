"""From edges to customers: agglomeration that merges the strongest edges first and never joins what is in conflict.

Change here how clusters grow. Pure Python over integers: no database, no names. Why two forms are in conflict is
decided in `guards`, and what a cluster is called in `ids`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike

EXACT_RANK = 100  # edges of a lower rank are exact and need no agreement of the rest of the cluster
MERGED_RANK = 0  # what the source itself declared one person is questioned by people only
DECIDED_APART = "cannot_link"  # the reason of a link that people forbade
# The share of conflicting pairs of records, of those of two clusters that can be compared, from which the two are two
# persons. With a single record that is any conflict; one garbled name of forty must not divide a person.
CONFLICTING_SHARE = 0.2
WEIGHT_CAP = 20.0  # one pair must not outvote the cluster
# Two clusters that both have so many records with a mailbox, phone, home or birth date, and not one of these in common,
# are namesakes, unless the name is so rare that the pair alone weighs this much: records of one person, however often
# it moves, hang together by something besides their names. Of 1,000 people with 10 to 15 records each that move and
# change their mailbox every seventh time, namesakes were one (precision .978) and are apart (.997).
WELL_KNOWN_RECORDS, PROVING_WEIGHT = 6, 8.0


@dataclass(frozen=True, slots=True)
class Edge:
    """A candidate link between records `a` and `b`; `weight` is None for an exact rule, `position` names the edge."""

    position: int
    a: int
    b: int
    rank: int
    weight: float | None

    @property
    def strength(self) -> tuple[int, float, int, int]:
        """Sorts the strongest edge first, without ties."""
        return self.rank, -(self.weight or 0.0), self.a, self.b


class Forest:
    """Union-find over the given nodes in which the smallest member is the root."""

    def __init__(self, nodes: Iterable[int]) -> None:
        self.parent = {node: node for node in nodes}

    def root(self, node: int) -> int:
        parent = self.parent
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    def join(self, a: int, b: int) -> None:
        a, b = self.root(a), self.root(b)
        if a != b:
            self.parent[max(a, b)] = min(a, b)

    def labels(self) -> dict[int, int]:
        """The root of every node."""
        return {node: self.root(node) for node in self.parent}


def connect(size: int, pairs: ArrayLike) -> np.ndarray:
    """The connected component of each of `size` nodes over the pairs, named by its smallest member."""
    import numpy as np

    label = np.arange(size, dtype=np.int64)
    a, b = np.asarray(pairs, dtype=np.int64).reshape(-1, 2).T
    while len(a):
        # Every root that has a smaller neighbor hangs below the smallest one: that is half of them at least.
        np.minimum.at(label, np.maximum(a, b), np.minimum(a, b))
        while not np.array_equal(label, above := label[label]):
            label = above
        a, b = label[a], label[b]
        is_apart = a != b
        a, b = a[is_apart], b[is_apart]
    return label


@dataclass
class Component:
    """What is known about the records of one component that needs care.

    Attributes:
        edges: all its candidate edges.
        form_of: the form of each of its records.
        conflicts: by form, the forms that cannot be the same person, and why.
        named, dated: the forms with a first name that is more than an initial, and with a birth date.
        is_crowd: there are too many forms for that; only forms with an edge between them count as compatible.
        scores: (a, b, match weight) of its scored pairs, also of those below the threshold.
        values: by record, what it has besides its names; records without are left out.
        same, apart: pairs of records that people declared one person, or two.
    """

    edges: list[Edge] = field(default_factory=list)
    form_of: dict[int, int] = field(default_factory=dict)
    conflicts: dict[int, dict[int, str]] = field(default_factory=dict)
    named: set[int] = field(default_factory=set)
    dated: set[int] = field(default_factory=set)
    is_crowd: bool = False
    scores: list[tuple[int, int, float]] = field(default_factory=list)
    values: dict[int, frozenset[int]] = field(default_factory=dict)
    same: list[tuple[int, int]] = field(default_factory=list)
    apart: list[tuple[int, int]] = field(default_factory=list)


class _Decisions:
    """Which clusters people keep apart: a union-find of its own, since what they joined counts as one from the start.

    Two pairs that contradict each other are joined; the audit tells.
    """

    def __init__(self, component: Component) -> None:
        self.parent: dict[int, int] = {}
        self.apart: dict[int, set[int]] = {}
        for a, b in component.same:
            self.join(a, b)
        for a, b in component.apart:
            a, b = self.root(a), self.root(b)
            if a != b:
                self.apart.setdefault(a, set()).add(b)
                self.apart.setdefault(b, set()).add(a)

    def root(self, node: int) -> int:
        while (parent := self.parent.get(node, node)) != node:
            node = parent
        return node

    def forbid(self, a: int, b: int) -> bool:
        return self.root(b) in self.apart.get(self.root(a), ())

    def join(self, a: int, b: int) -> None:
        kept, gone = sorted((self.root(a), self.root(b)))
        if kept == gone:
            return
        self.parent[gone] = kept
        for other in self.apart.pop(gone, ()):
            self.apart[other] = self.apart[other] - {gone} | {kept}
            self.apart.setdefault(kept, set()).add(other)


@dataclass
class _Cluster:
    forms: Counter[int]  # by form, the records that have it
    values: set[int]  # what its records have besides their names
    known_records: int  # how many of them have any
    scores: dict[int, float] = field(default_factory=dict)  # sum of match weights by neighboring cluster


def agglomerate(component: Component, forest: Forest) -> dict[int, str]:
    """Merge the records of one component along its edges, best first, unless their clusters do not fit.

    Two clusters do not fit when too many of their forms are in conflict (`CONFLICTING_SHARE`), and over a scored edge
    also when the scored pairs between the two speak against a match on the whole, or when both are well known
    (`WELL_KNOWN_RECORDS`) and share nothing but names. What people keep apart is never
    joined; what they declared one person is not joined here, but counts as one when something is kept apart from it.

    Args:
        component: what is known.
        forest: is changed: its trees are the clusters found.

    Returns:
        The reason per position of each refused edge.
    """
    values = component.values
    clusters = {
        n: _Cluster(Counter((form,)), set(values.get(n, ())), int(n in values)) for n, form in component.form_of.items()
    }
    handles = {n: n for n in clusters}  # by root of the forest
    for a, b, weight in component.scores:
        _add_score(clusters, a, b, weight)
    for edge in component.edges:
        if edge.weight is None:
            _add_score(clusters, edge.a, edge.b, WEIGHT_CAP)
    direct = {frozenset((component.form_of[e.a], component.form_of[e.b])) for e in component.edges}
    decisions = _Decisions(component)
    refused: dict[int, tuple[Edge, str]] = {}
    for edge in sorted(component.edges, key=lambda e: e.strength):
        root_a, root_b = forest.root(edge.a), forest.root(edge.b)
        if root_a == root_b:
            continue
        a, b = handles[root_a], handles[root_b]
        reason = DECIDED_APART if decisions.forbid(edge.a, edge.b) else None
        if reason is None and edge.rank != MERGED_RANK:
            reason = _find_conflict(clusters[a].forms, clusters[b].forms, component, direct)
            if reason is None and edge.rank >= EXACT_RANK:
                reason = _find_doubt(clusters[a], clusters[b], clusters[a].scores.get(b, 0.0), edge.weight or 0.0)
        if reason is not None:
            refused[edge.position] = edge, reason
            continue
        decisions.join(edge.a, edge.b)
        forest.join(root_a, root_b)
        handles[min(root_a, root_b)] = _merge(clusters, a, b)
    # Two records that did not fit at first may have come together through others.
    return {p: reason for p, (e, reason) in refused.items() if forest.root(e.a) != forest.root(e.b)}


def _find_conflict(a: Counter[int], b: Counter[int], component: Component, direct: set[frozenset[int]]) -> str | None:
    if component.is_crowd:
        fits = all(x == y or frozenset((x, y)) in direct for x in a for y in b)
        return None if fits else "crowd"
    if len(a) > len(b):
        a, b = b, a
    conflicting: Counter[str] = Counter()
    for form, times in a.items():
        conflicts = component.conflicts.get(form)
        if conflicts:
            for other in conflicts.keys() & b.keys():
                conflicting[conflicts[other]] += times * b[other]
    for reason, pairs in sorted(conflicting.items()):
        comparable = {"different_first_names": component.named, "different_birth_dates": component.dated}.get(reason)
        if comparable is None or pairs >= CONFLICTING_SHARE * _count(a, comparable) * _count(b, comparable):
            return f"cluster_has_{reason}"
    return None


def _find_doubt(a: _Cluster, b: _Cluster, score: float, weight: float) -> str | None:
    if score < 0:
        return "cluster_disagrees"
    are_known = min(a.known_records, b.known_records) >= WELL_KNOWN_RECORDS
    if are_known and weight < PROVING_WEIGHT and a.values.isdisjoint(b.values):
        return "cluster_has_nothing_in_common"
    return None


def _count(cluster: Counter[int], forms: set[int]) -> int:
    return sum(times for form, times in cluster.items() if form in forms)


def _add_score(clusters: dict[int, _Cluster], a: int, b: int, weight: float) -> None:
    capped = max(-WEIGHT_CAP, min(WEIGHT_CAP, weight))
    clusters[a].scores[b] = clusters[a].scores.get(b, 0.0) + capped
    clusters[b].scores[a] = clusters[b].scores.get(a, 0.0) + capped


def _merge(clusters: dict[int, _Cluster], a: int, b: int) -> int:
    """Merge two clusters under the name of the one with more neighbors, so that few of them must be told."""
    if len(clusters[a].scores) < len(clusters[b].scores):
        a, b = b, a
    kept, gone = clusters[a], clusters.pop(b)
    kept.forms.update(gone.forms)
    kept.values |= gone.values
    kept.known_records += gone.known_records
    kept.scores.pop(b, None)
    for other, weight in gone.scores.items():
        if other != a:
            kept.scores[other] = kept.scores.get(other, 0.0) + weight
            neighbor = clusters[other].scores
            neighbor[a] = neighbor.get(a, 0.0) + neighbor.pop(b)
    return a
