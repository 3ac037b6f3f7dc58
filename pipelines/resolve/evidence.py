"""The exact rules: each is named, each has its safeguard, each links records without a score.

Add a rule here when equal values prove identity by themselves. What needs weighing belongs into `model`; what forbids
a link that a rule proposes belongs into `guards`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pipelines.resolve.limits import BUILT_IN, ORDER

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# Spellings of the person within one group that are compared pair by pair; the rest only with their equals.
MAX_FORMS = 40

# What the names of two records of one group must be like:
#   any         the source itself says that it is one person
#   same        first and last name equal after folding, or swapped
#   words       the same words in all, as the group says
#   own         first name equal, and nobody of another first name carries the value: people marry
#   compatible  equal, shortened or a slip away, or swapped
#   incomplete  one of them has no first name, and nobody of another first or last name carries the value or is likely
#               to (`homes`)
Names = Literal["any", "same", "words", "own", "compatible", "incomplete"]


@dataclass(frozen=True)
class ExactRule:
    """Records of one group are one person if their names and birth dates allow it.

    Attributes:
        name: as it appears in `identity.links.rule`.
        names: what their names must be like.
        groups: SQL for `group_key`, an unsigned number, and `n`; a group may hold any number of records. Reads
            `records`, `profiles`, and of `carriers` what is `usable`.
        kind: the kind of identifier the group is made of, None when it is made of something else.
    """

    name: str
    names: Names
    groups: str
    kind: str | None = None


# What people carry that is evidence, and not alone.
_USABLE = """
usable as materialized (
    select kind, value_key, n from carriers semi join (from identifier_values where problem is null) using (value_key)
)
"""
_SORTED_NAME = "least(squeeze(first_name), squeeze(last_name)), greatest(squeeze(first_name), squeeze(last_name))"
_SORTED_WORDS = "list_sort(string_split(first_name || ' ' || last_name, ' '))"
_NAMED = "first_name is not null and last_name is not null"

# In the order of their strength: when two edges cannot both hold, the one of the earlier rule does.
RULES = (
    ExactRule(
        "merged_in_source",
        "any",
        """
        select hash(merged_into) as group_key, n from records where merged_into is not null
        union all
        select hash(record_key), n from records
        where record_key in (select merged_into from records where merged_into is not null)
        """,
    ),
    ExactRule(
        "same_details",
        "same",
        "select n as group_key, unnest(members) as n from profiles where len(members) > 1",
    ),
    ExactRule(
        "same_identifier",
        "compatible",
        f"select value_key, n from usable where kind not in ({BUILT_IN})",
        kind="other",
    ),
    ExactRule(
        "same_order",
        "compatible",
        f"select value_key, n from usable where kind = '{ORDER}'",
        kind=ORDER,
    ),
    ExactRule(
        "same_email_and_name",
        "compatible",
        "select value_key, n from usable where kind = 'email'",
        kind="email",
    ),
    ExactRule(
        "same_email_and_first_name",
        "own",
        "select value_key, n from usable where kind = 'email'",
        kind="email",
    ),
    ExactRule(
        "same_phone_and_name",
        "same",
        "select value_key, n from usable where kind = 'phone'",
        kind="phone",
    ),
    ExactRule(
        "same_name_birth_date_and_postal_code",
        "same",
        f"select hash({_SORTED_NAME}, birth_date, postal_code), n "
        f"from records where {_NAMED} and birth_date is not null and postal_code is not null",
    ),
    # Nguyen Van Anh is divided in several ways; three names and a birth date in common are no chance.
    ExactRule(
        "same_names_and_birth_date",
        "words",
        f"select hash({_SORTED_WORDS}, birth_date), n from records "
        f"where {_NAMED} and birth_date is not null and (contains(first_name, ' ') or contains(last_name, ' '))",
    ),
    ExactRule(
        "same_name_and_address",
        "same",
        f"select hash({_SORTED_NAME}, value_key), n "
        f"from usable join records using (n) where kind = 'address' and {_NAMED}",
        kind="address",
    ),
    # Those of a role mailbox are a group of their own: they are no person's.
    ExactRule(
        "same_email_without_name",
        "incomplete",
        "select case when person_kind = 'role_mailbox' then hash(value_key) else value_key end, n "
        "from usable join records using (n) where kind = 'email' and merged_into is null",
        kind="email",
    ),
    ExactRule(
        "same_phone_without_name",
        "incomplete",
        "select value_key, n from usable join records using (n) "
        "where kind = 'phone' and merged_into is null and (first_name is not null or email is null)",
        kind="phone",
    ),
)


NO_EVIDENCE = 99  # weaker than any rule


def find_exact_links(connection: DuckDBPyConnection) -> None:
    """Create `exact_edges` and `exact_refusals`: one row per pair of records (a < b) with rule and its rank.

    Edges are linear in the records: within a group records of one spelling form a star around the first of them, and
    only the spellings are compared pair by pair.
    """
    list_rules(connection)
    group_records(connection)
    judge_groups(connection)
    choose_links(connection)


def list_rules(connection: DuckDBPyConnection) -> None:
    """Create `rules`."""
    connection.execute("create table rules (rank utinyint, rule text, names text, kind text)")
    rows = [(rank, rule.name, rule.names, rule.kind) for rank, rule in enumerate(RULES)]
    connection.execute(
        f"insert into rules values {', '.join(['(?, ?, ?, ?)'] * len(rows))}", [value for row in rows for value in row]
    )


def group_records(connection: DuckDBPyConnection) -> None:
    """Create `groups`: one row per rule, group of it, and record in that.

    Which those are depends on the record alone, and on which of its values others carry as well.
    """
    every = " union all ".join(f"select {rank}::utinyint, * from ({rule.groups})" for rank, rule in enumerate(RULES))
    connection.execute("create table groups (rank utinyint, group_key ubigint, n integer)")
    connection.execute(f"insert into groups with {_USABLE} {every}")


def judge_groups(connection: DuckDBPyConnection) -> None:
    """Create `accepted` and `refused`: per group, the pairs that its rule links, and does not; of whole groups.

    Who carries a value that is no evidence is `refused` as well, in a group of that value and rank `NO_EVIDENCE`.
    """
    connection.execute(_CENTERS)
    connection.execute(_JUDGED.format(max_forms=MAX_FORMS))
    connection.execute(_ACCEPTED)
    connection.execute(_REFUSED.format(no_evidence=NO_EVIDENCE))
    connection.execute("drop table centers; drop table verdicts; drop table judged")


def choose_links(connection: DuckDBPyConnection) -> None:
    """Create `exact_edges` by the strongest rule that links a pair, and `exact_refusals` of those that none does."""
    connection.execute(_EXACT_EDGES)
    connection.execute(_EXACT_REFUSALS)


# Groups of one record prove nothing.
_CENTERS = """
create table centers as
with several as (select rank, group_key from groups group by rank, group_key having count(*) > 1)
select rank, group_key, form, min(n) as n, list(n) as members,
    count(*) over (partition by rank, group_key) as form_count,
    row_number() over (partition by rank, group_key order by min(n)) as position,
