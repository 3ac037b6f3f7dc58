"""Who fits several people at once: a value is theirs together, and nothing else tells which of them a record is.

Change here when a record counts as torn between people who share a value. Which values are evidence is decided in
`limits`; what follows for a link is decided in `evidence` and `guards`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.resolve.folding import GENERATION_DAYS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# Spellings of the people on one value that are compared pair by pair; more are a crowd, not a household.
MOST_FORMS = 40


def find_torn(connection: DuckDBPyConnection) -> None:
    """Create `torn_at`, `torn` and `torn_groups`, from `carriers`, `identifier_values`,
    `first_name_roots`, `records` and `forms`.

    On the mailbox of Anna and Andreas, A. Schmidt is torn, and Hans beside Hans sen. and Hans jun., or beside two of
    whom one was born a generation before the other.

    Who is torn on one value is torn on every other one that several people share.

    - `torn`: one row per `value_key`, record `n` that carries it, and whether that record is torn there (`is_torn`);
      only values on which somebody is.
    - `torn_groups`: one row per `group_key` of an exact rule and form that is torn in it.
    """
    find_torn_at(connection)
    spread_torn(connection)


def find_torn_at(connection: DuckDBPyConnection) -> None:
    """Create `torn_at`: one row per value and form that is torn between the people on it, by its carriers alone."""
    connection.execute(_TORN_AT.format(most=MOST_FORMS, apart=GENERATION_DAYS))


def spread_torn(connection: DuckDBPyConnection) -> None:
    """Create `torn` and `torn_groups` from `torn_at`."""
    connection.execute(_TORN)
    connection.execute("drop table torn_forms")


# Who has one of several first names of a value is not torn between them, nor is a slip of the keyboard that tears.
_TORN_AT = """
create table torn_at as
with several as (
    select value_key from first_name_roots group by value_key having count(*) > 1
    union
    select value_key
    from carriers join (select n, form from records) using (n)
    join (select form from forms where generation is not null) using (form)
    union
    select value_key from identifier_values where birth_dates > 1
),
carried as (
    select distinct value_key, form
    from carriers join (select n, form from records) using (n)
    where value_key in (from several)
      and value_key not in (select value_key from identifier_values where problem is not null)
),
shared as (
    select carried.value_key, form, generation, birth_date, spelling is not null as is_root
    from carried join forms using (form)
    left join first_name_roots as roots on roots.value_key = carried.value_key and spelling = first_name
    where first_name is not null and last_name is not null
    qualify count(*) over (partition by carried.value_key) between 3 and {most}
        and (count(distinct spelling) over (partition by carried.value_key) > 1
            or count(distinct generation) over (partition by carried.value_key) > 1
            or max(birth_date) over (partition by carried.value_key)
                - min(birth_date) over (partition by carried.value_key) > {apart})
),
pairs as (
    select a.value_key, a.form as form_a, b.form as form_b, a.is_root and b.is_root as are_roots
    from shared as a join shared as b on a.value_key = b.value_key and a.form < b.form
),
compared as (
    select form_a, form_b,
        are_swapped(fa.first_name, fa.last_name, fb.first_name, fb.last_name) as is_swapped,
        first_names_agree(fa.first_name, fa.usage, fb.first_name, fb.usage) as is_first_agreeing,
        coalesce(fa.generation <> fb.generation or are_generation_apart(fa.birth_date, fb.birth_date), false)
            as is_other_generation,
        last_names_agree(fa.last_name, fa.last_spelling, fb.last_name, fb.last_spelling) as is_last_agreeing,
        birth_dates_agree(fa.birth_date, fb.birth_date) as is_birth_agreeing,
    from (select distinct form_a, form_b from pairs)
    join forms as fa on fa.form = form_a join forms as fb on fb.form = form_b
),
judged as (
    select value_key, form_a, form_b,
        (are_roots and is_first_agreeing = false and not is_swapped) or is_other_generation as are_two,
        (is_swapped or is_first_agreeing is distinct from false and is_last_agreeing)
            and is_birth_agreeing is distinct from false and not is_other_generation as may_be_one,
    from pairs join compared using (form_a, form_b)
),
mutual as (
    select value_key, form_a as form, form_b as other, are_two, may_be_one from judged
    union all
    select value_key, form_b, form_a, are_two, may_be_one from judged
),
fitting as (select value_key, form, other from mutual where may_be_one)
select distinct fitting.value_key, fitting.form
from fitting
join fitting as further on further.value_key = fitting.value_key and further.form = fitting.form
join mutual on mutual.value_key = fitting.value_key and mutual.form = fitting.other and mutual.other = further.other
where mutual.are_two
"""

_TORN = """
create table torn_forms as
with carried as (select value_key, n from carriers semi join torn_at using (value_key)),  -- by few
torn_records as (
    select distinct n, form
    from torn_at join carried using (value_key)
    join (select n, form from records semi join carried using (n)) using (n, form)
),
further as (select value_key, n from carriers semi join torn_records using (n)),
shared as (
    select value_key from identifier_values semi join further using (value_key)
    where problem is null and not is_personal
)
select value_key, form from torn_at
union
select value_key, form from torn_records join further using (n) semi join shared using (value_key);
create table torn as
with carried as (select value_key, n from carriers semi join torn_forms using (value_key))
select value_key, n, torn_forms.form is not null as is_torn
from carried join (select n, form from records semi join carried using (n)) using (n)
left join torn_forms using (value_key, form);
create table torn_groups as
select value_key as group_key, form from torn_forms
union
select
    hash(least(squeeze(first_name), squeeze(last_name)), greatest(squeeze(first_name), squeeze(last_name)), value_key),
    form
from torn_forms join forms using (form)
"""
