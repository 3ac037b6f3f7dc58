"""What a night renews of records, values and profiles.

Add here the slice of a phase that says something of records or of what they carry. The order of all phases, and why
their slices are enough, is in `increments`; pairs are renewed in `night_pairs`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.resolve.ambiguity import find_torn_at, spread_torn
from pipelines.resolve.changes import CannotContinueError, WhyInFull
from pipelines.resolve.comparisons import COMPARISONS
from pipelines.resolve.drift import count_known
from pipelines.resolve.homes import find_home_values
from pipelines.resolve.kept import KEPT, NARROWED, TABLES, complete
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
from pipelines.resolve.scoring import create_scored_profiles
from pipelines.resolve.slices import Slices
from pipelines.warehouse import identifier

if TYPE_CHECKING:
    from pipelines.build import Build
    from pipelines.configuration.identity import IdentityConfig


class RecordPhases(Slices):
    """The phases in their order; each leaves in the scratch catalog what it touched, for those after it."""

    def __init__(self, slices: Slices, warehouse: str) -> None:
        super().__init__(slices.connection, slices.main)
        self._warehouse = warehouse

    def show_kept(self) -> None:
        for table in TABLES:
            rows = f"from {KEPT}.{table}"
            self.run(f"create view {table} as {complete(rows) if table == 'scored_profiles' else rows}")

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
                raise CannotContinueError(WhyInFull.OTHER_DEFAULT_DATES)

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

        Creates `judged_carriers`, the carriers of `new_verdicts`; `renewed`, the numbers of these records and of gone
        ones; `moved_descriptions`, what is said by other records than before; and `gone_profiles`, the profiles of
        those who said it.
        """
        self.run(
            """
            create table judged_carriers as
            select n, is_other_problem from kept.carriers join new_verdicts using (value_key);
            create table renewed as
            select n from changes union select n from judged_carriers where is_other_problem
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
                raise CannotContinueError(WhyInFull.OTHER_HOMES)  # whether any are shared is asked of every pair
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
            from renewed union select n from moved_members union from merge_targets union select n from judged_carriers;
            create table near_records as
            with near as (
                from grouped
                union
                select n from kept.records
                where merged_into in (select record_key from kept.numbers semi join grouped using (n))
            )
            from kept.records semi join near using (n);
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
                create table were_compared as from kept.scored_profiles semi join gone_profiles using (n);
                create table {self.main}.compared_before as
                from were_compared anti join scored_profiles using (n, content);
                create table {self.main}.compared_now as
                select {NARROWED["scored_profiles"]} from scored_profiles anti join were_compared using (n, content);
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
