"""What forbids a link: hard conflicts between two records, and between the records of two clusters.

Add here a reason why two records cannot be one person whatever else they share. Which edges are cut because of it is
decided in `clustering`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.resolve.homes import SHORTEST_NAME

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.resolve.model import Model

# From this probability on a pair that is not linked may be one all the same; people are asked.
GREY_PROBABILITY = 0.5
# From this one on a pair is judged: below, nothing makes it a link.
LEAST_PROBABILITY = 0.1

# That two records have no other link and no rival within so many bits is worth as many bits as lie between a
# probability of .5 and one of .9. Of such pairs 33 of 34 were one person in the sample of 30,000 customers, and all 19
# in FEBRL 4; of those with a rival or a link, half were (strong links: Saeedi, Peukert and Rahm 2018).
RIVAL_MARGIN = 6.0
ONLY_FIT_WEIGHT = math.log2(0.9 / 0.1)
ONLY_FIT_RANK = 99  # stronger than what needs the agreement of a cluster: there is nobody else to agree
# Where hardly anybody is without a link, as in two lists of the same people, who is left is more likely somebody's
# double than a person of one record: as many bits again. With 1 % of FEBRL 4 without its number taken out of one list
# or both, 44 to 61 such pairs were right and none was wrong.
FEW_LEFT = 0.03  # of the profiles

# In a component of more spellings than this, a crowd, only spellings that are linked directly count as compatible.
CROWD_FORMS = 300


@dataclass(frozen=True)
class Reliability:
    """Whether a clear difference in names or birth dates is a conflict, or just weighs against a match."""

    first_names: bool = True
    birth_dates: bool = True
    last_names: bool = True

    @classmethod
    def of(cls, model: Model) -> Reliability:
        return cls(*(model.is_reliable(field) for field in ("first_name", "birth_date", "last_name")))

    def conflict(self) -> str:
        """SQL for the reason why the forms `fl` and `fr` cannot be one person, NULL when they can.

        Where one of them is unreliable, a difference in it is one unless the other is known to agree; where both are,
        nothing is. Two first names that both exist are no error of one: those of twins are a conflict all the same, and
        so are the birth dates of a father and a son of one name.
        """
        if not self.first_names and not self.birth_dates:
            return f"case when {_IS_OTHER_GENERATION} then 'different_generations' end"
        is_error = f"and ({_IS_OTHER_DATE} is distinct from false or are_both_established(fl.usage, fr.usage))"
        first = "" if self.first_names else is_error
        birth = "" if self.birth_dates else f"and ({_IS_OTHER_NAME} is distinct from false or {_IS_GENERATION_APART})"
        return f"""
            case when {_IS_OTHER_GENERATION} then 'different_generations'
                 when {_IS_OTHER_NAME} {first} then 'different_first_names'
                 when {_IS_OTHER_DATE} {birth} then 'different_birth_dates' end
        """

    def waiver(self) -> str:
        """SQL that is true where a personal number in common outweighs names and dates, both known to be unreliable."""
        is_weighed = not self.first_names and not self.birth_dates
        return "list_has_any(il.identifier_values, ir.identifier_values)" if is_weighed else "false"


_IS_OTHER_NAME = (
    "(not first_names_of_agree(fl.first_name, fl.usage, fl.last_name, fr.first_name, fr.usage, fr.last_name) "
    "and not are_swapped(fl.first_name, fl.last_name, fr.first_name, fr.last_name) "
    "and not are_half_swapped(fl.first_name, fl.last_name, fr.first_name, fr.last_name))"
)
_IS_OTHER_GENERATION = "fl.generation <> fr.generation"
_IS_GENERATION_APART = "are_generation_apart(fl.birth_date, fr.birth_date)"
_IS_OTHER_DATE = "(not birth_dates_agree(fl.birth_date, fr.birth_date))"


def judge_scores(connection: DuckDBPyConnection, reliability: Reliability, *, knows_frequencies: bool) -> None:
    """Create `judged_scores`: the pairs of `scores` that may be one person, and the conflict between them, if any.

    Without `knows_frequencies` a name in common is no evidence by itself, however rare. What is said of a pair depends
    on its two records, and on who else carries what they carry.
    """
    connection.execute(_OF_SEVERAL)
    connection.execute(_TORN_ON)
    conditions = _JUDGED_SCORES.format(
        least=LEAST_PROBABILITY,
        conflict=reliability.conflict(),
        waiver=reliability.waiver(),
        are_neighbors=_ARE_NEIGHBORS if reliability.first_names and reliability.birth_dates else "false",
        corroborated="true" if knows_frequencies else _IS_CORROBORATED,
        verdicts="{verdicts}",
    )
    for name, verdict in _VERDICTS.items():
        conditions = conditions.replace(verdict, f"v.{name}")
    connection.execute(conditions.format(verdicts=", ".join(f"{sql} as {name}" for name, sql in _VERDICTS.items())))
    connection.execute("drop table of_several; drop table torn_records")


def choose_candidates(
    connection: DuckDBPyConnection, match_probability: float, reliability: Reliability, *, knows_frequencies: bool
) -> None:
    """Create `candidates` and `score_refusals`: the edges that no conflict between their two records forbids.

    Home and name in common link nobody who has a mailbox and phone of their own: such edges are `other_details`.
    And `grey_pairs`, that nothing forbids either, but which are not probable enough.

    With `knows_frequencies` those of the grey pairs are candidates in which each record is the only one that fits the
    other. `candidates` has one row per pair (a < b): exact edges before scored ones in `rank`, then by weight. It is a
    view of `exact_edges`, without `other_details`, and `scored_candidates`.
    """
    connection.execute(_OTHER_DETAILS)
    connection.execute(
        """
        create table scored_candidates as
        select a, b, 'splink' as rule, 100 as rank, match_weight, match_probability
        from judged_scores where reason is null and match_probability >= $1
        """,
        [match_probability],
    )
    connection.execute(_CANDIDATES)
    if knows_frequencies:
        link_only_fits(connection, match_probability, reliability)
    connection.execute(
        """
        create table score_refusals as
        select a, b, 'splink' as rule, match_weight, reason from judged_scores anti join candidates using (a, b)
        where reason is not null and match_probability >= $1
        """,
        [match_probability],
    )
    connection.execute(
        """
        create table grey_pairs as
        select a, b, match_weight, match_probability from judged_scores anti join candidates using (a, b)
        where reason is null and match_probability >= $1
        """,
        [GREY_PROBABILITY],
    )


def link_only_fits(connection: DuckDBPyConnection, match_probability: float, reliability: Reliability) -> None:
    """Add to `candidates` the pairs of `judged_scores` whose records have no other link and no rival in `scores`.

    They need `ONLY_FIT_WEIGHT` bits less than what makes a probability of `match_probability`, and as many less again
    where no more than `FEW_LEFT` of `scored_profiles` have no link. A rival is any record
    that one of the two was weighed against and that comes within `RIVAL_MARGIN` bits, also one that is refused: who is
    nearly the same as two others is more likely one of a household. Other last names refuse them only where last names
    are reliable: whoever is a colleague or shares a flat has others beside them.
    """
    connection.execute(_LINKED)
    row = connection.execute(_SHARE_LEFT).fetchone()
    times = 2 if row and row[0] <= FEW_LEFT else 1
    least_weight = math.log2(match_probability / (1 - match_probability)) - times * ONLY_FIT_WEIGHT
    query = _ONLY_FITS.format(
        rank=ONLY_FIT_RANK,
        margin=RIVAL_MARGIN,
        least_weight=round(least_weight, 4),
        admitted="" if reliability.last_names else "or reason = 'different_last_names'",
    )
    connection.execute(query)


def find_component_conflicts(connection: DuckDBPyConnection, reliability: Reliability) -> None:
    """Create `conflicts` and `crowds` for the connected components in `components`, from the forms that tell something.

    - `conflicts`: one row per component and pair of its forms that cannot be one person, with the reason.
    - `crowds`: the components with too many forms to compare all with all.
    """
    connection.execute(_CONFLICTS.format(crowd=CROWD_FORMS, conflict=reliability.conflict()))


# Where nobody knows how rare a name is, it is no proof by itself: something besides must agree, and in one street two
# house numbers are two neighbors.
_IS_CORROBORATED = """(
    l.email = r.email or is_email_slip(l.email, r.email)
    or pl.email_user = pr.email_user
    or list_has_any(l.phones, r.phones) or list_has_any(il.identifier_values, ir.identifier_values)
    or birth_dates_agree(fl.birth_date, fr.birth_date) or abs(l.birth_date - r.birth_date) <= 31
    or not coalesce(l.street = r.street and not starts_with(l.house_number, r.house_number)
            and not starts_with(r.house_number, l.house_number), false)
        and (l.postal_code = r.postal_code
            or jaro_winkler_similarity(l.city, r.city) >= 0.9 or jaro_winkler_similarity(l.street, r.street) >= 0.9)
)"""

# Colleagues and flatmates share a phone and an address, and sometimes a first name; a bride keeps more than that.
_IS_OTHER_FAMILY = """(
    not last_names_agree(fl.last_name, fl.last_spelling, fr.last_name, fr.last_spelling)
    and not are_swapped(fl.first_name, fl.last_name, fr.first_name, fr.last_name)
    and jaro_winkler_similarity(squeeze(fl.last_name), squeeze(fr.last_name)) < 0.8
    and not coalesce(l.email = r.email and length(coalesce(fl.first_name, fl.last_name)) > 1
        and length(coalesce(fr.first_name, fr.last_name)) > 1, false)
    and not coalesce(birth_dates_agree(fl.birth_date, fr.birth_date), false)
    and not coalesce(list_has_any(il.identifier_values, ir.identifier_values), false)
)"""

# Birth date, mailbox, number: what is a person's own and not the home's. So is a phone, but not beside two mailboxes.
# weber@ and webers@ are two homes as often as a slip.
_HAS_MARK_IN_COMMON = """(
    coalesce(birth_dates_agree(fl.birth_date, fr.birth_date), false)
    or coalesce(list_has_any(il.identifier_values, ir.identifier_values), false)
    or coalesce(l.email = r.email or pl.email_user = pr.email_user, false)
    or coalesce(is_email_slip(l.email, r.email), false) and not coalesce(
        starts_with(l.mailbox, squeeze(fl.last_name)) and length(l.mailbox) <= length(squeeze(fl.last_name)) + 1, false)
)"""
_HAS_OWN_IN_COMMON = f"""(
    {_HAS_MARK_IN_COMMON}
    or list_has_any(l.phones, r.phones) and (l.email is null or r.email is null)
)"""
# Namesakes on one street, some houses apart, are as often neighbors as one person who moved or whose number is wrong;
# not where everything is full of errors.
_ARE_NEIGHBORS = f"""(
    case when l.street = r.street and l.house_number <> r.house_number
         then not starts_with(l.house_number, r.house_number) and not starts_with(r.house_number, l.house_number)
            and damerau_levenshtein(l.house_number, r.house_number) > 1
            and not coalesce({_HAS_MARK_IN_COMMON}, false) and not list_has_any(l.phones, r.phones)
         else false end
)"""
_HAS_OWN_ON_BOTH = "(l.email is not null and r.email is not null or len(l.phones) > 0 and len(r.phones) > 0)"
# A last name at a home is a family's, and so is a name that father and son share where only one record says which.
# Looked at only where there is one: DuckDB evaluates both sides of an AND for every pair.
_IS_FAMILY_ONLY = f"""(
    case when fl.first_name is null or fr.first_name is null
         then (coalesce({_HAS_OWN_ON_BOTH}, false) or (from are_homes_shared))
            and not coalesce({_HAS_OWN_IN_COMMON}, false)
         else false end
)"""
_IS_GENERATION_OPEN = f"""(
    case when (fl.generation is null) <> (fr.generation is null)
         then not coalesce({_HAS_MARK_IN_COMMON}, false) else false end
)"""

# What several people carry, by record: it does not say which of them a record without a first name is, nor does what a
# home may share.
_OF_SEVERAL = """
create table of_several as
with several as (select value_key from identifier_values where problem is null and not is_personal)
select n, list(value_key) filter (several.value_key is not null) as shared, list(value_key) as at_home,
    list(value_key) filter (hides_initials) as at_any_home
