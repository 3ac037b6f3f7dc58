"""Which values of identifiers are evidence: not those that are blocked, and not those that a crowd shares.

Add here a reason why a value says nothing about the person. What a value that is evidence proves, and together with
what, is decided in `evidence`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.clean.functions import PLACEHOLDERS, sql_list
from pipelines.resolve.homes import describe_shared_values, find_home_values

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.configuration.identity import IdentityConfig

# Values with more distinct spellings than this many times the limit are not looked at pair by pair.
CROWD_FACTOR = 10


def apply_limits(connection: DuckDBPyConnection, warehouse: str, identity: IdentityConfig) -> None:
    """Create `carriers` and `identifier_values`, and take values that are no evidence out of `records`.

    - `carriers`: one row per kind of identifier, value and record that carries it, or did: a former mailbox and a
      second phone are evidence like the record's own, and who names an order carries its buyer; `value_key` is the
      hash of kind and value. That two of ten million are the same is one chance in three hundred thousand, and no two
      records become one for it alone: their names must agree as well.
    - `known_identifiers`: one row per record with named identifiers that are evidence: their kinds, and kinds with
      values.
    - `first_name_roots`: one row per value with several first names and each of them that is not a rarer spelling of
      another one.
    - `identifier_values`: one row per `value_key` with more than one carrier or that is blocked; `names` and
      `birth_dates` count the clearly different first names and dates, `is_personal` is true where all carriers may be
      one person by their names (a mailbox outlives a marriage), `problem` is `blocked`, `too_many_names`,
      `too_many_birth_dates` or NULL.
    - `shared_values` and `home_values`: see `homes`.
    """
    list_carriers(connection, warehouse)
    judge_values(connection, identity)
    find_home_values(connection)
    remove_problems(connection)


def list_further_points(connection: DuckDBPyConnection, warehouse: str) -> None:
    """Create `further_points`: the contact points of records beside their own mailbox and phones."""
    connection.execute(_FURTHER_POINTS.format(warehouse=warehouse))


def list_carriers(connection: DuckDBPyConnection, warehouse: str) -> None:
    """Create `carriers` of `records`, from these and `further_points`."""
    connection.execute(_CARRIERS.format(warehouse=warehouse))


def judge_values(connection: DuckDBPyConnection, identity: IdentityConfig) -> None:
    """Create `identifier_values`, `shared_values` and `first_name_roots`; all of a value follows from its carriers."""
    kinds = [str(row[0]) for row in connection.execute("select distinct kind from carriers order by kind").fetchall()]
    connection.execute("create table limits (kind text, max_names integer, max_birth_dates integer)")
    connection.execute("create table blocked_patterns (kind text, pattern text)")
    for kind in kinds:
        limits = identity.limits(kind)
        connection.execute("insert into limits values (?, ?, ?)", [kind, limits.max_names, limits.max_birth_dates])
        for pattern in limits.blocked:
            connection.execute("insert into blocked_patterns values (?, ?)", [kind, _like(kind, pattern)])
    connection.execute(_SEVERAL)
    for field, agreement in _AGREEMENTS.items():
        connection.execute(_DIFFERENT.format(field=field, agreement=agreement, crowd=CROWD_FACTOR))
    connection.execute(_VALUES.format(crowd=CROWD_FACTOR, built_in=BUILT_IN, placeholder=_IS_PLACEHOLDER))
    describe_shared_values(connection)
    passing = ("several", "carried_forms", *(f"different_{field}s" for field in _AGREEMENTS))
    for table in (*passing, "last_name_roots", "limits", "blocked_patterns"):
        connection.execute(f"drop table {table}")


def remove_problems(connection: DuckDBPyConnection) -> None:
    """Take what `identifier_values` calls a problem out of `records`, and create `known_identifiers`."""
    connection.execute(_REMOVE)
    connection.execute(_IDENTIFIERS.format(built_in=BUILT_IN))
    connection.execute("drop table silenced")


def _like(kind: str, pattern: str) -> str:
    """The pattern in the form of SQL's LIKE, with `!` as the escape sign."""
    escaped = "".join(f"!{c}" if c in "!%_" else c for c in pattern.lower() if kind == "email" or c != " ")
    return (escaped + "*" if escaped.endswith("@") else escaped).replace("*", "%")


ORDER = "order"  # kind of the identifier that a buyer is to those who name an order of theirs
BUILT_IN = sql_list(("email", "phone", "address", ORDER))
# What stands in a named identifier that had to be filled in: 0000, ---, n/a, unknown.
_IS_PLACEHOLDER = (
    f"lower(value) in ({sql_list((*PLACEHOLDERS, 'null', 'nan', 'nn', 'na', '0'))}) "
    "or (length(value) > 1 and replace(value, left(value, 1), '') = '') "
    r"or not regexp_matches(value, '[\p{L}\p{N}]')"
)

ADDRESS = "postal_code || ' ' || street || ' ' || house_number"

# A mailbox is compared in the form for matching of the record whose own it is, where there is one.
_FURTHER_POINTS = """
create table further_points as
with points as (
    select distinct record_key, kind, value from {warehouse}.clean.contact_points
    where kind in ('email', 'phone') and is_valid and (entity = 'contact_methods' or valid_until is not null)
),
mailboxes as (
    select email as value, min(email_match) as matched from {warehouse}.clean.persons
    where email in (select value from points where kind = 'email') group by email
)
select distinct record_key, kind, coalesce(matched, value) as value from points left join mailboxes using (value)
"""