from groups semi join several using (rank, group_key) join (select n, form from records) using (n)
group by rank, group_key, form
"""

# Two spellings meet in many groups; what they are to each other is found out once.
_JUDGED = """
create table judged as
select a.rank, a.group_key, a.n as a, b.n as b, a.form as form_a, b.form as form_b
from centers as a join centers as b
  on a.rank = b.rank and a.group_key = b.group_key and a.position < b.position
join rules on rules.rank = a.rank
where a.form_count <= {max_forms} or names = 'any' and a.position = 1;
create table verdicts as
select form_a, form_b,
    first_names_of_agree(fa.first_name, fa.usage, fa.last_name, fb.first_name, fb.usage, fb.last_name)
        as is_first_agreeing,
    last_names_agree(fa.last_name, fa.last_spelling, fb.last_name, fb.last_spelling) as is_last_agreeing,
    coalesce(squeeze(fa.first_name) = squeeze(fb.first_name) and squeeze(fa.last_name) = squeeze(fb.last_name), false)
        as is_same_name,
    coalesce(squeeze(fa.first_name) = squeeze(fb.first_name) and length(fa.first_name) > 1, false)
        as is_same_first_name,
    are_swapped(fa.first_name, fa.last_name, fb.first_name, fb.last_name) as is_swapped,
    fa.first_name is null or fb.first_name is null as is_incomplete,
    coalesce(least(length(fa.first_name), length(fb.first_name)) = 1, false) as is_initial,
    birth_dates_agree(fa.birth_date, fb.birth_date) as is_birth_agreeing,
    coalesce(fa.generation <> fb.generation, false) as is_other_generation,
    (fa.generation is null) <> (fb.generation is null) as is_open_generation,