from carriers left join several using (value_key) left join home_values using (value_key)
where several.value_key is not null or home_values.value_key is not null
group by n
"""
# Whoever has no first name may be anybody of a home, and where hardly anybody is seen twice so may an initial.
_MAY_BE_ANOTHER_AT_HOME = """(
    case when fl.first_name is null or fr.first_name is null or least(length(fl.first_name), length(fr.first_name)) = 1
         then case when fl.first_name is null or fr.first_name is null
                   then coalesce(list_has_any(sl.at_home, sr.at_home), false)
                   else coalesce(list_has_any(sl.at_any_home, sr.at_any_home), false) end
            and not coalesce(l.email = r.email and not list_contains(sl.at_home, hash('email', l.email)), false)
            and len(list_filter(l.phones, lambda phone:
                list_contains(r.phones, phone) and not list_contains(sl.at_home, hash('phone', phone)))) = 0
         else false end
)"""
_IS_ONE_OF_SEVERAL = f"""(
    (first_names_agree(fl.first_name, fl.usage, fr.first_name, fr.usage) is null
        and not is_nickname(fl.first_name, fl.usage, fr.first_name, fr.usage)
        and coalesce(list_has_any(sl.shared, sr.shared), false)
        or {_MAY_BE_ANOTHER_AT_HOME}
        or coalesce(list_has_any(tl.torn_on, tr.carried) or list_has_any(tl.carried, tr.torn_on), false))
    and not coalesce(birth_dates_agree(fl.birth_date, fr.birth_date), false)
    and not coalesce(list_has_any(il.identifier_values, ir.identifier_values), false)
)"""


def _is_confirmed(name: str, other: str, spelling: str = "true") -> str:
    """SQL that is true where the spellings of two names stand in a mailbox of their own: then neither is a slip."""
    left, right = f"squeeze(fl.{name})", f"squeeze(fr.{other})"
    return f"""(
        case when contains(l.mailbox, {left}) and contains(r.mailbox, {right})
             then {left} <> {right} and not contains(l.mailbox, {right}) and not contains(r.mailbox, {left})
                and least(length({left}), length({right})) >= {SHORTEST_NAME} and {spelling}
             else false end
    )"""


# Twins and siblings have a home, a phone and a birth date in common, and first names that are nearly one: where many
# people bear both, and not five times as many one of them, that is more likely than a slip that makes another name. In
# FEBRL 4 three of sixty called Adam lost a letter and are Ada.
SIBLING_SHARE = 0.2
_MAY_BE_SIBLINGS = f"""(
    case when fl.first_name <> fr.first_name and are_both_established(fl.usage, fr.usage)
        and least(fl.usage.bearers, fr.usage.bearers)
            >= {SIBLING_SHARE} * greatest(fl.usage.bearers, fr.usage.bearers)
        and not coalesce(l.email = r.email, false)
         then first_names_agree(fl.first_name, fl.usage, fr.first_name, fr.usage) is null
            and skeleton_of(fl.usage) <> skeleton_of(fr.usage)
            and not is_nickname(fl.first_name, fl.usage, fr.first_name, fr.usage)
            and not coalesce(list_has_any(il.identifier_values, ir.identifier_values), false)
         else false end
)"""
_ARE_TWO_FIRST_NAMES = f"""(
    {_is_confirmed("first_name", "first_name", "fl.usage.spelling <> fr.usage.spelling")}
    and not is_nickname(fl.first_name, fl.usage, fr.first_name, fr.usage)
    or case when fl.first_name = fr.last_name then {_is_confirmed("last_name", "first_name")}
            when fl.last_name = fr.first_name then {_is_confirmed("first_name", "last_name")}
            else false end
)"""
_ARE_TWO_FAMILIES = f"""(
    {_is_confirmed("last_name", "last_name", "fl.last_spelling <> fr.last_spelling")}
    and not coalesce(birth_dates_agree(fl.birth_date, fr.birth_date), false)
    and not coalesce(list_has_any(il.identifier_values, ir.identifier_values), false)
)"""
# Whose name is taken at a provider adds a number: thomas.mueller1@ and thomas.mueller2@ are what namesakes have.
_ARE_NUMBERED = """(
    case when l.mailbox = r.mailbox and l.email <> r.email
         then split_part(l.email, '@', 2) = split_part(r.email, '@', 2)
            and nullif(digits_of(split_part(l.email, '@', 1)), '') <> nullif(digits_of(split_part(r.email, '@', 1)), '')
            and contains(l.mailbox, squeeze(fl.last_name))
            and not coalesce(birth_dates_agree(fl.birth_date, fr.birth_date), false)
            and not coalesce(list_has_any(il.identifier_values, ir.identifier_values), false)
            and not list_has_any(l.phones, r.phones)
         else false end
)"""


def _have_other_details(left: str, right: str) -> str:
    """SQL that is true where one name and home have two mailboxes and phones: as often father and son as one person.

    The birth dates are those of the tables `left` and `right`.
    """
    return f"""(
        l.email <> r.email and len(l.phones) > 0 and len(r.phones) > 0 and not list_has_any(l.phones, r.phones)
        and birth_dates_agree({left}.birth_date, {right}.birth_date) is distinct from true
    )"""


_OTHER_DETAILS = f"""
create table other_details as
select a, b, rule, 'other_details' as reason
from (from exact_edges where rule = 'same_name_and_address')
join (select n, email, phones, birth_date from records) as l on l.n = a
join (select n, email, phones, birth_date from records) as r on r.n = b
where {_have_other_details("l", "r")}
"""
_MAY_BE_FATHER_AND_SON = f"""(
    case when l.street = r.street and l.house_number = r.house_number and fl.first_name = fr.first_name
         then coalesce({_have_other_details("fl", "fr")} and not coalesce(pl.email_user = pr.email_user, false)
            and not coalesce(list_has_any(il.identifier_values, ir.identifier_values), false), false)
         else false end
)"""
_TORN_ON = """
create table torn_records as
select n, list(value_key) as carried, list(value_key) filter (is_torn) as torn_on from torn group by n
"""

# What several conditions ask of two forms, by the name under which it is found out once: planning it takes long.
_VERDICTS = {
    "is_first_agreeing_in_family": (
        "first_names_of_agree(fl.first_name, fl.usage, fl.last_name, fr.first_name, fr.usage, fr.last_name)"
    ),
    "is_first_agreeing": "first_names_agree(fl.first_name, fl.usage, fr.first_name, fr.usage)",
    "is_nickname": "is_nickname(fl.first_name, fl.usage, fr.first_name, fr.usage)",
    "is_birth_agreeing": "birth_dates_agree(fl.birth_date, fr.birth_date)",
    "is_swapped": "are_swapped(fl.first_name, fl.last_name, fr.first_name, fr.last_name)",
}

# Few records are in a pair that is probable: the others are left out before they are joined.
_JUDGED_SCORES = f"""
create table judged_scores as
with pairs as materialized (
    select a, b, match_weight, match_probability from scores where match_probability >= {{least}}
),
judged as materialized (
    select n, form, birth_date, email, squeeze(fold_name(split_part(email, '@', 1))) as mailbox, phones, street,
        house_number, postal_code, city
    from records where n in (select a from pairs union all select b from pairs)
),
are_homes_shared as (select count(*) > 0 from home_values where kind = 'address'),
judged_forms as materialized (from forms where form in (select form from judged)),
verdicts as materialized (
    select fl.form as form_l, fr.form as form_r, {{verdicts}}
    from (
        select distinct l.form as form_l, r.form as form_r
        from pairs join judged as l on l.n = a join judged as r on r.n = b)
    join judged_forms as fl on fl.form = form_l join judged_forms as fr on fr.form = form_r
),
identified as materialized (select n, identifier_values from known_identifiers semi join judged using (n))
select a, b, match_weight, match_probability,
    coalesce(
        case when not coalesce({{waiver}}, false) then {{conflict}} end,
        case when {_IS_ONE_OF_SEVERAL} then 'shared_by_several_names'
             when {_ARE_TWO_FIRST_NAMES} or {_MAY_BE_SIBLINGS} then 'different_first_names'
             when {_IS_OTHER_FAMILY} or {_ARE_TWO_FAMILIES} then 'different_last_names'
             when {_ARE_NUMBERED} then 'numbered_mailboxes'
             when {_IS_GENERATION_OPEN} then 'open_generation'
             when {_IS_FAMILY_ONLY} then 'family_only'
             when {_MAY_BE_FATHER_AND_SON} then 'other_details'
             when {{are_neighbors}} or not coalesce({{corroborated}}, false) then 'name_only' end
    ) as reason,