# Beside a record's own fields: its further and former contact points, and the buyer of the orders it names.
_CARRIERS = f"""
create table carriers as
with own as (
    select 'email' as kind, email as value, n from records where email is not null
    union all
    select 'phone', unnest(phones), n from records where len(phones) > 0
),
naming as (
    select record_key, buyer_record_key from {{warehouse}}.clean.order_references
    union
    select buyer_record_key, buyer_record_key from {{warehouse}}.clean.order_references
)
select kind, value, hash(kind, value) as value_key, n from (
    from own
    union all
    select kind, value, n from further_points join records using (record_key) anti join own using (kind, value, n)
    union all
    select '{ORDER}', buyer_record_key, n from naming join records using (record_key)
    union all
    select 'address', {ADDRESS}, n from records
    where postal_code is not null and street is not null and house_number is not null
    union all
    select lower(key), trim(value), n from (
        select unnest(json_keys(identifiers)) as key, identifiers ->> unnest(json_keys(identifiers)) as value, n
        from records where json_type(identifiers) = 'OBJECT')
    where trim(value) <> '' and lower(key) not in ({BUILT_IN})
)
"""

# Spellings of one field that a value carries, without those that belong to a more frequent one. Counted by spelling of
# the field, not of the whole name: one first name with two last names must not outvote itself.
_DIFFERENT = """
create table {field}_roots as
with spelled as (
    select value_key, first_name, last_name, {field} as spelling, any_value(usage) as usage,
        any_value(last_spelling) as last_spelling,
        sum(sum(times)) over (partition by value_key, {field}) as times
    from carried_forms join several using (value_key) join forms using (form)
    where {field} is not null and {field}s > 1 and {field}s <= {crowd} * max_names
    group by value_key, first_name, last_name
),
repeated as (
    select distinct b.value_key, b.spelling
    from spelled as a join spelled as b using (value_key)
    where (length(a.spelling) > 1, a.times, a.spelling) > (length(b.spelling) > 1, b.times, b.spelling) and (
        {agreement} is distinct from false
        or are_swapped(a.first_name, a.last_name, b.first_name, b.last_name))
)
select distinct value_key, spelling from spelled anti join repeated using (value_key, spelling);
create table different_{field}s as
select value_key, count(*) as different from {field}_roots group by value_key
"""
_AGREEMENTS = {
    "first_name": "first_names_agree(a.first_name, a.usage, b.first_name, b.usage)",
    "last_name": "last_names_agree(a.last_name, a.last_spelling, b.last_name, b.last_spelling)",
}

_SEVERAL = """
create table carried_forms as
with shared as (select value_key from carriers group by value_key having count(*) > 1)
select value_key, kind, form, count(*) as times
from carriers semi join shared using (value_key) join (select n, form from records) using (n)
group by value_key, kind, form;
create table several as
select value_key, kind, max_names, max_birth_dates, count(distinct first_name) as first_names,
    count(distinct last_name) as last_names, count(distinct birth_date) as dates
from carried_forms join (select form, first_name, last_name, birth_date from forms) using (form)
join limits using (kind)
group by value_key, kind, max_names, max_birth_dates
"""

_VALUES = """
create table identifier_values as
with dated as (
    select distinct value_key, birth_date
    from carried_forms join several using (value_key) join forms using (form)
    where birth_date is not null and dates > 1 and dates <= {crowd} * max_birth_dates
),
redated as (
    select distinct b.value_key, b.birth_date
    from dated as a join dated as b using (value_key)
    where a.birth_date < b.birth_date and birth_dates_agree(a.birth_date, b.birth_date)
),
birth_dates as (
    select value_key, count(*) as different from dated anti join redated using (value_key, birth_date)
    group by value_key
),
judged as (
    select value_key, kind, max_names, max_birth_dates,
        coalesce(f.different, several.first_names) as names,
        coalesce(l.different, several.last_names) as last_names,
        coalesce(b.different, several.dates) as birth_dates,
    from several
    left join different_first_names as f using (value_key)
    left join different_last_names as l using (value_key)
    left join birth_dates as b using (value_key)
),
blocked as (
    select distinct value_key, true as is_blocked from carriers join blocked_patterns using (kind)
    where lower(value) like pattern escape '!'
    union
    select value_key, true from carriers
    where kind not in ({built_in}) and ({placeholder})
)
select value_key, names, birth_dates,
    names <= 1 and (last_names <= 1 or kind = 'email') as is_personal,
    case when is_blocked then 'blocked'
         when names > max_names then 'too_many_names'
         when birth_dates > max_birth_dates then 'too_many_birth_dates' end as problem,
from judged full join blocked using (value_key)
"""

_REMOVE = """
create table silenced as
select n, bool_or(kind = 'address') as address,
    list(value order by value) filter (kind = 'email') as emails,
    list(value order by value) filter (kind = 'phone') as phones,
from carriers join identifier_values using (value_key)
where problem is not null
group by n;
update records set
    email = case when not list_contains(coalesce(silenced.emails, []::varchar[]), records.email) then records.email end,
    street = case when not silenced.address then records.street end,
    house_number = case when not silenced.address then records.house_number end,
    phones = list_filter(records.phones, lambda p: not list_contains(coalesce(silenced.phones, []::varchar[]), p)),
from silenced where silenced.n = records.n
"""

_IDENTIFIERS = """
create table known_identifiers as
select n, list(distinct kind order by kind) as identifier_kinds,
    list(distinct kind || ' ' || value order by kind || ' ' || value) as identifier_values
from carriers
anti join (from identifier_values where problem is not null) using (value_key)
where kind not in ({built_in})
group by n
"""
