"""Which values of identifiers are evidence: not those that are blocked, and not those that a crowd shares.

Add here a reason why a value says nothing about the person. What a value that is evidence proves, and together with
what, is decided in `evidence`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.warehouse import literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.configuration.identity import IdentityConfig

# Values with more distinct spellings than this many times the limit are not looked at pair by pair.
CROWD_FACTOR = 10


def apply_limits(connection: DuckDBPyConnection, identity: IdentityConfig) -> None:
    """Create `carriers` and `identifier_values`, and take values that are no evidence out of `records`.

    - `carriers`: one row per kind of identifier, value and record that carries it.
    - `known_identifiers`: one row per record with named identifiers that are evidence: their kinds, and kinds with
      values.
    - `identifier_values`: one row per kind and value with more than one carrier or that is blocked; `names` and
      `birth_dates` count the clearly different ones, `problem` is `blocked`, `too_many_names`,
      `too_many_birth_dates` or NULL.
    """
    connection.execute(_CARRIERS)
    kinds = [str(row[0]) for row in connection.execute("select distinct kind from carriers order by kind").fetchall()]
    connection.execute("create table limits (kind text, max_names integer, max_birth_dates integer)")
    connection.execute("create table blocked_patterns (kind text, pattern text)")
    for kind in kinds:
        limits = identity.limits(kind)
        connection.execute("insert into limits values (?, ?, ?)", [kind, limits.max_names, limits.max_birth_dates])
        for pattern in limits.blocked:
            connection.execute("insert into blocked_patterns values (?, ?)", [kind, _like(kind, pattern)])
    connection.execute(_VALUES.format(crowd=CROWD_FACTOR))
    connection.execute(_REMOVE)
    connection.execute(_IDENTIFIERS)


def _like(kind: str, pattern: str) -> str:
    """The pattern in the form of SQL's LIKE, with `!` as the escape sign."""
    escaped = "".join(f"!{c}" if c in "!%_" else c for c in pattern.lower() if kind == "email" or c != " ")
    return (escaped + "*" if escaped.endswith("@") else escaped).replace("*", "%")


ADDRESS = "postal_code || ' ' || street || ' ' || house_number"

_CARRIERS = f"""
create table carriers as
select 'email' as kind, email as value, n from records where email is not null
union all
select 'phone', unnest(phones), n from records where len(phones) > 0
union all
select 'address', {ADDRESS}, n from records
where postal_code is not null and street is not null and house_number is not null
union all
select lower(key), trim(value), n from (
    select unnest(json_keys(identifiers)) as key, identifiers ->> unnest(json_keys(identifiers)) as value, n
    from records where json_type(identifiers) = 'OBJECT')
where trim(value) <> '' and lower(key) not in ({", ".join(literal(k) for k in ("email", "phone", "address"))})
"""

_VALUES = """
create table identifier_values as
with counted as (
    select kind, value, count(*) as carrier_count, count(distinct first_name) as spellings,
        count(distinct birth_date) as dates
    from carriers join records using (n)
    group by kind, value
),
several as (
    select counted.*, max_names, max_birth_dates from counted join limits using (kind)
    where carrier_count > 1
),
spelled as (
    select kind, value, first_name, last_name, bearers, count(*) as times
    from several join carriers using (kind, value) join records using (n) join first_names using (first_name)
    where spellings > 1 and spellings <= {crowd} * max_names
    group by all
),
repeated as (  -- spellings of a name that the value carries more often
    select distinct b.kind, b.value, b.first_name
    from spelled as a join spelled as b using (kind, value)
    where (a.times, a.first_name, a.last_name) > (b.times, b.first_name, b.last_name) and (
        first_names_agree(a.first_name, a.bearers, b.first_name, b.bearers) is distinct from false
        or are_swapped(a.first_name, a.last_name, b.first_name, b.last_name))
),
names as (
    select kind, value, count(distinct first_name) as names
    from spelled anti join repeated using (kind, value, first_name)
    group by kind, value
),
dated as (
    select distinct kind, value, birth_date
    from several join carriers using (kind, value) join records using (n)
    where birth_date is not null and dates > 1 and dates <= {crowd} * max_birth_dates
),
redated as (
    select distinct b.kind, b.value, b.birth_date
    from dated as a join dated as b using (kind, value)
    where a.birth_date < b.birth_date and birth_dates_agree(a.birth_date, b.birth_date)
),
birth_dates as (
    select kind, value, count(*) as birth_dates from dated anti join redated using (kind, value, birth_date)
    group by kind, value
),
judged as (
    select kind, value, carrier_count, coalesce(names, spellings) as names, coalesce(birth_dates, dates) as birth_dates,
        max_names, max_birth_dates
    from several left join names using (kind, value) left join birth_dates using (kind, value)
),
blocked as (
    select distinct kind, value from counted join blocked_patterns using (kind)
    where lower(value) like pattern escape '!'
)
select kind, value, carrier_count, names, birth_dates,
    case when blocked.value is not null then 'blocked'
         when names > max_names then 'too_many_names'
         when birth_dates > max_birth_dates then 'too_many_birth_dates' end as problem,
from judged full join blocked using (kind, value)
"""

_REMOVE = """
create table silenced as
select n, bool_or(kind = 'email') as email, bool_or(kind = 'address') as address,
    list(value order by value) filter (kind = 'phone') as phones,
from carriers join identifier_values using (kind, value)
where problem is not null
group by n;
update records set
    email = case when not silenced.email then records.email end,
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
where kind not in ('email', 'phone', 'address')
  and (kind, value) not in (select (kind, value) from identifier_values where problem is not null)
group by n
"""