from pairs
join judged as l on l.n = a join judged as r on r.n = b
join scored_profiles as pl on pl.n = a join scored_profiles as pr on pr.n = b
join judged_forms as fl on fl.form = l.form join judged_forms as fr on fr.form = r.form
join verdicts as v on v.form_l = l.form and v.form_r = r.form
left join identified as il on il.n = a left join identified as ir on ir.n = b
left join of_several as sl on sl.n = a left join of_several as sr on sr.n = b
left join torn_records as tl on tl.n = a left join torn_records as tr on tr.n = b
"""

_CANDIDATES = """
create view candidates as
select a, b, 'exact' as method, rule, rank, null::double as match_weight, null::double as match_probability
from exact_edges anti join other_details using (a, b)
union all
select a, b, 'probabilistic', rule, rank, match_weight, match_probability from scored_candidates
"""

_LINKED = """
create table linked as select a as n from candidates union select b from candidates
"""

_SHARE_LEFT = """
select coalesce(avg((linked.n is null)::integer), 1) from (select n from scored_profiles) left join linked using (n)
"""

_ONLY_FITS = """
create table only_fits as
with lone as (
    select a, b, match_weight, match_probability from judged_scores
    where (reason is null {admitted}) and match_weight >= {least_weight}
      and a not in (from linked) and b not in (from linked)
),
ends as (select a as n, b as partner, match_weight from lone union all select b, a, match_weight from lone),
compared as (
    select a as n, b as other, match_weight from scores semi join ends on n = a
    union all
    select b, a, match_weight from scores semi join ends on n = b
),
rivaled as (
    select least(n, partner) as a, greatest(n, partner) as b
    from ends join compared using (n)
    where other <> partner and compared.match_weight > ends.match_weight - {margin}
)
select * from lone anti join rivaled using (a, b);
insert into scored_candidates
select a, b, 'only_fit', {rank}, match_weight, match_probability from only_fits;
drop table only_fits; drop table linked
"""

# Most components are one form's; where there are several, an edge between two that was found good stands.
_CONFLICTS = """
create table component_forms as
select distinct component, form from components where is_told;
create table crowds as
select component from component_forms group by component having count(*) > {crowd};
create table conflicts as
with pairs as materialized (
    select l.component, l.form as form_a, r.form as form_b
    from component_forms as l join component_forms as r on l.component = r.component and l.form < r.form
    where l.component not in (from crowds)
),
several as materialized (
    select n, component, form from components where component in (select component from pairs)
),
linked as (
    select distinct l.component, least(l.form, r.form) as form_a, greatest(l.form, r.form) as form_b
    from candidates join several as l on l.n = a join several as r on r.n = b
    where rank > 0
)
select * from (
    select component, form_a, form_b, {conflict} as reason,
    from pairs anti join linked using (component, form_a, form_b)
    join forms as fl on fl.form = form_a join forms as fr on fr.form = form_b
) where reason is not null
"""
