"""What a night renews of groups and pairs, once records and profiles are what they are now.

Add here the slice of a phase that says something of two records. The order of all phases, and why their slices are
enough, is in `increments`; records are renewed in `night_records`, blocks in `night_blocks`, clusters in `increments`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.resolve.changes import CannotContinueError, WhyInFull
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

    def find_open_pairs(self) -> None:
        """Take the weights of `gone_pairs` out of `scores`; create `open_pairs`, which have none yet.

        Gone are pairs that are not blocked any more or linked by a rule, and those of compared profiles.
        """
        self.run(
            """
            create table touched_pairs as
            select a, b, times > 0 as is_blocked from counted_pairs
            union
            select a, b, times is not null from moved_edges left join kept.blocked using (a, b)
            union
            select a, b, true from kept.blocked where a in (from compared) or b in (from compared);
            create table wanted_pairs as
            select a, b from touched_pairs anti join kept.exact_edges using (a, b) where is_blocked;
            create table gone_pairs as
            select rowid as place, a, b from kept.scores
            where a in (from compared) or b in (from compared)
               or (a, b) in (select (a, b) from touched_pairs anti join wanted_pairs using (a, b));
            delete from kept.scores where rowid in (select place from gone_pairs);
            create table open_pairs as from wanted_pairs anti join kept.scores using (a, b);
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
                raise CannotContinueError(WhyInFull.DRIFTED)
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
            union select n from judged_carriers
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
