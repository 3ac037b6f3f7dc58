"""Which values a home may share though only one person of it has been seen: as much as others of their kind are shared.

Change here when a record without a first name is not taken for the one person who is known on its mailbox or phone.
Values that several people are seen on are found in `limits`; what follows for a link is decided in `evidence` and
`guards`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# Of the values of a kind that two records or more with first names carry, the share that clearly different ones do,
# from which on a value is a home's until shown otherwise. Observed for mailboxes that do not name their bearer: .16 in
# the sample (where of 47 records without a first name none was another's), .05 in fake_1000 (none of 34), .42 to .54
# in lists of families of which most members are seen once (a quarter).
SHARED_SHARE = 0.2
# Before any are counted, one of ten is taken to be shared, with the weight of so many values.
USUAL_SHARE, USUAL_VALUES = 0.1, 20
SHORTEST_NAME = 3  # letters of a first name that a mailbox is told by


def find_home_values(connection: DuckDBPyConnection) -> None:
    """Create `home_values` (`value_key`, `kind`): one row per mailbox, phone or address that a home may share.

    A mailbox that has the first name of a bearer in it is that person's own: of such, hardly any is shared. Reads
    `carriers`, `carried_forms`, `forms` and `identifier_values`.
    """
    connection.execute(
        _HOME_VALUES.format(
            share=SHARED_SHARE, usual=USUAL_SHARE * USUAL_VALUES, count=USUAL_VALUES, shortest=SHORTEST_NAME
        )
    )


_HOME_VALUES = """
create table home_values as
with mailboxes as (
    select value_key, any_value(regexp_replace(split_part(value, '@', 1), '[^a-z]', '', 'g')) as mailbox
    from carriers where kind = 'email' group by value_key
),
carried as (
    select value_key, kind,
        coalesce(sum(times) filter (first_name is not null), 0) as named_count,
        coalesce(bool_or(
            length(first_name) >= {shortest} and contains(mailbox, squeeze(first_name))), false) as is_named,
    from carried_forms join forms using (form) left join mailboxes using (value_key)
    where kind in ('email', 'phone', 'address')
    group by value_key, kind
),
kinds as (
    select kind, (count(*) filter (names > 1) + {usual}) / (count(*) + {count}) as shared_share
    from carried join identifier_values using (value_key)
    where named_count > 1 and not is_named and problem is null
    group by kind
)
select value_key, kind from carried join kinds using (kind) where not is_named and shared_share >= {share}
"""
