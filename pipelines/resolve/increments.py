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
    blocks                  block key           blocks with another profile, or divided ones of another content
    scores, judgements      pair of profiles    pairs of these profiles; judgements also of what their values became
    clusters                component           components with a record, link, weight or decision that is another one

What is cheap or depends on everything is computed in full: defaults among birth dates, what homes share, the spread of
who is torn, the strongest rule of a pair, the pairs that are left to weigh, the links that are chosen, and ids. Add the
slice of a new phase here. What a phase says is written in its own module; which records changed is found in `changes`,
and how the tables are kept is said in `kept`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.resolve.ambiguity import find_torn_at, spread_torn
from pipelines.resolve.blocking import (
    DIVIDED_BY,
    Blocking,
    count_blocking,
    count_shared_blocks,
    key_profiles,
    largest_of_block,
    part_of_block,
)
from pipelines.resolve.changes import CannotContinueError, find_changes
from pipelines.resolve.comparisons import COMPARISONS, DERIVED
from pipelines.resolve.components import find_clusters
from pipelines.resolve.drift import Fit, compare_fit, count_known, observe_agreement, observe_known, sample_pairs
from pipelines.resolve.evidence import NO_EVIDENCE, choose_links, group_records, judge_groups, list_rules
from pipelines.resolve.guards import LEAST_PROBABILITY, Reliability, judge_scores
from pipelines.resolve.homes import find_home_values
from pipelines.resolve.kept import KEPT, NARROWED, NOT_KEPT, TABLES
from pipelines.resolve.limits import judge_values, list_carriers, remove_problems
from pipelines.resolve.records import (
    PERSON_COLUMNS,
    VALUE_COLUMNS,
    create_profiles,
    describe_names,
    describe_records,
    find_default_dates,
    fold_records,
    restore_values,
)
from pipelines.resolve.scoring import create_scored_profiles, create_scores, weigh_pairs
from pipelines.resolve.slices import Slices
from pipelines.warehouse import identifier

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
    night = _Matching(slices, warehouse)
    night.show_kept()
    find_changes(slices)
    night.renew_records(build)
    night.renew_values(identity)
    night.silence_values()
    night.find_home_values()
    night.spread_torn()
    night.find_regrouped()
    night.renew_profiles()
    night.renew_groups()
    night.renew_links()
    night.renew_blocks(model.profile_count)
    night.find_open_pairs()
    fits = night.renew_scores(model, is_drift_allowed=not identity.learn_anew_on_drift)
    night.renew_judgements(model)
    blocking = count_blocking(slices.connection, f"{KEPT}.scores")
    return Night(night.count("renewed"), blocking, night.count("new_scores"), fits)


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
            select a, b from (from gone_pairs union all from new_scores)
            join kept.clustered as l on l.n = a join kept.clustered as r on r.n = b where l.component = r.component
        )
        select n from changes union from compared
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
        records="select n, form, first_name, birth_date from kept.records semi join regrouped_records using (n)",
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


def _complete(profiles: str) -> str:
    """SQL for these rows of the kept `scored_profiles`, a `from` clause, with what is not kept because it follows."""
    return f"select *, {', '.join(f'{DERIVED[name]} as {name}' for name in NOT_KEPT)} from ({profiles})"


