"""Resolve who is who: the phases in their order.

Change here what the stage reads; the tables it ends in are those of `writing`. Each phase is a module of its own:
`records`, `limits`, `ambiguity`, `evidence`, `blocking`, `model`, `training`, `levels`, `relatives`, `drift`,
`scoring`, `guards`, `overrides`, `components`, `ids`, `queue`. A night calls them by way of `increments`, on what
`kept` holds, and `renaming`.
"""

from __future__ import annotations

from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines import keys
from pipelines.resolve.ambiguity import find_torn
from pipelines.resolve.blocking import Blocking, block_profiles
from pipelines.resolve.changes import CannotContinueError, WhyInFull
from pipelines.resolve.comparisons import COMPARISONS
from pipelines.resolve.components import find_clusters
from pipelines.resolve.drift import Fit, count_known, keep_reference, measure_fit, write_fit
from pipelines.resolve.evidence import find_exact_links
from pipelines.resolve.guards import Reliability, choose_candidates, judge_scores
from pipelines.resolve.ids import EVENT_COLUMNS, HISTORY_COLUMNS, MEMBER_COLUMNS, assign_ids
from pipelines.resolve.increments import match_night, renew_clusters
from pipelines.resolve.kept import (
    CHOSEN,
    KEPT,
    Keeper,
    attached,
    cache_file,
    digest_matching,
    digest_model,
    is_complete,
    write_mark,
)
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
    list_common_names,
    list_inputs,
    number_records,
    open_scratch,
)
from pipelines.resolve.renaming import digest_ids, rename_touched
from pipelines.resolve.scoring import create_scored_profiles, score_pairs
from pipelines.resolve.slices import Slices
from pipelines.resolve.state import attached_state, copy_table, show_table
from pipelines.resolve.training import train_model
from pipelines.resolve.writing import write_identity
from pipelines.warehouse import identifier, literal, log_privately

if TYPE_CHECKING:
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
        renewed_count: those that were matched anew; all of them where `in_full_because` says why.
        in_full_because: why it did not continue from what an earlier run kept (`WhyInFull`); None where it did.
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
    in_full_because: str | None
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
        why_in_full = None
        try:
            matched = _continue(connection, settings, warehouse, identity, build, kept, stack)
        except CannotContinueError as error:
            why_in_full = error.why
            matched = _resolve_in_full(connection, settings, warehouse, identity, build, kept)
        is_learned_anew = kept is not None and matched.model is not kept
        write_fit(connection, f"{warehouse}.identity", kept, matched.fits, is_learned_anew=is_learned_anew)
        return _report(connection, build.version, matched, why_in_full)


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
    model: Model | None,
    stack: ExitStack,
) -> Matched:
    """What a night made of the tables that the last run kept.

    On success the kept tables stay attached until `stack` is closed: what follows reads them.

    Raises:
        CannotContinueError: it cannot; nothing is left of it.
    """
    import duckdb

    if model is None:
        raise CannotContinueError(WhyInFull.NO_MODEL)
    if not cache_file(settings).exists():
        raise CannotContinueError(WhyInFull.NOTHING_KEPT)
    with ExitStack() as opened:
        try:
            opened.enter_context(attached(connection, settings, read_only=False))
            matched = _resolve_night(connection, warehouse, identity, build, model)
        except CannotContinueError:
            _drop_prepared(connection)
            raise
        except duckdb.Error as error:  # nothing is lost by it but time
            log_privately(settings, error)
            _drop_prepared(connection)
            is_of_file = isinstance(error, duckdb.IOException | duckdb.InternalException)
            raise CannotContinueError(WhyInFull.DAMAGED if is_of_file else WhyInFull.FAULT) from None
        stack.enter_context(opened.pop_all())
    return matched


def _resolve_night(
    connection: DuckDBPyConnection, warehouse: str, identity: IdentityConfig, build: Build, model: Model
) -> Matched:
    """Judge what a changed record touches, and bring the kept tables, which are attached, up to date."""
    if not is_complete(connection):
        raise CannotContinueError(WhyInFull.DAMAGED)
    digest = digest_matching(connection, model, identity)
    marks = connection.execute(f"select digest, model_digest, ids_digest from {KEPT}.mark").fetchall()
    if [mark[0] for mark in marks] != [digest]:
        raise CannotContinueError(WhyInFull.OTHER_CONDITIONS)
    connection.execute(f"drop table {KEPT}.mark")  # until all of them are renewed
    slices = Slices(connection, f"{SCRATCH}.main")
    night = match_night(slices, warehouse, identity, build, model)
    save_model(connection, model, identity)
    _choose_links(connection, warehouse, identity, model)
    renew_clusters(slices, Reliability.of(model))
    if digest_ids(connection, "published_members", "known_ids") == marks[0][2]:
        rename_touched(slices, build.version, build.as_of)
    else:
        _name(connection, build)
    write_identity(connection, warehouse, model)
    write_mark(connection, digest, marks[0][1], _digest_written(connection, warehouse))
    return Matched(model, night.renewed_count, night.blocking, night.weighed_count, night.fits)


