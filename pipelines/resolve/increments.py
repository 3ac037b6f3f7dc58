"""A night: what the last run kept, with everything anew that a changed record touches, and nothing else.

There is one version of every statement. A phase is a function over tables of the scratch catalog; a full run calls it
over all records, a night over a slice: a schema with the rows that it reads, beside which the kept tables stand under
their own names. What the phase creates there replaces the kept rows of the same keys. That gives exactly what a full
run gives because each phase says of a key only what follows from the rows of its slice:

    phase                   of which key        what it touches
    records, carriers       record              records that say something else than they did
    values, who is torn     value               values with another carrier, or one of another name
    silenced values         record              carriers of values that became evidence or ceased to be
    profiles                description         descriptions of these records, as they were and as they are
    groups of exact rules   rule and group      groups with another member, or of another value or people torn otherwise
    exact links             pair                pairs of these groups
    blocks                  block key           blocks with another profile; of those that stay divided, parts with one
    scores, judgements      pair of profiles    pairs of these profiles, or of other blocks or exact links; judgements
                                                also of what their values became
    clusters                component           components with a record, link, weight or decision that is another one

What is cheap or depends on everything is computed in full: defaults among birth dates, what homes share, the spread of
who is torn, the sample that the fit of the model is measured by, and the scored links that are chosen. Of how many
profiles something is known is counted, and the count kept. Add the slice of a new phase to `night_records`,
`night_blocks` or `night_pairs`, its place in the order and in the table here. What a phase says is written in its own
module; which records changed is found in `changes`, which ids are looked at in `renaming`, and how the tables are kept
in `kept`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.resolve.blocking import Blocking, count_blocking
from pipelines.resolve.changes import find_changes
from pipelines.resolve.components import find_clusters
from pipelines.resolve.drift import Fit
from pipelines.resolve.guards import Reliability
from pipelines.resolve.kept import KEPT
from pipelines.resolve.night_blocks import BlockPhases
from pipelines.resolve.night_pairs import PairPhases
from pipelines.resolve.night_records import RecordPhases
from pipelines.resolve.slices import Slices

if TYPE_CHECKING:
    from pipelines.build import Build
    from pipelines.configuration.identity import IdentityConfig
    from pipelines.resolve.model import Model


@dataclass(frozen=True)
class Night:
    """What a night did: records that it matched anew, pairs of all records, pairs that it weighed, fit of the model."""

    renewed_count: int
    blocking: Blocking
    weighed_count: int
    fits: list[Fit]


def match_night(slices: Slices, warehouse: str, identity: IdentityConfig, build: Build, model: Model) -> Night:
    """Bring the kept tables up to date; they and what a full run creates are then found under their own names.

    Args:
        slices: of the scratch catalog, which is current and has `inputs`; the file of the last run is attached.
        warehouse: the catalog of the build.
        identity: thresholds and limits.
        build: its `as_of` says which birth dates are to come.
        model: that of the last run.

    Raises:
        CannotContinueError: a full run is needed; the kept tables are of no use any more.
    """
    records = RecordPhases(slices, warehouse)
    records.show_kept()
    find_changes(slices)
    records.renew_records(build)
    records.renew_values(identity)
    records.silence_values()
    records.find_home_values()
    records.spread_torn()
    records.find_regrouped()
    records.renew_profiles()
    pairs = PairPhases(slices.connection, slices.main)
    pairs.renew_groups()
    pairs.renew_links()
    BlockPhases(slices.connection, slices.main, model.profile_count).renew_blocks()
    pairs.find_open_pairs()
    fits = pairs.renew_scores(model, is_drift_allowed=not identity.learn_anew_on_drift)
    pairs.renew_judgements(model)
    blocking = count_blocking(slices.connection, f"{KEPT}.scores")
    return Night(slices.count("renewed"), blocking, slices.count("new_scores"), fits)


def renew_clusters(slices: Slices, reliability: Reliability) -> None:
    """Renew `clustered` and `cluster_refusals` of components in which a record, link, weight or decision is another.

    Reads `candidates` and the decided pairs of all records, and keeps them.
    """
    chosen = ("scored_candidates", "must_links", "cannot_links")
    for table in chosen:
        slices.run(f"create table moved_{table} as {_moved(table)}")
    slices.run(
        """
        create table disturbed as
        with weighed_otherwise as (
            select a, b from (select a, b from gone_pairs union all from new_scores)
            join kept.clustered as l on l.n = a join kept.clustered as r on r.n = b where l.component = r.component
        )
        select n from renewed union from compared
        union select unnest([a, b]) from (
            from weighed_otherwise union all from moved_edges
            union all from moved_scored_candidates union all from moved_must_links union all from moved_cannot_links);
        create table regrouped_records as
        select n from kept.clustered
        where component in (select component from kept.clustered semi join disturbed using (n))
        union from disturbed
        """
    )
    of_these = "semi join regrouped_records on n = a"
    with slices.slice(
        records="select n, form, first_name, birth_date, email, phones, postal_code, street, house_number "
        "from kept.records semi join regrouped_records using (n)",
        candidates=f"from candidates {of_these}",
        must_links=f"from must_links {of_these}",
        cannot_links=f"from cannot_links {of_these}",
        scores=f"from kept.scores {of_these}",
    ):
        find_clusters(slices.connection, reliability)
        slices.replace("clustered", "n in (from regrouped_records)")
        slices.replace("cluster_refusals", "a in (from regrouped_records)")
    for table in chosen:
        slices.run(
            f"delete from kept.{table} where (a, b) in (select (a, b) from moved_{table}); "
            f"insert into kept.{table} by name from {table} semi join moved_{table} using (a, b)"
        )
    for table in ("clustered", "cluster_refusals"):
        slices.run(f"create view {table} as from kept.{table}")


def _moved(pairs: str) -> str:
    """SQL for the pairs of a table that are there or kept only, or of which something else is said."""
    now_is, was = (f"(select a, b, hash(t) as said from {table} as t)" for table in (pairs, f"kept.{pairs}"))
    return " union all ".join(
        f"select a, b from {one} anti join {other} using (a, b, said)" for one, other in ((now_is, was), (was, now_is))
    )
