"""The exact rules: each is named, each has its safeguard, each links records without a score.

Add a rule here when equal values prove identity by themselves. What needs weighing belongs into `model`; what forbids
a link that a rule proposes belongs into `guards`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pipelines.warehouse import literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# Spellings of the person within one group that are compared pair by pair; the rest only with their equals.
MAX_FORMS = 40

# What the names of two records of one group must be like:
#   any         the source itself says that it is one person
#   same        first and last name equal after folding, or swapped
#   own         first name equal, and nobody of another first name carries the value: people marry
#   compatible  equal, shortened or a slip away, or swapped
#   incomplete  one of them has no first name, and nobody of another first or last name carries the value
Names = Literal["any", "same", "own", "compatible", "incomplete"]


@dataclass(frozen=True)
class ExactRule:
    """Records of one group are one person if their names and birth dates allow it.

    Attributes:
        name: as it appears in `identity.links.rule`.
        names: what their names must be like.
        groups: SQL for `group_key`, `n`; a group may hold any number of records.
        kind: the kind of identifier the group is made of, None when it is made of something else.
    """

    name: str
    names: Names
    groups: str
    kind: str | None = None


_IS_USABLE = "(kind, value) not in (select (kind, value) from identifier_values where problem is not null)"
_NAMED = "first_name is not null and last_name is not null"

# In the order of their strength: when two edges cannot both hold, the one of the earlier rule does.
RULES = (
    ExactRule(
        "merged_in_source",
        "any",
        """
        select merged_into as group_key, n from records where merged_into is not null
        union all
        select distinct t.record_key, t.n from records as t join records as m on m.merged_into = t.record_key
        """,
    ),
    ExactRule("same_details", "same", "select n::text as group_key, unnest(members) as n from profiles"),
    ExactRule(
        "same_identifier",
        "compatible",
        "select kind || ' ' || value as group_key, n from carriers "
        f"where kind not in ('email', 'phone', 'address') and {_IS_USABLE}",
        kind="other",
    ),
    ExactRule(
        "same_email_and_name",
        "compatible",
        f"select value as group_key, n from carriers where kind = 'email' and {_IS_USABLE}",
        kind="email",
    ),
    ExactRule(
        "same_email_and_first_name",
        "own",
        f"select value as group_key, n from carriers where kind = 'email' and {_IS_USABLE}",
        kind="email",
    ),
    ExactRule(
        "same_phone_and_name",
        "same",
        f"select value as group_key, n from carriers where kind = 'phone' and {_IS_USABLE}",
        kind="phone",
    ),
    ExactRule(
        "same_name_birth_date_and_postal_code",
        "same",
        "select concat_ws(' ', least(squeeze(first_name), squeeze(last_name)), "
        "greatest(squeeze(first_name), squeeze(last_name)), birth_date, postal_code) as group_key, n "
        f"from records where {_NAMED} and birth_date is not null and postal_code is not null",
    ),
    ExactRule(
        "same_name_and_address",
        "same",
        "select concat_ws(' ', least(squeeze(first_name), squeeze(last_name)), "
        "greatest(squeeze(first_name), squeeze(last_name)), value) as group_key, n "
        f"from carriers join records using (n) where kind = 'address' and {_NAMED} and {_IS_USABLE}",
        kind="address",
    ),
    ExactRule(
        "same_email_without_name",
        "incomplete",
        "select value || case when person_kind = 'role_mailbox' then ' role' else '' end as group_key, n "
        "from carriers join records using (n) "
        f"where kind = 'email' and merged_into is null and {_IS_USABLE}",
        kind="email",
    ),
    ExactRule(
        "same_phone_without_name",
        "incomplete",
        "select value as group_key, n from carriers join records using (n) where kind = 'phone' "
        "and merged_into is null and (first_name is not null or email is null) "
        f"and {_IS_USABLE}",
        kind="phone",
    ),
)


def find_exact_links(connection: DuckDBPyConnection) -> None:
    """Create `exact_edges` and `exact_refusals`: one row per pair of records (a < b) with rule and its rank.

    Edges are linear in the records: within a group records of one spelling form a star around the first of them, and
    only the spellings are compared pair by pair.
    """
    connection.execute(
        "create table groups (rank integer, rule text, names text, kind text, group_key text, n integer)"
    )
    for rank, rule in enumerate(RULES):
        kind = literal(rule.kind) if rule.kind else "null"
        connection.execute(
            f"insert into groups select {rank}, {literal(rule.name)}, {literal(rule.names)}, {kind}, group_key, n "
            f"from ({rule.groups})"
        )
    connection.execute(_CENTERS)
    connection.execute(_JUDGED.format(max_forms=MAX_FORMS))
    connection.execute(_EXACT_EDGES)
    connection.execute(_EXACT_REFUSALS)
    for table in ("groups", "centers", "judged"):
        connection.execute(f"drop table {table}")


# Groups of one record prove nothing.
_CENTERS = """
delete from groups where (rank, group_key) in (
    select (rank, group_key) from groups group by rank, group_key having count(*) = 1);
