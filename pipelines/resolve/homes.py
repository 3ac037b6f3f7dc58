"""Which values a home may share though only one person of it has been seen: as often as others are.

Change here when a record without a first name is not taken for the one person who is known on its mailbox or phone.
Values that several people are seen on are found in `limits`; what follows for a link is decided in `evidence` and
`guards`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# Of the records with a first name that share a value with one other person as far as is seen, the share that are
# somebody else: how often a record would be given to a wrong person, had it no first name. From this share on it is
# not. Observed for mailboxes that do not name their bearer: .02 in the sample (where of 47 records without a first name
# none was another's), .04 in fake_1000 (none of 34); .31 in lists of families whose members are mostly seen once (a
# quarter), .11 to .16 of phones that two of five in a home share (a tenth).
OTHERS_SHARE = 0.09
# At an address an error in the first name looks like another of the home: .12 in FEBRL, which has nobody else there.
OTHERS_AT_ADDRESS = 0.125
# An initial leaves one of twelve. From this share on, where hardly anybody is seen twice on one value, it is no person
# that is known there either: .82 of the phones of a source that knows households (all of 12), .65 of mailboxes of
# families, where 9 of 373 were another's.
INITIALS_SHARE = 0.7
# Before any are counted, one of twenty-five is taken to be another, with the weight of so many records.
USUAL_SHARE, USUAL_RECORDS = 0.04, 50
SHORTEST_NAME = 3  # letters of a first name that a mailbox is told by


def describe_shared_values(connection: DuckDBPyConnection) -> None:
    """Create `shared_values`: one row per `value_key` with several carriers, told by these alone.

    `named_count` is how many of them have a first name, `single_count` how many first names one of them has, `is_named`
    true where a mailbox has one of these in it. Reads `carriers`, `carried_forms` and `forms`.
    """
    connection.execute(_SHARED_VALUES.format(shortest=SHORTEST_NAME))


def find_home_values(connection: DuckDBPyConnection) -> None:
    """Create `home_values`: one row per mailbox, phone or address (`value_key`, `kind`) that a home may share.

    `hides_initials` is true where not even an initial says who of the home it is.

    A mailbox that has the first name of a bearer in it is that person's own: of such, hardly any is shared. Reads
    `shared_values` and `identifier_values`, all of them: what is usual is a share of all values of a kind.
    """
    connection.execute(
        _HOME_VALUES.format(
            share=OTHERS_SHARE,
            at_address=OTHERS_AT_ADDRESS,
            initials=INITIALS_SHARE,
            usual=USUAL_SHARE * USUAL_RECORDS,
            count=USUAL_RECORDS,
        )
    )


_SHARED_VALUES = """
create table shared_values as
with mailboxes as (
    select value_key, any_value(regexp_replace(split_part(value, '@', 1), '[^a-z]', '', 'g')) as mailbox
    from carriers where kind = 'email' group by value_key
),
spelled as (
    select value_key, kind, first_name, sum(times) as times,
        length(first_name) >= {shortest} and contains(mailbox, squeeze(first_name)) as is_named,
    from carried_forms join forms using (form) left join mailboxes using (value_key)
    where kind in ('email', 'phone', 'address')
    group by value_key, kind, first_name, mailbox
)
select value_key, kind, coalesce(bool_or(is_named), false) as is_named,
    sum(times) filter (first_name is not null)::integer as named_count,
    count(*) filter (first_name is not null and times = 1)::integer as single_count,
from spelled group by value_key, kind
"""

_HOME_VALUES = """
create table home_values as
with kinds as (
    select kind,
        (coalesce(sum(single_count) filter (names = 2), 0) + {usual})
            / (coalesce(sum(case names when 1 then named_count when 2 then single_count end), 0) + {count})
            as others_share,
    from shared_values join identifier_values using (value_key)
    where named_count > 1 and not is_named and problem is null
    group by kind
)
select value_key, kind, others_share >= {initials} as hides_initials,
from shared_values join kinds using (kind)
where not is_named and others_share >= case kind when 'address' then {at_address} else {share} end
"""
