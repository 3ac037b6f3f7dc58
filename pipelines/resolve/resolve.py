"""Resolve who is who: the phases in their order, and the tables of schema `identity` they end in.

Change here what the stage reads and writes. Each phase is a module of its own: `records`, `limits`, `ambiguity`,
`evidence`, `blocking`, `model`, `training`, `levels`, `relatives`, `drift`, `scoring`, `guards`,
`overrides`, `clustering`, `ids`, `queue`.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines import keys
from pipelines.resolve.ambiguity import find_torn
from pipelines.resolve.blocking import Blocking, block_profiles
from pipelines.resolve.clustering import Component, Edge, Forest, agglomerate, connect
from pipelines.resolve.drift import Fit, keep_reference, measure_fit, write_fit
from pipelines.resolve.evidence import find_exact_links
from pipelines.resolve.guards import Reliability, find_component_conflicts, judge_edges
from pipelines.resolve.ids import EVENT_COLUMNS, HISTORY_COLUMNS, MEMBER_COLUMNS, assign_ids
from pipelines.resolve.limits import apply_limits
from pipelines.resolve.model import (
    FREQUENCY_TABLE_COLUMNS,
    MODEL_COLUMNS,
    Model,
    forget_model,
    load_model,
    save_model,
)
from pipelines.resolve.overrides import read_decided_pairs
from pipelines.resolve.queue import write_queue
from pipelines.resolve.records import create_profiles, open_scratch, prepare_records
from pipelines.resolve.scoring import KEPT, create_scored_profiles, score_pairs
from pipelines.resolve.state import copy_table
from pipelines.resolve.training import train_model
from pipelines.tables import write_published_table
from pipelines.warehouse import RESTRICTED, SHARED, identifier, literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from duckdb import DuckDBPyConnection

    from pipelines.build import Build
    from pipelines.configuration import Configuration
    from pipelines.settings import Settings


@dataclass(frozen=True)
class ResolveReport:
    """Counts of one resolution; no values, no keys.

    Attributes:
        record_count: rows of `clean.persons`.
        customer_count: customers they became.
        exact_link_count, scored_link_count: accepted links by method.
        refused_links: refused links by reason.
        largest_customer: records of the largest customer.
        scored_pair_count: pairs with a weight.
        weighed_pair_count: those that were weighed in this run; the others were known from an earlier one.
        divided_count: profiles in blocks so large that they were compared within parts of them only.
        oversized_count: profiles in parts that stayed too large; they were not compared within them.
        model_version: the version in which the parameters were learned, or `shipped`.
        is_new_model: they were learned in this build.
        drifted_count: figures in which the data is not what the kept model was learned from.
        trained: comparisons whose parameters were learned; the others are the shipped ones.
        created, merged, split, restored: events of ids in this build.
    """

    record_count: int
    customer_count: int
    exact_link_count: int
    scored_link_count: int
    refused_links: dict[str, int]
    largest_customer: int
    scored_pair_count: int
    weighed_pair_count: int
    divided_count: int
    oversized_count: int
    model_version: str
    is_new_model: bool
    drifted_count: int
    trained: tuple[str, ...]
    created: int
    merged: int
    split: int
    restored: int


def resolve_identities(
    connection: DuckDBPyConnection, settings: Settings, configuration: Configuration, build: Build
) -> ResolveReport:
    """Put every record of `clean.persons` into exactly one customer, and write schema `identity`.

    Args:
        connection: open on the build's warehouse, with the right to write; its catalog and schema stay current.
        settings: names the state of ids ever issued and the published version.
        configuration: thresholds and limits.
        build: version and time that new ids and events carry.

    Returns:
        Counts for the log; the same input gives the same tables, whatever the order of rows.
    """
    keys.use_secret(connection, settings)
    with open_scratch(connection) as warehouse:
        _read_state(connection, settings)
        kept = load_model(connection, configuration.identity)
        prepared = _prepare(connection, warehouse, configuration, build, kept)
        fits = measure_fit(connection, kept, prepared.profile_count) if kept else []
        is_outdated = configuration.identity.learn_anew_on_drift and any(fit.is_drifted for fit in fits)
        if is_outdated:
            forget_model(connection)
            _drop_prepared(connection)
            prepared = _prepare(connection, warehouse, configuration, build, None)
        if kept is not None and not is_outdated:
            model = kept
        else:
            model = train_model(connection, build.version, prepared.profile_count, configuration.identity.seed)
            keep_reference(connection, model)
        save_model(connection, model, configuration.identity)
        weighed_count = score_pairs(connection, settings, model)
        reliability = Reliability(*(model.is_reliable(field) for field in ("first_name", "birth_date", "last_name")))
        judge_edges(
            connection, configuration.identity.match_probability, reliability, knows_frequencies=model.is_learned
        )
        read_decided_pairs(connection, warehouse)
        _cluster(connection, reliability)
        assign_ids(connection, build.version, build.as_of)
        _write_identity(connection, warehouse, model)
        write_fit(connection, f"{warehouse}.identity", kept, fits, is_learned_anew=is_outdated)
        return _report(connection, build.version, prepared.blocking, weighed_count, model, fits)


@dataclass(frozen=True)
class _Prepared:
    """What was prepared before any pair is weighed."""

    profile_count: int
    blocking: Blocking


def _prepare(
    connection: DuckDBPyConnection, warehouse: str, configuration: Configuration, build: Build, kept: Model | None
) -> _Prepared:
    """Create everything that a model is learned from or applied to: records, profiles, exact links, blocked pairs."""
    prepare_records(connection, warehouse, build.as_of, is_frozen=kept is not None)
    apply_limits(connection, warehouse, configuration.identity)
    find_torn(connection)
    create_profiles(connection)
    find_exact_links(connection)
    profile_count = create_scored_profiles(connection)
    return _Prepared(profile_count, block_profiles(connection, kept.profile_count if kept else profile_count))


def _drop_prepared(connection: DuckDBPyConnection) -> None:
    """Drop all tables of the scratch catalog but what earlier versions left."""
    rows = connection.execute(
        "select table_name from duckdb_tables() where database_name = current_database() order by table_name"
    ).fetchall()
    for table in sorted({str(name) for (name,) in rows} - _STATE_TABLES.keys()):
        connection.execute(f"drop table {identifier(table)}")


def _cluster(connection: DuckDBPyConnection, reliability: Reliability) -> None:
    """Create `clusters`, one row per record, and `cluster_refusals`, one row per edge that did not fit its cluster.

    Only components that something questions are looked at record by record; the others are clusters as they are.
    """
    import numpy as np
    import pandas as pd

    row = connection.execute("select coalesce(max(n), 0) + 1 from records").fetchone()
    size = int(row[0]) if row else 1
    component_of = connect(size, _fetch_pairs(connection, "select a, b from candidates union all from must_links"))
    connection.register("component_frame", pd.DataFrame({"n": np.arange(size), "component": component_of}))
    # Components of one record have nothing to be cut.
    connection.execute(
        """
        create table components as
        select n, component from component_frame join records using (n)
        where component in (select component from component_frame group by component having count(*) > 1)
        """
    )
    connection.unregister("component_frame")
    find_component_conflicts(connection, reliability)
    cluster_of = component_of
    refused: list[tuple[int, int, str]] = []
    for component in _read_questioned(connection).values():
        forest = Forest(component.form_of)
        reasons = agglomerate(component, forest)
        for node, root in forest.labels().items():
            cluster_of[node] = root
        refused += [(e.a, e.b, reasons[e.position]) for e in component.edges if e.position in reasons]
    must = _fetch_pairs(connection, "from must_links")
    if len(must):
        cluster_of = connect(size, np.vstack([np.column_stack([np.arange(size), cluster_of]), must]))
    connection.register("cluster_frame", pd.DataFrame({"n": np.arange(size), "cluster": cluster_of}))
    connection.execute(
        """
        create table clusters as
        select record_key, cluster::integer as cluster, is_live, created_at
        from records join cluster_frame using (n)
        """
    )
    connection.unregister("cluster_frame")
    connection.execute("create table cluster_refusals (a integer, b integer, reason text)")
    if refused:
        frame = pd.DataFrame(refused, columns=["a", "b", "reason"])
        connection.register("refused_frame", frame)
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
        "select component, n, form, coalesce(length(first_name) > 1, false), birth_date is not null "
        "from components join records using (n) semi join questioned using (component)"
    ).fetchall():
        questioned[c].form_of[n] = form
        if is_named:
            questioned[c].named.add(form)
        if is_dated:
            questioned[c].dated.add(form)
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


# What a build starts from: tables of the scratch catalog with their columns.
_STATE_TABLES = {
    "known_ids": HISTORY_COLUMNS,
    "known_events": EVENT_COLUMNS,
    "published_members": MEMBER_COLUMNS,
    "former_members": MEMBER_COLUMNS,
    "model": MODEL_COLUMNS,
    "frequencies": FREQUENCY_TABLE_COLUMNS,
}


def _read_state(connection: DuckDBPyConnection, settings: Settings) -> None:
    """Create the tables that hold what earlier versions left: ids, assignments, model; empty where nothing did."""
    for table, columns in _STATE_TABLES.items():
        connection.execute(f"create table {table} ({columns})")
    state = settings.state_dir / "identity.duckdb"
    for file, table, target in (
        (state, "customer_id_history", "known_ids"),
        (state, "customer_id_events", "known_events"),
        (state, "members", "former_members"),
        (state, "model", "model"),
        (state, "model_frequencies", "frequencies"),
        (settings.current / "state.duckdb", "members", "published_members"),
    ):
        copy_table(connection, file, table, target)
    connection.execute("delete from former_members where record_key in (select record_key from published_members)")


def _write_identity(connection: DuckDBPyConnection, warehouse: str, model: Model) -> None:
    """Replace the tables of schema `identity`; nobody may rely on the order of the rows of the large ones."""
    schema = f"{warehouse}.identity"
    connection.execute(f"create schema if not exists {schema}")
    connection.execute(f"create or replace table {schema}.members as from members")
    links = _LINKS.format(model_version=literal(model.version))
    kept = ", ".join(f"'{name}': scored.{name}" for name in KEPT)
    compared = _COMPARED.format(warehouse=warehouse, kept=kept)
    refused = _REFUSED.format(warehouse=warehouse)
    for table, query, part in (
        ("links", links, SHARED),
        ("refused_links", refused, SHARED),
        ("compared_records", compared, RESTRICTED),
    ):
        write_published_table(connection, f"{schema}.{table}", query, part=part, published=table)
    write_queue(connection, schema)
    connection.execute(f"create or replace table {schema}.customer_id_history as from id_history")
    connection.execute(f"create or replace table {schema}.customer_id_events as from id_events")
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

# What people read of a record, and what the model saw of it, so that every pair can be weighed again afterwards.
_COMPARED = """
with folded as (select unnest(members) as n, n as profile from profiles)
select record_key, p.first_name, p.last_name, p.birth_date, p.email, p.phone, p.mobile, p.street, p.house_number,
    p.postal_code, p.city, case when scored.n is not null then {{{kept}}} end as compared