class _Matching(Slices):
    """The phases in their order; each leaves in the scratch catalog what it touched, for those after it."""

    def __init__(self, slices: Slices, warehouse: str) -> None:
        super().__init__(slices.connection, slices.main)
        self._warehouse = warehouse

    def show_kept(self) -> None:
        for table in TABLES:
            rows = f"from {KEPT}.{table}"
            self.run(f"create view {table} as {_complete(rows) if table == 'scored_profiles' else rows}")

    def renew_records(self, build: Build) -> None:
        """Renew `records` and `carriers` of changed records, as they say it; create `moved_values` and `were`.

        - `were`: the form of a changed record as it was.
        - `moved_values`: values that have another carrier, or one of another form.
        - `merge_targets`: numbers of the records that they were merged into, before or now.
        """
        with self.slice(
            numbers="from kept.numbers semi join changes using (n)",
            default_dates="from kept.default_dates",
            persons=f"select {', '.join(PERSON_COLUMNS)} from {self._warehouse}.clean.persons "
            "semi join (from changes where is_there) using (record_key)",
        ):
            fold_records(self.connection, self._warehouse, build.as_of, persons="persons")
            describe_names(self.connection, is_frozen=True)
            list_carriers(self.connection, self._warehouse)
            self.run(
                f"""
                create table {self.main}.were as select n, form from kept.records semi join changes using (n);
                create table {self.main}.moved_values as
                with was as (select value_key, n, form from kept.carriers join {self.main}.were using (n)),
                now_is as (select value_key, n, form from carriers join (select n, form from records) using (n))
                select distinct value_key from (
                    (from was except all from now_is) union all (from now_is except all from was));
                create table {self.main}.merge_targets as
                with targets as (
                    select merged_into from kept.records semi join changes using (n) where merged_into is not null
                    union select merged_into from records where merged_into is not null
                )
                select n from kept.numbers join targets on record_key = merged_into;
                create table {self.main}.said_records as select {NARROWED["records"]} from records
                """
            )
            self.replace("carriers", "n in (select n from changes)")
            self.replace("records", "n in (select n from changes)", NARROWED["records"])
            self._add_names()
            find_default_dates(self.connection, f"{KEPT}.records", "default_dates_now")
            if self.count("(from default_dates_now anti join default_dates using (birth_date))") + self.count(
                "(from default_dates anti join default_dates_now using (birth_date))"
            ):
                raise CannotContinueError

    def _add_names(self) -> None:
        self.add("forms", "form")
        self.add("first_names", "first_name")

    def renew_values(self, identity: IdentityConfig) -> None:
        """Renew what is said of moved values; create `new_verdicts` of those that are another evidence than before."""
        with self.slice(
            carriers="from kept.carriers semi join moved_values using (value_key)",
            records=f"select n, form from kept.records semi join {self.part}.carriers using (n)",
            forms=f"from kept.forms semi join {self.part}.records using (form)",
        ):
            judge_values(self.connection, identity)
            find_torn_at(self.connection)
            self.run(
                f"""
                create table {self.main}.new_verdicts as
                with was as (
                    select value_key, problem, is_personal, 1 as is_shared
                    from kept.identifier_values semi join moved_values using (value_key)
                ),
                now_is as (select value_key, problem, is_personal, 1 as is_shared from identifier_values)
                select value_key, was.problem is distinct from now_is.problem as is_other_problem
                from was full join now_is using (value_key)
                where was.problem is distinct from now_is.problem
                   or was.is_personal is distinct from now_is.is_personal
                   or was.is_shared is distinct from now_is.is_shared
                """
            )
            for table in ("identifier_values", "shared_values", "torn_at"):
                self.replace(table, "value_key in (from moved_values)")

    def silence_values(self) -> None:
        """Take problems out of `records` that changed or carry a value that is one or is none any more.

        Creates `renewed`, the numbers of these and of gone records, and `moved_descriptions`, what is said by other
        records than before; and `gone_profiles`, the profiles of those who said it.
        """
        self.run(
            """
            create table renewed as
            select n from changes
            union
            select n from kept.carriers semi join (from new_verdicts where is_other_problem) using (value_key)
            """
        )
        with self.slice(
            records="from said_records union all by name "
            "from kept.records semi join (from renewed anti join changes using (n)) using (n)",
            carriers="from kept.carriers semi join renewed using (n)",
            identifier_values=f"from kept.identifier_values semi join {self.part}.carriers using (value_key)",
            persons=f"select {', '.join(VALUE_COLUMNS)} from {self._warehouse}.clean.persons semi join "
            f"(from {self.part}.records anti join changes using (n)) using (record_key)",
        ):
            restore_values(self.connection, persons="persons")
            remove_problems(self.connection)
            describe_records(self.connection)
            self.run(
                f"""
                create table {self.main}.moved_descriptions as
                with was as (select n, description from kept.descriptions semi join renewed using (n))
                select distinct description from (
                    (from was except from descriptions) union all (from descriptions except from was));
                create table {self.main}.gone_profiles as
                select min(n) as n from kept.descriptions semi join moved_descriptions using (description)
                group by description
                """
            )
            for table in ("records", "known_identifiers", "descriptions"):
                self.replace(table, "n in (from renewed)")

    def find_home_values(self) -> None:
        """Renew `home_values`; create `new_homes` of those that became or ceased to be one."""
        with self.slice():
            find_home_values(self.connection)
            self.run(
                f"""
                create table {self.main}.new_homes as select value_key from (
                    (from kept.home_values except from {self.part}.home_values)
                    union all (from {self.part}.home_values except from kept.home_values))
                """
            )
            shared = "(from {} where kind = 'address')"
            if (self.count(shared.format("kept.home_values")) > 0) != (self.count(shared.format("home_values")) > 0):
                raise CannotContinueError  # whether homes are shared at all is asked of every pair
            if self.count("new_homes"):
                self.replace("home_values", "true")

    def spread_torn(self) -> None:
        """Renew `torn` and `torn_groups`; create `newly_torn` (`n`) and `newly_torn_groups` (`group_key`)."""
        with self.slice():
            spread_torn(self.connection)
            for name, key, table in (("newly_torn", "n", "torn"), ("newly_torn_groups", "group_key", "torn_groups")):
                self.run(
                    f"""
                    create table {self.main}.{name} as select distinct {key} from (
                        (from kept.{table} except from {self.part}.{table})
                        union all (from {self.part}.{table} except from kept.{table}))
                    """
                )
                if self.count(name):
                    self.replace(table, "true")

    def find_regrouped(self) -> None:
        """Create `grouped`, the records whose groups or profile are others, and `near_records` and `near_forms`.

        Those are of them, and of the records that were merged into them.
        """
        self.run(
            """
            create table moved_members as
            from kept.descriptions semi join moved_descriptions using (description);
            create table grouped as
            from renewed union select n from moved_members union from merge_targets
            union select n from kept.carriers semi join new_verdicts using (value_key);
            create table near_records as
            from kept.records where n in (from grouped)
                or merged_into in (select record_key from kept.numbers semi join grouped using (n));
            create table near_forms as from kept.forms semi join near_records using (form)
            """
        )

    def renew_profiles(self) -> None:
        """Renew `profiles` and `scored_profiles` of moved descriptions.

        Creates `compared_before` and `compared_now`, profiles that are compared by something else, or are gone or new.
        """
        with self.slice(descriptions="from moved_members", records="from near_records", forms="from near_forms"):
            create_profiles(self.connection)
            create_scored_profiles(self.connection)
            self.run(
                f"""
                create table {self.main}.compared_before as
                from kept.scored_profiles semi join gone_profiles using (n)
                anti join {self.part}.scored_profiles using (n, content);
                create table {self.main}.compared_now as
                select {NARROWED["scored_profiles"]} from {self.part}.scored_profiles
                anti join kept.scored_profiles using (n, content);
                create table {self.main}.compared as
                select n from compared_before union select n from compared_now
                """
            )
            self.replace("profiles", "n in (from gone_profiles)", NARROWED["profiles"])
            self.replace("scored_profiles", "n in (from gone_profiles)", NARROWED["scored_profiles"])
        self._renew_known_counts()

    def _renew_known_counts(self) -> None:
        for moment, sign in (("before", "-"), ("now", "+")):
            with self.slice(scored_profiles=f"from compared_{moment}"):
                count_known(self.connection, COMPARISONS)
                names = [name for (name, *_) in self.connection.execute("describe known_counts").fetchall()]
                moved = ", ".join(f"{name} = known.{name} {sign} moved.{name}" for name in map(identifier, names))
                self.run(f"update kept.known_counts as known set {moved} from {self.part}.known_counts as moved")

    def renew_groups(self) -> None:
        """Renew the `groups` of records that changed, and what is `accepted` and `refused` in groups that did."""
        profile = """(select min(n) as n from kept.descriptions
            semi join (from kept.descriptions semi join grouped using (n)) as touched using (description)
            group by description)"""
        list_rules(self.connection)
        with self.slice(
            records="from near_records",
            carriers=f"select kind, value_key, n from kept.carriers semi join {self.part}.records using (n)",
            profiles=f"from kept.profiles semi join {profile} using (n)",
        ):
            group_records(self.connection)
            self.run(f"delete from {self.part}.groups where n not in (from grouped)")
            self.run(
                f"""
                create table {self.main}.moved_groups as
                with was as (
                    select rank, group_key, n, coalesce(were.form, records.form) as form
                    from kept.groups semi join grouped using (n)
                    left join were using (n) left join records using (n)
                ),
                now_is as (select rank, group_key, n, form from groups join records using (n)),
                judged_otherwise as (
                    from newly_torn_groups
                    union all from new_homes
                    union all select value_key from new_verdicts
                    union all select hash(value_key) from new_verdicts  -- of a role mailbox
                )
                select rank, group_key from (
                    (from was except all from now_is) union all (from now_is except all from was))
                union
                select rank, group_key from judged_otherwise cross join rules where kind is not null
                union
                select {NO_EVIDENCE}, value_key from moved_values
                where value_key in (select value_key from new_verdicts union all
                    select value_key from kept.identifier_values where problem is not null)
                """
            )
            self.replace("groups", "n in (from grouped)")
        with self.slice(
            groups="from kept.groups semi join moved_groups using (rank, group_key)",
            records=f"select n, form from kept.records semi join {self.part}.groups using (n)",
            forms=f"from kept.forms semi join {self.part}.records using (form)",
            identifier_values="from kept.identifier_values where value_key in (select group_key from moved_groups) "
            "or hash(value_key) in (select group_key from moved_groups)",
            carriers="from kept.carriers where value_key in "
            f"(select group_key from moved_groups where rank = {NO_EVIDENCE})",
        ):
            judge_groups(self.connection)
            both = "union ".join(
                f"select a, b from kept.{table} semi join moved_groups using (rank, group_key) "
                f"union select a, b from {self.part}.{table} "
                for table in ("accepted", "refused")
            )
            self.run(f"create table {self.main}.judged_links as {both}")
            for table in ("accepted", "refused"):
                self.replace(table, "(rank, group_key) in (from moved_groups)")

    def renew_links(self) -> None:
        """Renew `exact_edges` and `exact_refusals` of pairs about which a group says something else.

        Creates `moved_edges`, the pairs that became linked, or ceased to be, or are by another rule.
        """
        with self.slice(
            accepted="from kept.accepted semi join judged_links using (a, b)",
            refused="from kept.refused semi join judged_links using (a, b)",
        ):
            choose_links(self.connection)
            self.run(
                f"""
                create table {self.main}.moved_edges as
                with was as (select a, b, rank from kept.exact_edges semi join judged_links using (a, b)),
                now_is as (select a, b, rank from exact_edges)
                select distinct a, b from ((from was except from now_is) union all (from now_is except from was))
                """
            )
            for table in ("exact_edges", "exact_refusals"):
                self.replace(table, "(a, b) in (from judged_links)")

    def renew_blocks(self, learned_from: int) -> None:
        """Renew what pairs have in common by blocks that a profile came to or left, or in which parts are others."""
        with self.slice():
            # Before and now at once: as profiles with an even and an odd number.
            profiles = _complete("select * replace (2 * n::bigint as n) from compared_before union all by name "
                                 "select * replace (2 * n::bigint + 1 as n) from compared_now")
            self.run(f"create view {self.part}.scored_profiles as {profiles}")
            key_profiles(self.connection, learned_from)
            self.run(
                f"""
                create table {self.main}.left_blocks as
                select block, (n // 2)::integer as n, key from in_blocks where n % 2 = 0;
                create table {self.main}.came_to_blocks as
                select block, (n // 2)::integer as n, key from in_blocks where n % 2 = 1
                """
            )
        self.run(
            """
            create table stayed as from left_blocks semi join came_to_blocks using (n, key);
            create table moved_blocks as
            select key from left_blocks anti join stayed using (n, key)
            union
            select key from came_to_blocks anti join stayed using (n, key)
            union  -- how it is divided depends on all that is known of those in it
            select key from stayed semi join kept.divided using (key);
            create table in_moved_blocks as
            with were_in as materialized (from kept.in_blocks semi join moved_blocks using (key))
            select *, false as is_now from were_in
            union all
            select *, true from were_in anti join compared using (n)
            union all
            select *, true from came_to_blocks semi join moved_blocks using (key);
            delete from kept.in_blocks where n in (from compared);
            insert into kept.in_blocks from came_to_blocks
            """
        )
        self._count_moved_blocks(learned_from)
        self.run(
            """
            create table counted_pairs as
            select a, b, coalesce(was.times, 0) + moved_pairs.times as times
            from moved_pairs left join kept.blocked as was using (a, b);
            delete from kept.blocked where (a, b) in (select (a, b) from moved_pairs);
            insert into kept.blocked select a, b, times from counted_pairs where times > 0
            """
        )

    def _count_moved_blocks(self, learned_from: int) -> None:
        """Create `moved_pairs`: how many more or fewer of the moved blocks they share than before; renew their parts.

        Of a block that was and is too large only the parts with a compared profile are looked at, as blocks of their
        own. Blocks as they are now and as they were are divided at once, as other blocks of other profiles.
        """
        large = f"> {largest_of_block(learned_from)}"
        self.run(
            f"""
            create table sized_blocks as
            select key, count(*) filter (is_now) {large} as is_large, count(*) filter (not is_now) {large} as was_large
            from in_moved_blocks group by block, key;
            create table crowded as
            select distinct n from in_moved_blocks semi join (from sized_blocks where is_large or was_large) using (key);
            create table crowd as
            select n, {", ".join(DIVIDED_BY)} from kept.scored_profiles semi join crowded using (n);
            create table crowd_before as
            select n, {", ".join(DIVIDED_BY)} from compared_before semi join crowded using (n)
            union all
            from crowd anti join compared using (n)
            """
        )
        self._find_moved_parts(learned_from)
        with self.slice(
            in_blocks="select block, place + is_now::integer as n, case when is_now then key else hash(key) end as key "
            "from in_moved_parts join places using (n)",
            scored_profiles="select * exclude (place) replace (place + 1 as n) from crowd join places using (n) "
            "union all select * exclude (place) replace (place as n) from crowd_before join places using (n)",
        ):
            count_shared_blocks(self.connection, learned_from)
            self.run(
                f"""
                create table {self.main}.moved_pairs as
                with counted as (
                    select a // 2 * 2 as place_a, b // 2 * 2 as place_b,
                        sum(case when a % 2 = 1 then times::integer else -times::integer end) as difference
                    from blocked group by all
                )
                select l.n as a, r.n as b, difference as times from (from counted where difference <> 0)
                join places as l on l.place = place_a join places as r on r.place = place_b;
                delete from kept.oversized where (key, n) in (select (whole, n) from in_moved_parts where not is_now);
                insert into kept.oversized
                select distinct whole, places.n
                from oversized join places on place + 1 = oversized.n
                join in_moved_parts as parts on parts.key = oversized.key and parts.n = places.n and is_now
                """
            )
        self.run(
            """
            delete from kept.divided where key in (select key from sized_blocks where was_large and not is_large);
            insert into kept.divided select key from sized_blocks where is_large and not was_large
            """
        )

    def _find_moved_parts(self, learned_from: int) -> None:
        """Create `in_moved_parts`, in the form of `in_moved_blocks`, and `places`, by even numbers, for those in them."""
        part = part_of_block(learned_from)
        self.run(
            f"""
            create table in_large_blocks as
            from in_moved_blocks semi join (from sized_blocks where is_large and was_large) using (key);
            create table in_parts as
            select block, n, {part} as key, key as whole, is_now
            from in_large_blocks join crowd using (n) where is_now
            union all
            select block, n, {part}, key, is_now
            from in_large_blocks join crowd_before using (n) where not is_now;
            create table in_moved_parts as
            from in_parts semi join (from in_parts semi join compared using (n)) as moved using (key)
            union all
            select block, n, key, key, is_now
            from in_moved_blocks anti join in_large_blocks using (key);
            create table places as
            select n, (2 * row_number() over (order by n))::integer as place from (select distinct n from in_moved_parts)
            """
        )

    def find_open_pairs(self) -> None:
        """Take weights of gone pairs and of other profiles out of `scores`.

        Creates `gone_pairs`, which are not blocked any more, or linked by a rule, and `open_pairs`, which have no weight.
        """
        self.run(
            """
            delete from kept.scores where a in (from compared) or b in (from compared);
            create table touched_pairs as
            select a, b from counted_pairs union from moved_edges
            union select a, b from kept.blocked where a in (from compared) or b in (from compared);
            create table blocked_now as
            select a, b from kept.blocked semi join touched_pairs using (a, b) anti join kept.exact_edges using (a, b);
            create table gone_pairs as
            select a, b from kept.scores semi join touched_pairs using (a, b) anti join blocked_now using (a, b);
            delete from kept.scores where (a, b) in (from gone_pairs);
            create table open_pairs as from blocked_now anti join kept.scores using (a, b);
            create view blocked_pairs as
            select a as join_key_l, b as join_key_r from kept.scores union all from open_pairs
            """
        )

    def renew_scores(self, model: Model, *, is_drift_allowed: bool) -> list[Fit]:
        """Weigh `open_pairs`, the new ones of `scores`, if the model fits what there is now."""
        sample_pairs(self.connection)
        ends = "(select unnest([a, b]) as n from (from open_pairs union all from sampled_pairs))"
        with self.slice(
            blocked_pairs="select a as join_key_l, b as join_key_r from open_pairs",
            scored_profiles=_complete(f"from kept.scored_profiles semi join {ends} using (n)"),
        ):
            fits = compare_fit(
                self.connection, model, observe_known(self.connection), observe_agreement(self.connection, model)
            )
            if any(fit.is_drifted for fit in fits) and not is_drift_allowed:
                raise CannotContinueError
            create_scores(self.connection)
            weigh_pairs(self.connection, model)
            self.run(f"create table {self.main}.new_scores as select a, b from scores")
            self.replace("scores", "false")
        self.run("drop view blocked_pairs")
        return fits

    def renew_judgements(self, model: Model) -> None:
        """Judge the pairs that have a new weight, or of which a record or what its values say is not as it was."""
        self.run(
            """
            create table judged_anew as
            from renewed union from newly_torn
            union select n from kept.carriers semi join new_verdicts using (value_key)
            union select n from kept.carriers semi join new_homes using (value_key);
            delete from kept.judged_scores
            where a in (from judged_anew) or b in (from judged_anew) or a in (from compared) or b in (from compared)
               or (a, b) in (select (a, b) from gone_pairs) or (a, b) in (select (a, b) from new_scores)
            """
        )
        ends = f"(select a as n from {self.part}.scores union select b from {self.part}.scores)"
        with self.slice(
            scores=f"from kept.scores where match_probability >= {LEAST_PROBABILITY} and (a in (from judged_anew) "
            "or b in (from judged_anew) or (a, b) in (select (a, b) from new_scores))",
            records="select n, form, birth_date, email, phones, street, house_number, postal_code, city "
            f"from kept.records semi join {ends} using (n)",
            forms=f"from kept.forms semi join {self.part}.records using (form)",
            scored_profiles=f"select n, email_user from kept.scored_profiles semi join {ends} using (n)",
            carriers=f"select n, value_key from kept.carriers semi join {ends} using (n)",
            torn=f"from kept.torn semi join {ends} using (n)",
            known_identifiers=f"from kept.known_identifiers semi join {ends} using (n)",
        ):
            judge_scores(self.connection, Reliability.of(model), knows_frequencies=model.is_learned)
            self.replace("judged_scores", "false")