create table centers as
select rank, rule, names, kind, group_key, form, min(n) as n, list(n) as members,
    count(*) over (partition by rank, group_key) as form_count,
    row_number() over (partition by rank, group_key order by min(n)) as position,
from groups join records using (n)
group by rank, rule, names, kind, group_key, form
"""

_JUDGED = """
create table judged as
with pairs as (
    select a.rank, a.rule, a.names, a.kind, a.group_key, least(a.n, b.n) as a, greatest(a.n, b.n) as b,
        a.form as form_a, b.form as form_b
    from centers as a join centers as b
      on a.rank = b.rank and a.group_key = b.group_key and a.position < b.position
    where a.form_count <= {max_forms} or a.names = 'any' and a.position = 1
)
select rank, rule, names, kind, group_key, pairs.a, pairs.b,
    first_names_agree(fa.first_name, fa.usage, fb.first_name, fb.usage) as is_first_agreeing,
    last_names_agree(fa.last_name, fb.last_name) as is_last_agreeing,
    coalesce(squeeze(fa.first_name) = squeeze(fb.first_name) and squeeze(fa.last_name) = squeeze(fb.last_name), false)
        as is_same_name,
    coalesce(squeeze(fa.first_name) = squeeze(fb.first_name), false) as is_same_first_name,
    are_swapped(fa.first_name, fa.last_name, fb.first_name, fb.last_name) as is_swapped,
    fa.first_name is null or fb.first_name is null as is_incomplete,
    birth_dates_agree(fa.birth_date, fb.birth_date) as is_birth_agreeing,
from pairs join forms as fa on fa.form = form_a join forms as fb on fb.form = form_b
"""

_EXACT_EDGES = """
create table exact_edges as
with personal as (
    select kind, value from identifier_values where problem is null and is_personal
),
stars as (
    select rank, rule, names, centers.kind, group_key, centers.n as a, unnest(members) as b, first_name, last_name
    from centers join forms using (form)
    where len(members) > 1
),
accepted as (
    select rank, rule, a, b from stars
    where a <> b and (
        names in ('any')
        or (names in ('same', 'compatible') and first_name is not null and last_name is not null)
        or (names = 'incomplete' and first_name is null
            and (kind, replace(group_key, ' role', '')) in (select (kind, value) from personal)))
    union all
    select rank, rule, a, b from judged
    where names = 'any'
       or (is_birth_agreeing is distinct from false and (
           (names = 'same' and (is_same_name or is_swapped))
           or (names = 'own' and is_same_first_name and (kind, group_key) in (select (kind, value) from personal))
           or (names = 'compatible' and (is_first_agreeing and is_last_agreeing or is_swapped))
           or (names = 'incomplete' and is_incomplete and is_last_agreeing is distinct from false
               and (kind, replace(group_key, ' role', '')) in (select (kind, value) from personal))))
)
select a, b, min(rank) as rank, arg_min(rule, rank) as rule from accepted group by a, b
"""

# What shares a mailbox, phone or identifier and is still not linked: with the reason. Neighbors are no news.
_EXACT_REFUSALS = """
create table exact_refusals as
with refused as (
    select a, b, rank, rule,
        case when is_first_agreeing = false and not is_swapped then 'different_first_names'
             when is_birth_agreeing = false then 'different_birth_dates'
             when names = 'incomplete' and is_incomplete then 'shared_by_several_names' end as reason,
    from judged
    where names <> 'any' and kind is distinct from 'address' and kind is not null
    union all
    select min(n) over (partition by kind, value), n, 99, 'same_' || kind,
        case problem when 'blocked' then 'blocked_value' else problem end
    from carriers join identifier_values using (kind, value)
    where problem is not null and kind <> 'address'
)
select a, b, arg_min(rule, (rank, rule, reason)) as rule, arg_min(reason, (rank, rule, reason)) as reason
from refused anti join exact_edges using (a, b)
where reason is not null and a <> b
group by a, b
"""
