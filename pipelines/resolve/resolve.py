"""Resolve who is who: the phases in their order.

Change here what the stage reads; the tables it ends in are those of `writing`. Each phase is a module of its own:
`records`, `limits`, `ambiguity`, `evidence`, `blocking`, `model`, `training`, `levels`, `relatives`, `drift`,
`scoring`, `guards`, `overrides`, `clustering`, `ids`, `queue`. A night calls them by way of `increments`, on what
`kept` holds.
"""

from __future__ import annotations

from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines import keys
from pipelines.resolve.ambiguity import find_torn
from pipelines.resolve.blocking import Blocking, block_profiles
from pipelines.resolve.clustering import Component, Edge, Forest, agglomerate, connect
from pipelines.resolve.drift import Fit, keep_reference, measure_fit, write_fit
from pipelines.resolve.evidence import find_exact_links
from pipelines.resolve.guards import Reliability, choose_candidates, find_component_conflicts, judge_scores
from pipelines.resolve.ids import EVENT_COLUMNS, HISTORY_COLUMNS, MEMBER_COLUMNS, assign_ids
from pipelines.resolve.increments import CannotContinueError, Night, match_night
from pipelines.resolve.kept import KEPT, Keeper, attached, cache_file, digest_matching, digest_model, write_mark
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
from pipelines.resolve.records import (
    SCRATCH,
    create_profiles,
    describe_names,
    describe_records,
    fold_records,
    list_inputs,
    number_records,
    open_scratch,
)
from pipelines.resolve.scoring import create_scored_profiles, score_pairs
from pipelines.resolve.state import attached_state, copy_table, show_table
from pipelines.resolve.training import train_model
from pipelines.resolve.writing import write_identity
from pipelines.warehouse import identifier, literal, log_privately

if TYPE_CHECKING:
    import numpy as np
    from duckdb import DuckDBPyConnection

    from pipelines.build import Build
    from pipelines.configuration import Configuration
    from pipelines.configuration.identity import IdentityConfig
    from pipelines.settings import Settings


@dataclass(frozen=True)
class ResolveReport:
    """Counts of one resolution; no values, no keys.

    Attributes:
        record_count: rows of `clean.persons`.
        renewed_count: those that were matched anew; all of them where there was nothing to continue from.
        customer_count: customers they became.
        exact_link_count, scored_link_count: accepted links by method.
        refused_links: refused links by reason.
        largest_customer: records of the largest customer.
        scored_pair_count: pairs with a weight.
        weighed_pair_count: those that were weighed in this run; the others were known from an earlier one.
        divided_count: blocks so large that their profiles are compared within parts of them only.
        oversized_count: profiles in parts that stayed too large; they were not compared within them.
        model_version: the version in which the parameters were learned, or `shipped`.
        is_new_model: they were learned in this build.
        drifted_count: figures in which the data is not what the kept model was learned from.
        trained: comparisons whose parameters were learned; the others are the shipped ones.
        created, merged, split, restored: events of ids in this build.
    """

    record_count: int
    renewed_count: int
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
    identity = configuration.identity
    keys.use_secret(connection, settings)
    with open_scratch(connection) as warehouse, ExitStack() as stack:
        _read_state(connection, settings, stack)
        kept = load_model(connection, identity)
        list_inputs(connection, warehouse, build.as_of)
        night = _continue(connection, settings, warehouse, identity, build, kept, stack) if kept else None
        if kept and night:
            matched = Matched(kept, night.renewed_count, night.blocking, night.weighed_count, night.fits)
        else:
            matched = _match_in_full(connection, settings, warehouse, identity, build, kept)
        model = matched.model
        save_model(connection, model, identity)
        choose_candidates(
            connection, identity.match_probability, Reliability.of(model), knows_frequencies=model.is_learned
        )
        read_decided_pairs(connection, warehouse)
        _cluster(connection, Reliability.of(model))
        assign_ids(connection, build.version, build.as_of)
        write_identity(connection, warehouse, model)
        is_learned_anew = kept is not None and model is not kept
        write_fit(connection, f"{warehouse}.identity", kept, matched.fits, is_learned_anew=is_learned_anew)
        return _report(connection, build.version, matched)


