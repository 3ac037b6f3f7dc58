"""What of a person record is compared: its fields folded, and an integer in place of its key.

Add a column here when evidence, model or guards need another field. Everything lives in the scratch catalog
`matching`, in memory; what was compared of a record is told anew when somebody asks, in `hindsight`. Judging two
records against each other starts in `evidence`.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipelines.first_names import EITHER, FEMALE, MALE
from pipelines.resolve.folding import ESTABLISHED_BEARERS, create_macros
from pipelines.resolve.limits import list_further_points
from pipelines.resolve.model import BEARERS
from pipelines.resolve.nicknames import list_nicknames
from pipelines.warehouse import identifier, literal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from duckdb import DuckDBPyConnection

SCRATCH = "matching"
OLDEST_AGE = 130  # years; an earlier birth date is a typing error, or a default such as 1753
# A birth date is somebody's default when this many times as many names have it as have any day of seventy years, and
# these begin with so many pairs of letters: errors in one name begin like it.
DEFAULT_DATE_FACTOR, DEFAULT_DATE_INITIALS = 20, 5
DAYS = 25_000
MOST_NUMBER = 2**31 - 1
# A record without names is somebody for itself; one person's names may be swapped.
_NAMES, _INITIALS = (
    f"case when first_name is null and last_name is null then hash(n) else hash(least({names}), greatest({names})) end"
    for names in ("first_name, last_name", "first_name[1], last_name[1]")
)


@contextmanager
def open_scratch(connection: DuckDBPyConnection) -> Iterator[str]:
    """Make an in-memory catalog current, yield the name of the catalog that was, and leave nothing behind."""
    row = connection.execute("select current_database(), current_schema()").fetchone()
    catalog, schema = row or ("memory", "main")
    connection.execute(f"attach ':memory:' as {SCRATCH}")
    try:
        connection.execute(f"use {SCRATCH}.main")
        create_macros(connection)
        yield identifier(str(catalog))
    finally:
        connection.execute(f"use {identifier(str(catalog))}.{identifier(str(schema))}")
        connection.execute(f"detach {SCRATCH}")


def list_inputs(connection: DuckDBPyConnection, warehouse: str, as_of: datetime) -> None:
    """Create `inputs`: one row per record, and `said`, the hash of its key and what is read; and `further_points`."""
    list_further_points(connection, warehouse)
    connection.execute(_INPUTS.format(warehouse=warehouse, is_plausible=_is_plausible(as_of)))


def number_records(connection: DuckDBPyConnection) -> None:
    """Create `numbers`, `inputs` with `n` that counts the keys in their order, with room between two for new ones."""
    connection.execute(
        f"""
        create table numbers as
        with room as (select greatest({MOST_NUMBER} // (count(*) + 1), 1) as step from inputs),
        counted as (select record_key, row_number() over (order by record_key) as position from inputs)
        select record_key, (step * position)::integer as n, said from counted join inputs using (record_key), room
        """
    )


def _is_plausible(as_of: datetime) -> str:
    return (
        f"(birth_date::date > {literal(as_of)}::timestamp - interval {OLDEST_AGE} year "
        f"and birth_date::date <= {literal(as_of)}::timestamp)"
    )


def fold_records(connection: DuckDBPyConnection, warehouse: str, as_of: datetime, *, persons: str) -> None:
    """Create `records` in the scratch catalog: one row per row of `persons`, which are rows of `clean.persons`.

    `n` is its number in `numbers`, `form` the hash of its names, birth date and generation: no two of ten million are
    the same, but for one chance in three hundred thousand. Where there is a table `default_dates` it says which birth
    dates are nobody's, else it is created.
    """
    for table in _FOLDED:
        _fold_values(connection, table, persons)
    connection.execute(
        _STATED.format(warehouse=warehouse, persons=persons, is_plausible=_is_plausible(as_of), values=_VALUES)
    )
    for table in _FOLDED:
        connection.execute(f"drop table {table}")
    find_default_dates(connection, "stated")
    connection.execute(_RECORDS)
    connection.execute("drop table stated")


def restore_values(connection: DuckDBPyConnection, persons: str) -> None:
    """Put mailbox, phones and address of rows of `clean.persons` back into their `records`, as they said them."""
    _fold_values(connection, "folded_streets", persons)
    connection.execute(_RESTORE.format(persons=persons))
    connection.execute("drop table folded_streets")


def _fold_values(connection: DuckDBPyConnection, table: str, persons: str) -> None:
    """Create the table of `_FOLDED`, by value of these persons."""
    steps, further, columns = _FOLDED[table]
    values = " union ".join(f"select {column} as folded from {persons}" for column in columns)
    folded = f"(select folded as value, fold(folded) as folded from (from ({values}) group by folded))"
    for step in steps:
        folded = f"(select value, {step} as folded from {folded})"
    connection.execute(f"create table {table} as select value, {further} from {folded}")


def describe_names(connection: DuckDBPyConnection, *, is_frozen: bool) -> None:
    """Create `first_names` and `forms` of `records`. Reads `common_names` and `nicknames`.

    With `is_frozen`, how common a first name is comes from the kept `frequencies`, not from the records.

    - `first_names`: one row per folded first name; `usage` holds `bearers`, its number of different last names where
      they are many, `is_known` where everybody knows the name, `gender`, f or m where it is known of a name of this
      spelling, `stands_for`, the names that it is a pet form of (also in the common spelling), and `spelling`, which is
      one for several spellings.
    - `forms`: one row per combination of names, birth date and generation; what guards compare.
      `last_spelling` is one for several spellings of a last name.
    """
    _count_first_names(connection, is_frozen=is_frozen)
    connection.execute(
        """
        create table forms as
        select form, first_name, last_name, birth_date, generation, usage, last_spelling,
        from (select distinct form, first_name, last_name, birth_date, generation from records)
        left join first_names using (first_name)
        left join (
            select last_name, spelling_of(squeeze(last_name)) as last_spelling
            from (select distinct last_name from records where last_name is not null)
        ) using (last_name)
        """
    )


def find_default_dates(connection: DuckDBPyConnection, records: str, table: str = "default_dates") -> None:
    """Create the table, unless it is there: the birth dates stated too often among `records` to be anybody's."""
    connection.execute(
        f"""
        create table if not exists {table} as
        with usual as (
            select {DEFAULT_DATE_FACTOR} * count(distinct {_NAMES}) / {DAYS} as most from {records}
        ),
        frequent as (  -- names are counted for few dates only
            select stated_birth_date from {records} cross join usual where stated_birth_date is not null
            group by stated_birth_date, most having count(*) > most and count(*) >= {DEFAULT_DATE_INITIALS}
        )
        select stated_birth_date as birth_date
        from {records} semi join frequent using (stated_birth_date) cross join usual
        group by stated_birth_date, most
        having count(distinct {_NAMES}) > most and count(distinct {_INITIALS}) >= {DEFAULT_DATE_INITIALS}
        """
    )


def list_common_names(connection: DuckDBPyConnection) -> None:
    """Create `common_names`, first names that everybody knows, and `nicknames`: of what name something is a pet form.

    Both folded, as first names of records are.
    """
    connection.execute(
        "create table common_names as select fold_name(unnest($1)) as name, unnest($2) as gender",
        [[*FEMALE, *MALE, *EITHER], ["f"] * len(FEMALE) + ["m"] * len(MALE) + [None] * len(EITHER)],
    )
    connection.execute(
        "create table nicknames as select form, list(distinct name order by name) as names from ("
        "select form, unnest([name, spelling_of(squeeze(name))]) as name "
        "from (select fold_name(unnest($1)) as form, fold_name(unnest($2)) as name)) group by form",
        [list(column) for column in zip(*list_nicknames(), strict=True)],
    )


def _count_first_names(connection: DuckDBPyConnection, *, is_frozen: bool) -> None:
    # As they are frozen, so that a model that was just learned and the same one kept see the same.
    counted = f"case when counted.bearers >= {ESTABLISHED_BEARERS} then counted.bearers else 0 end"
    bearers = "coalesce(kept.frequency, 0)::bigint" if is_frozen else counted
    connection.execute(
        f"""
        create table first_names as
        select counted.first_name, struct_pack(
            bearers := greatest({bearers}, case when common.name is not null then {ESTABLISHED_BEARERS} else 0 end),
            is_known := common.name is not null,
            gender := case when first_token.name is not null then first_token.gender else respelled.gender end,
            stands_for := nicknames.names,
            spelling := spelling_of(squeeze(counted.first_name))
        ) as usage
        from (
            select first_name, count(distinct squeeze(last_name)) as bearers
            from records where first_name is not null group by first_name
        ) as counted
        left join (from frequencies where field = {literal(BEARERS)}) as kept on kept.value = counted.first_name
        left join common_names as common on common.name = counted.first_name
        left join nicknames on nicknames.form = counted.first_name
        left join common_names as first_token on first_token.name = split_part(counted.first_name, ' ', 1)
        left join (
            select spelling_of(name) as spelling, max(gender) as gender from common_names group by spelling
            having count(*) = count(gender) and min(gender) = max(gender)
        ) as respelled on respelled.spelling = spelling_of(split_part(counted.first_name, ' ', 1))
        """
    )


def describe_records(connection: DuckDBPyConnection) -> None:
    """Create `descriptions`, after shared and blocked values were taken out of `records`: the hash of what each says.

    Records that agree in everything, a full name and a way to reach that person among it, have the same one; a record
    of which less is known has its own. That two of ten million records that differ share one is one chance in three
    hundred thousand.
    """
    connection.execute(
        """
        create table descriptions as
        select n,
            hash(form, email, phones, street, house_number, postal_code, city, person_kind, identifier_kinds,
                identifier_values,
                case when first_name is null or last_name is null
                       or not (email is not null or len(phones) > 0
                               or (birth_date is not null and postal_code is not null)
                               or (street is not null and house_number is not null and postal_code is not null))
                     then n end) as description,
        from records left join known_identifiers using (n)
        """
    )


def create_profiles(connection: DuckDBPyConnection) -> None:
    """Create `profiles`: one row per description, with the first of its records and all of them; compared once."""
    connection.execute(
        """
        create table profiles as
        with grouped as (select min(n) as n, list_sort(list(n)) as members from descriptions group by description)
        select n, members, form, first_name, last_name, birth_date, email, phones, street, house_number, postal_code,
            city, person_kind, identifier_kinds, identifier_values,
        from grouped join records using (n) left join known_identifiers using (n)
        """
    )


# What `fold_records` reads of a person.
PERSON_COLUMNS = (
    *("record_key", "kind", "is_deleted", "created_at", "first_name", "last_name", "birth_date", "email_match"),
    *("phone", "mobile", "street", "house_number", "postal_code", "city", "merged_into_record_key", "identifiers"),
)

# What `restore_values` reads.
VALUE_COLUMNS = ("record_key", "email_match", "phone", "mobile", "street", "house_number")

# What is dear to fold is folded once per value: what is done step by step after `fold`, what is needed of it, the
# columns with such values. In one expression each step would be compiled as often as the next one names it.
_FOLDED: dict[str, tuple[tuple[str, ...], str, tuple[str, ...]]] = {
    "folded_names": (
        ("name_of_folded(folded)", "without_titles(folded)"),
        "without_generation(folded) as folded, generation_of(folded, null) as generation_of_first, "
        "generation_of(null, folded) as generation_of_last",
        ("first_name", "last_name"),
    ),
    "folded_streets": (("name_of_folded(folded)", "street_of_name(folded)"), "folded", ("street",)),
    "folded_cities": (("squeeze(folded)",), "folded", ("city",)),
}

# Everything that is read of a record, here and where its contact points and orders are. Sums, because they need no
# order.
_INPUTS = """
create table inputs as
with pointed as (
    select record_key, sum(hash(kind, value) >> 8) as points from further_points group by record_key
),
named as (
    select record_key, sum(hash(buyer_record_key) >> 8) as buyers from (
        select distinct record_key, buyer_record_key from {warehouse}.clean.order_references
        union select buyer_record_key, buyer_record_key from {warehouse}.clean.order_references)
    group by record_key
),
merge_targets as (
    select record_key from {warehouse}.clean.persons
    where record_key in (select merged_into_record_key from {warehouse}.clean.persons)
)
select record_key,
    hash(record_key, kind, is_deleted, created_at, first_name, last_name, birth_date, {is_plausible}, email,
        email_match, phone, mobile, street, house_number, postal_code, city, merged_into_record_key,
        coalesce(merged_into_record_key in (from merge_targets), false), identifiers, points, buyers)
    as said,
from {warehouse}.clean.persons left join pointed using (record_key) left join named using (record_key)
"""

# What `limits` may take away.
_VALUES = """
    email_match as email,
    case when phone is null and mobile is null then []::text[] when mobile is null or phone = mobile then [phone]
         when phone is null then [mobile] else [least(phone, mobile), greatest(phone, mobile)] end as phones,
    folded_streets.folded as street,
    fold_house(house_number) as house_number
"""

_RESTORE = f"""
update records set
    email = said.email, phones = said.phones, street = said.street, house_number = said.house_number
from (
    select record_key, {_VALUES}
    from {{persons}} as person left join folded_streets on folded_streets.value = person.street
) as said
where said.record_key = records.record_key
"""

_STATED = """
create table stated as
with merge_targets as (
    select record_key from {warehouse}.clean.persons
    where record_key in (select merged_into_record_key from {persons})
),
merged_names as (
    -- A record that its source merged away says nothing about who the person is; the record it went into does.
    select *, coalesce(merged_into_record_key in (from merge_targets), false) as is_merged_away from {persons}
)
select
    n,
    record_key,
    kind as person_kind,
    coalesce(not is_deleted, true) as is_live,
    created_at,
    case when not is_merged_away then first_names.folded end as first_name,
    case when not is_merged_away then last_names.folded end as last_name,
    case when not is_merged_away
         then greatest(generation_of_last, generation_of_first) end as generation,  -- younger, if either says so
    case when not is_merged_away and {is_plausible} then birth_date::date end as stated_birth_date,
    {values},
    fold_code(postal_code) as postal_code,
    folded_cities.folded as city,
    merged_into_record_key as merged_into,
    identifiers,
from merged_names
join numbers using (record_key)
left join (select value, folded, generation_of_first from folded_names) as first_names
    on first_names.value = merged_names.first_name
left join (select value, folded, generation_of_last from folded_names) as last_names
    on last_names.value = merged_names.last_name
left join folded_streets on folded_streets.value = street
left join folded_cities on folded_cities.value = city
"""

_RECORDS = """
create table records as
with dated as (
    select *, case when stated_birth_date not in (from default_dates) then stated_birth_date end as birth_date
    from stated
)
select *, hash(first_name, last_name, birth_date, generation) as form from dated
"""
