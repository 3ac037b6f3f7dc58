"""What a night renews of groups, blocks and pairs, once records and profiles are what they are now.

Add here the slice of a phase that says something of two records. The order of all phases, and why their slices are
enough, is in `increments`; records are renewed in `night_records`, clusters in `increments`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.resolve.blocking import (
    DIVIDED_BY,
    count_shared_blocks,
    key_profiles,
    largest_of_block,
    part_of_block,
)
from pipelines.resolve.changes import CannotContinueError
from pipelines.resolve.drift import Fit, compare_fit, observe_agreement, observe_known, sample_pairs
from pipelines.resolve.evidence import NO_EVIDENCE, choose_links, group_records, judge_groups, list_rules
from pipelines.resolve.guards import LEAST_PROBABILITY, Reliability, judge_scores
from pipelines.resolve.kept import complete
from pipelines.resolve.scoring import create_scores, weigh_pairs
from pipelines.resolve.slices import Slices

if TYPE_CHECKING:
    from pipelines.resolve.model import Model


class PairPhases(Slices):
    """The phases in their order; each leaves in the scratch catalog what it touched, for those after it."""

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
            profiles = complete(
                "select * replace (2 * n::bigint as n) from compared_before union all by name "
                "select * replace (2 * n::bigint + 1 as n) from compared_now"
            )
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
            select distinct n from in_moved_blocks
            where key in (select key from sized_blocks where is_large or was_large);
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
        """Create `in_moved_parts`, moved blocks, or such parts instead, and `places`, even numbers of profiles."""
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
            select n, (2 * row_number() over (order by n))::integer as place
            from (select distinct n from in_moved_parts)
            """
        )

    def find_open_pairs(self) -> None:
        """Take the weights of gone pairs and of compared profiles out of `scores`.

        Creates `gone_pairs`, which are not blocked any more or linked by a rule, and `open_pairs`, without a weight.
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
            scored_profiles=complete(f"from kept.scored_profiles semi join {ends} using (n)"),
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