@dataclass(frozen=True)
class Matched:
    """How all pairs came to be judged: by which model, of how many records and pairs anew, how a kept model fits."""

    model: Model
    renewed_count: int | None
    blocking: Blocking
    weighed_count: int
    fits: list[Fit]


def _continue(
    connection: DuckDBPyConnection,
    settings: Settings,
    warehouse: str,
    identity: IdentityConfig,
    build: Build,
    model: Model,
    stack: ExitStack,
) -> Night | None:
    """What a night made of the tables that the last run kept; None where it cannot, with nothing left of it.

    On success the kept tables stay attached until `stack` is closed: what follows reads them.
    """
    import duckdb

    if not cache_file(settings).exists():
        return None
    digest = digest_matching(connection, model, identity)
    schema = f"{SCRATCH}.main"
    with ExitStack() as opened:
        try:
            opened.enter_context(attached(connection, settings, read_only=False))
            marks = connection.execute(f"select digest, model_digest from {KEPT}.mark").fetchall()
            if [mark[0] for mark in marks] != [digest]:
                return None
            connection.execute(f"drop table {KEPT}.mark")  # until all of them are renewed
            night = match_night(connection, warehouse, identity, build, model, schema)
            write_mark(connection, digest, marks[0][1])
        except (duckdb.Error, CannotContinueError) as error:
            if isinstance(error, duckdb.Error):  # nothing is lost by it but time
                log_privately(settings, error)
            _drop_prepared(connection)
            return None
        stack.enter_context(opened.pop_all())
    return night


def _match_in_full(
    connection: DuckDBPyConnection,
    settings: Settings,
    warehouse: str,
    identity: IdentityConfig,
    build: Build,
    kept: Model | None,
) -> Matched:
    """Judge all pairs of all records, by the kept model if it fits, and keep what a night continues from."""
    keeper = Keeper(connection, settings)
    try:
        prepared = _prepare(connection, warehouse, identity, build, kept, keeper)
        fits = measure_fit(connection, kept, prepared.profile_count) if kept else []
        is_outdated = identity.learn_anew_on_drift and any(fit.is_drifted for fit in fits)
        if is_outdated:
            forget_model(connection)
            _drop_prepared(connection)
            prepared = _prepare(connection, warehouse, identity, build, None, keeper)
        if kept is not None and not is_outdated:
            model = kept
        else:
            model = train_model(connection, build.version, prepared.profile_count, identity.seed)
            keep_reference(connection, model)
        weighed_count = score_pairs(connection, settings, model)
        judge_scores(connection, Reliability.of(model), knows_frequencies=model.is_learned)
        keeper.keep("scores", "judged_scores")
        if model.is_learned:
            keeper.finish(digest_matching(connection, model, identity), digest_model(connection, model))
    finally:
        keeper.close()
    return Matched(model, None, prepared.blocking, weighed_count, fits)


@dataclass(frozen=True)
class _Prepared:
    """What was prepared before any pair is weighed."""

    profile_count: int
    blocking: Blocking


def _prepare(
    connection: DuckDBPyConnection,
    warehouse: str,
    identity: IdentityConfig,
    build: Build,
    kept: Model | None,
    keeper: Keeper,
) -> _Prepared:
    """Create everything that a model is learned from or applied to: records, profiles, exact links, blocked pairs."""
    keeper.open()
    number_records(connection)
    fold_records(connection, warehouse, build.as_of, persons=f"{warehouse}.clean.persons")
    describe_names(connection, is_frozen=kept is not None)
    apply_limits(connection, warehouse, identity)
    keeper.keep("numbers", "default_dates", "records", "first_names", "forms", "carriers", "identifier_values")
    keeper.keep("shared_values", "home_values")
    find_torn(connection)
    keeper.keep("known_identifiers", "torn_at", "torn", "torn_groups")
    describe_records(connection)
    create_profiles(connection)
    find_exact_links(connection)
    keeper.keep("descriptions", "profiles", "groups", "accepted", "refused")
    profile_count = create_scored_profiles(connection)
    learned_from = kept.profile_count if kept else profile_count
    blocking = block_profiles(connection, learned_from)
    keeper.keep("scored_profiles", "blocked", "divided", "oversized")
    return _Prepared(profile_count, blocking)