def _resolve_in_full(
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
        matched = _match_in_full(connection, settings, warehouse, identity, build, kept, keeper)
        model = matched.model
        save_model(connection, model, identity)
        _choose_links(connection, warehouse, identity, model)
        find_clusters(connection, Reliability.of(model))
        keeper.keep(*CHOSEN)
        _name(connection, build)
        write_identity(connection, warehouse, model)
        if model.is_learned:
            digest = digest_matching(connection, model, identity)
            keeper.finish(digest, digest_model(connection, model), _digest_written(connection, warehouse))
    finally:
        keeper.close()
    return matched


def _match_in_full(
    connection: DuckDBPyConnection,
    settings: Settings,
    warehouse: str,
    identity: IdentityConfig,
    build: Build,
    kept: Model | None,
    keeper: Keeper,
) -> Matched:
    prepared = _prepare(connection, warehouse, identity, build, kept, keeper)
    fits = measure_fit(connection, kept) if kept else []
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
    return Matched(model, None, prepared.blocking, weighed_count, fits)


def _choose_links(connection: DuckDBPyConnection, warehouse: str, identity: IdentityConfig, model: Model) -> None:
    choose_candidates(connection, identity.match_probability, Reliability.of(model), knows_frequencies=model.is_learned)
    read_decided_pairs(connection, warehouse)


def _name(connection: DuckDBPyConnection, build: Build) -> None:
    connection.execute(
        "create table clusters as select record_key, cluster, is_live, created_at from records join clustered using (n)"
    )
    assign_ids(connection, build.version, build.as_of)


def _digest_written(connection: DuckDBPyConnection, warehouse: str) -> str:
    return digest_ids(connection, f"{warehouse}.identity.members", f"{warehouse}.identity.customer_id_history")


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
    list_common_names(connection)
    describe_names(connection, is_frozen=kept is not None)
    apply_limits(connection, warehouse, identity)
    keeper.keep("numbers", "default_dates", "records", "common_names", "nicknames")
    keeper.keep("first_names", "forms", "carriers", "identifier_values")
    keeper.keep("shared_values", "home_values")
    find_torn(connection)
    keeper.keep("known_identifiers", "torn_at", "torn", "torn_groups")
    describe_records(connection)
    create_profiles(connection)
    find_exact_links(connection)
    keeper.keep("descriptions", "profiles", "groups", "accepted", "refused", "exact_edges", "exact_refusals")
    profile_count = create_scored_profiles(connection)
    count_known(connection, COMPARISONS)
    learned_from = kept.profile_count if kept else profile_count
    blocking = block_profiles(connection, learned_from)
    keeper.keep("scored_profiles", "known_counts", "in_blocks", "blocked", "divided", "block_parts", "oversized")
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


# What a build starts from: tables and views of the scratch catalog.
_MODEL_TABLES = {"model": MODEL_COLUMNS, "frequencies": FREQUENCY_TABLE_COLUMNS}
_STATE_TABLES = {*_MODEL_TABLES, "known_ids", "known_events", "published_members", "former_members"}


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
    show_table(connection, "issued", "members", "former_members", MEMBER_COLUMNS)
    show_table(connection, "published", "members", "published_members", MEMBER_COLUMNS)


def _report(
    connection: DuckDBPyConnection, version: str, matched: Matched, why_in_full: WhyInFull | None
) -> ResolveReport:
    def counts(query: str) -> defaultdict[str, int]:
        return defaultdict(int, {str(k): int(v) for k, v in connection.execute(query).fetchall()})

    links = counts("select method, count(*) from candidates anti join cluster_refusals using (a, b) group by method")
    refused = counts(
        "select reason, count(*) from (select reason from cluster_refusals union all select reason from score_refusals "
        "union all select reason from exact_refusals union all select reason from other_details) "
        "group by reason order by reason"
    )
    events = counts(f"select event, count(*) from id_events where version = {literal(version)} group by event")
    sizes = connection.execute(
        "select coalesce(sum(c), 0), count(*), coalesce(max(c), 0) "
        "from (select count(*) as c from clustered group by cluster)"
    ).fetchone() or (0, 0, 0)
    return ResolveReport(
        record_count=int(sizes[0]),
        renewed_count=int(sizes[0]) if matched.renewed_count is None else matched.renewed_count,
        in_full_because=why_in_full.value if why_in_full else None,
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
