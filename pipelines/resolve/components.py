"""From links to clusters: what hangs together, and which records of it are one customer.

Change here which components are looked at record by record. How those grow into clusters is in `clustering`, what is in
conflict in `guards`. All that is said of a component follows from its own records, links, weights and decisions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.resolve.clustering import Component, Edge, Forest, agglomerate, connect
from pipelines.resolve.guards import Reliability, find_component_conflicts

if TYPE_CHECKING:
    import numpy as np
    from duckdb import DuckDBPyConnection


def find_clusters(connection: DuckDBPyConnection, reliability: Reliability) -> None:
    """Create `clustered`, one row per record, and `cluster_refusals`, one row per edge that did not fit its cluster.

    `clustered` is `n`, its `component` and its `cluster`, both named by their smallest record. Only components that
    something questions are looked at record by record; the others are clusters as they are. Reads `records`,
    `candidates`, `must_links`, `cannot_links`, `scores` and `forms`.
    """
    import numpy as np
    import pandas as pd

    numbers = connection.execute("select n from records order by n").fetchnumpy()["n"]
    component_of = numbers[
        connect(
            len(numbers),
            np.searchsorted(numbers, _fetch_pairs(connection, "select a, b from candidates union all from must_links")),
        )
    ]
    cluster_of = component_of.copy()
    connection.register("component_frame", pd.DataFrame({"n": numbers, "component": component_of}))
    # Components of one record have nothing to be cut.
    connection.execute(
        """
        create table components as
        select n, component, form, is_told, is_named, is_dated
        from component_frame join (
            select n, form, first_name is not null or birth_date is not null as is_told,
                coalesce(length(first_name) > 1, false) as is_named, birth_date is not null as is_dated
            from records
        ) using (n)
        where component in (select component from component_frame group by component having count(*) > 1)
        """
    )
    connection.unregister("component_frame")
    find_component_conflicts(connection, reliability)
    roots: dict[int, int] = {}
    refused: list[tuple[int, int, str]] = []
    for component in _read_questioned(connection).values():
        forest = Forest(component.form_of)
        reasons = agglomerate(component, forest)
        roots |= forest.labels()
        refused += [(e.a, e.b, reasons[e.position]) for e in component.edges if e.position in reasons]
    # All at once: numpy converts all numbers whenever it is asked for one of another type.
    cluster_of[np.searchsorted(numbers, list(roots))] = list(roots.values())
    must = _fetch_pairs(connection, "from must_links")
    if len(must):
        joined = np.vstack([np.column_stack([numbers, cluster_of]), must])
        cluster_of = numbers[connect(len(numbers), np.searchsorted(numbers, joined))]
    frame = pd.DataFrame({"n": numbers, "component": component_of, "cluster": cluster_of})
    connection.register("clustered_frame", frame)
    connection.execute(
        "create table clustered as "
        "select n::integer as n, component::integer as component, cluster::integer as cluster from clustered_frame"
    )
    connection.unregister("clustered_frame")
    connection.execute("create table cluster_refusals (a integer, b integer, reason text)")
    if refused:
        connection.register("refused_frame", pd.DataFrame(refused, columns=["a", "b", "reason"]))
        connection.execute("insert into cluster_refusals select a, b, reason from refused_frame")
        connection.unregister("refused_frame")


def _fetch_pairs(connection: DuckDBPyConnection, query: str) -> np.ndarray:
    """The two columns `a` and `b` of the query, side by side."""
    import numpy as np

    found = connection.execute(query).fetchnumpy()
    return np.column_stack([found["a"], found["b"]])


def _read_questioned(connection: DuckDBPyConnection) -> dict[int, Component]:
    """The components with a conflict, a crowd, or a pair that people or its score keep apart."""
    connection.execute(
        """
        create table component_scores as
        select l.component, a, b, match_weight
        from scores join components as l on l.n = a join components as r on r.n = b and r.component = l.component;
        create table questioned as
        select component from conflicts union select component from crowds
        union
        select l.component from cannot_links join components as l on l.n = a join components as r on r.n = b
        where l.component = r.component
        union
        select component from component_scores where match_weight < 0
        """
    )
    rows = connection.execute("select component from questioned order by component").fetchall()
    questioned: dict[int, Component] = {int(c): Component() for (c,) in rows}
    for (c,) in connection.execute("from crowds").fetchall():
        questioned[c].is_crowd = True
    for c, n, form, is_named, is_dated in connection.execute(
        "select component, n, form, is_named, is_dated from components semi join questioned using (component)"
    ).fetchall():
        questioned[c].form_of[n] = form
        if is_named:
            questioned[c].named.add(form)
        if is_dated:
            questioned[c].dated.add(form)
    for c, n, values in connection.execute(_VALUES).fetchall():
        questioned[c].values[n] = frozenset(values)
    for c, a, b, reason in connection.execute("from conflicts").fetchall():
        questioned[c].conflicts.setdefault(a, {})[b] = reason
        questioned[c].conflicts.setdefault(b, {})[a] = reason
    for c, a, b, weight in connection.execute(
        "from component_scores semi join questioned using (component) order by a, b"
    ).fetchall():
        questioned[c].scores.append((a, b, weight))
    for table in ("must_links", "cannot_links"):
        for c, a, b in connection.execute(
            f"select l.component, a, b from {table} join components as l on l.n = a join components as r on r.n = b "
            "semi join questioned on questioned.component = l.component where l.component = r.component order by a, b"
        ).fetchall():
            (questioned[c].same if table == "must_links" else questioned[c].apart).append((a, b))
    for position, (c, *edge) in enumerate(
        connection.execute(
            "select component, a, b, rank, match_weight from candidates join components on n = a "
            "semi join questioned using (component) order by a, b"
        ).fetchall()
    ):
        questioned[c].edges.append(Edge(position, *edge))
    return questioned


# Hashes of what a record has besides its names.
_VALUES = """
with known as (
    select component, n, list_filter(
        list_concat(
            [email, birth_date::text,
             case when house_number is not null then concat_ws(' ', postal_code, street, house_number) end],
            phones),
        lambda value: value is not null) as found,
    from (select component, n from components semi join questioned using (component))
    join (select n, email, birth_date, phones, postal_code, street, house_number from records) using (n)
)
select component, n, list_transform(found, lambda value: hash(value)) from known where len(found) > 0
"""