from (select distinct form_a, form_b from judged)
join forms as fa on fa.form = form_a join forms as fb on fb.form = form_b
"""

_ACCEPTED = """
create table accepted as
with personal as (
    select value_key as group_key from identifier_values where problem is null and is_personal
    union all  -- of a role mailbox
    select hash(value_key) from identifier_values where problem is null and is_personal
),
known as (  -- one person's as well who is not seen
    from personal anti join home_values on group_key = value_key
),
torn as (select rank, group_key, form from torn_groups cross join rules where kind is not null),
hiding as (select value_key as group_key from home_values where hides_initials),
stars as (
    select rank, group_key, centers.n as a, unnest(members) as b, first_name is not null as has_first_name,
        last_name is not null as has_last_name
    from centers join forms using (form)
    where len(members) > 1 and (rank, group_key, form) not in (from torn)
      and (first_name is null or length(first_name) > 1 or birth_date is not null or group_key not in (from hiding))
)
select rank, group_key, a, b from stars join rules using (rank)
where a <> b and (
    names in ('any')
    or (names in ('same', 'words', 'compatible') and has_first_name and has_last_name)
    or (names = 'incomplete' and not has_first_name and group_key in (from known)))
union all
select rank, group_key, a, b from judged join rules using (rank) join verdicts using (form_a, form_b)
where names = 'any'
   or (is_birth_agreeing is distinct from false and not is_other_generation
       and (is_birth_agreeing or not is_open_generation or kind in ('email', 'order', 'other'))
       and (is_birth_agreeing
           or (rank, group_key, form_a) not in (from torn) and (rank, group_key, form_b) not in (from torn)
               and (not is_initial or group_key not in (from hiding))) and (
       names = 'words'
       or (names = 'same' and (is_same_name or is_swapped))
       or (names = 'own' and is_same_first_name and group_key in (from personal))
       or (names = 'compatible' and (is_first_agreeing and is_last_agreeing or is_swapped))
       or (names = 'incomplete' and is_incomplete and is_last_agreeing is distinct from false
           and group_key in (from known))))
"""

_EXACT_EDGES = """
create table exact_edges as
with strongest as (select a, b, min(rank) as rank from accepted group by a, b)
select a, b, rank::integer as rank, rule from strongest join rules using (rank)
"""

# What shares a mailbox, phone or identifier and is still not linked: with the reason. Neighbors are no news.
_REFUSED = """
create table refused as
select * from (
    select rank, group_key, a, b, rule,
        case when is_first_agreeing = false and not is_swapped then 'different_first_names'
             when is_birth_agreeing = false then 'different_birth_dates'
             when is_other_generation then 'different_generations'
             when names <> 'incomplete' and is_first_agreeing is distinct from false
                 and (group_key in (select group_key from torn_groups where form in (form_a, form_b)))
                 then 'fits_several'
             when names = 'incomplete' and is_incomplete or names <> 'incomplete' and is_initial
                 and group_key in (select value_key from home_values where hides_initials)
                 then 'shared_by_several_names' end as reason,
    from judged join rules using (rank) join verdicts using (form_a, form_b)
    where names <> 'any' and kind is distinct from 'address' and kind is not null
) where reason is not null
union all
select * from (
    select {no_evidence}::utinyint, value_key, min(n) over (partition by value_key) as a, n as b, 'same_' || kind,
        case problem when 'blocked' then 'blocked_value' else problem end
    from carriers join (from identifier_values where problem is not null) using (value_key)
    where kind <> 'address'
) where a <> b
"""

_EXACT_REFUSALS = """
create table exact_refusals as
select a, b, arg_min(rule, (rank, rule, reason)) as rule, arg_min(reason, (rank, rule, reason)) as reason
from refused anti join exact_edges using (a, b)
group by a, b
"""