def _drop_prepared(connection: DuckDBPyConnection) -> None:
    """Drop all tables and views of the scratch catalog but what earlier versions left, and what records say."""
    for kind in ("view", "table"):
        rows = connection.execute(
            f"select {kind}_name from duckdb_{kind}s() where database_name = current_database() "
            f"and not internal order by {kind}_name"
        ).fetchall()
        for name in sorted({str(name) for (name,) in rows} - _STATE_TABLES - {"inputs", "further_points"}):
            connection.execute(f"drop {kind} {identifier(name)}")


def _cluster(connection: DuckDBPyConnection, reliability: Reliability) -> None:
    """Create `clusters`, one row per record, and `cluster_refusals`, one row per edge that did not fit its cluster.

    Only components that something questions are looked at record by record; the others are clusters as they are.
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
    cluster_of = component_of
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
    connection.register("cluster_frame", pd.DataFrame({"n": numbers, "cluster": cluster_of}))
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
        "select component, n, form, is_named, is_dated from components semi join questioned using (component)"
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


# What a build starts from: tables and views of the scratch catalog.
_MODEL_TABLES = {"model": MODEL_COLUMNS, "frequencies": FREQUENCY_TABLE_COLUMNS}
_STATE_TABLES = {*_MODEL_TABLES, "known_ids", "known_events", "members_before", "published_members", "former_members"}


def _read_state(connection: DuckDBPyConnection, settings: Settings, stack: ExitStack) -> None:
    """Find what earlier versions left: ids, assignments, model; empty where nothing did.

    What is large is read where it is, until `stack` is closed; the model may be learned anew, so it is copied.
    """
    state, published = settings.state_dir / "identity.duckdb", settings.current / "state.duckdb"
    for table, columns in _MODEL_TABLES.items():
        connection.execute(f"create table {table} ({columns})")
    copy_table(connection, state, "model", "model")
    copy_table(connection, state, "model_frequencies", "frequencies")
    stack.enter_context(attached_state(connection, {"issued": state, "published": published}))
    show_table(connection, "issued", "customer_id_history", "known_ids", HISTORY_COLUMNS)
    show_table(connection, "issued", "customer_id_events", "known_events", EVENT_COLUMNS)
    show_table(connection, "issued", "members", "members_before", MEMBER_COLUMNS)
    show_table(connection, "published", "members", "published_members", MEMBER_COLUMNS)
    connection.execute(
        "create view former_members as from members_before anti join published_members using (record_key)"
    )


def _report(connection: DuckDBPyConnection, version: str, matched: Matched) -> ResolveReport:
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
        renewed_count=int(sizes[0]) if matched.renewed_count is None else matched.renewed_count,
        customer_count=int(sizes[1]),
        exact_link_count=links["exact"],
        scored_link_count=links["probabilistic"],
        refused_links=dict(refused),
        largest_customer=int(sizes[2]),
        scored_pair_count=matched.blocking.pair_count,
        weighed_pair_count=matched.weighed_count,
        divided_count=matched.blocking.divided_count,
        oversized_count=matched.blocking.oversized_count,
        model_version=matched.model.version,
        is_new_model=matched.model.version == version,
        drifted_count=sum(fit.is_drifted for fit in matched.fits),
        trained=matched.model.trained,
        created=events["created"],
        merged=events["merged"],
        split=events["split"],
        restored=events["restored"],
    )