from {warehouse}.clean.persons as p
join (select n, record_key from records) using (record_key)
join folded using (n)
left join scored_profiles as scored on scored.n = profile
"""

# The evidence is named by the contact point both records carry, never by its value.
_REFUSED = """
with refused as (
    select a, b, method, rule, match_weight, cluster_refusals.reason, 1 as preference
    from cluster_refusals join candidates using (a, b)
    union all
    select a, b, 'exact', rule, null, reason, 2 from exact_refusals
    union all
    select a, b, 'probabilistic', rule, match_weight, reason, 3 from score_refusals
),
chosen as (
    select a, b, method, rule, max(match_weight) over (partition by a, b) as match_weight, reason
    from refused
    qualify row_number() over (partition by a, b order by preference, rule, reason) = 1
),
keyed as (
    select l.record_key as record_key_a, r.record_key as record_key_b, method, rule, match_weight, reason
    from chosen join records as l on l.n = a join records as r on r.n = b
    join clusters as cl on cl.record_key = l.record_key join clusters as cr on cr.record_key = r.record_key
    where cl.cluster <> cr.cluster  -- they may have come together through others
),
carried as materialized (
    select record_key, kind, contact_point_key from {warehouse}.clean.contact_points
    where record_key in (select record_key_a from keyed union select record_key_b from keyed)
),
points as (
    select record_key_a, record_key_b,
        arg_min(contact_point_key, (l.kind = 'address', contact_point_key)) as evidence_key
    from keyed
    join carried as l on l.record_key = record_key_a
    join carried as r using (contact_point_key)
    where r.record_key = record_key_b
    group by all
)
select record_key_a, record_key_b, method, rule, match_weight, reason, evidence_key
from keyed left join points using (record_key_a, record_key_b)
"""


def _report(
    connection: DuckDBPyConnection,
    version: str,
    blocking: Blocking,
    weighed_count: int,
    model: Model,
    fits: Sequence[Fit],
) -> ResolveReport:
    def counts(query: str) -> defaultdict[str, int]:
        return defaultdict(int, {str(k): int(v) for k, v in connection.execute(query).fetchall()})

    links = counts("select method, count(*) from candidates anti join cluster_refusals using (a, b) group by method")
    refused = counts(
        "select reason, count(*) from (select reason from cluster_refusals union all select reason from score_refusals "
        "union all select reason from exact_refusals) group by reason order by reason"
    )
    events = counts(f"select event, count(*) from id_events where version = {literal(version)} group by event")
    sizes = connection.execute(
        "select coalesce(sum(c), 0), count(*), coalesce(max(c), 0) "
        "from (select count(*) as c from members group by customer_id)"
    ).fetchone() or (0, 0, 0)
    return ResolveReport(
        record_count=int(sizes[0]),
        customer_count=int(sizes[1]),
        exact_link_count=links["exact"],
        scored_link_count=links["probabilistic"],
        refused_links=dict(refused),
        largest_customer=int(sizes[2]),
        scored_pair_count=blocking.pair_count,
        weighed_pair_count=weighed_count,
        divided_count=blocking.divided_count,
        oversized_count=blocking.oversized_count,
        model_version=model.version,
        is_new_model=model.version == version,
        drifted_count=sum(fit.is_drifted for fit in fits),
        trained=model.trained,
        created=events["created"],
        merged=events["merged"],
        split=events["split"],
        restored=events["restored"],
    )
