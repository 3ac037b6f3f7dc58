"""Which pairs of profiles are scored: those that share a block key, in blocks of bounded size.

Add a block here when true pairs share something that no block has yet. Every block is linear in the records: a block
that grew too large is divided by a second key, and what is still too large is counted and left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# A block of 80 profiles makes 3,160 pairs; two persons of a common name need more than the name in common anyway.
MAX_BLOCK = 80

_NAME = "least(first_name, last_name) || ' ' || greatest(first_name, last_name)"
_PLACE = "coalesce(postal_code, city)"

# (key, second key by which an oversized block is divided), SQL over `scored_profiles`.
_BLOCKS = (
    ("email", _NAME),
    ("phone", _NAME),
    ("identifier", _NAME),
    ("email_user", "first_name"),
    (_NAME, _PLACE),
    (_NAME, "birth_date"),
    (f"{_NAME} || {_PLACE}", "street"),
    ("birth_date || left(last_name, 2)", "left(first_name, 2)"),
    ("birth_date || left(first_name, 2)", "left(last_name, 2)"),
    (f"birth_date || {_PLACE}", "left(first_name, 1)"),
    ("birth_date || city", "left(first_name, 1)"),
    ("birth_date", "left(least(first_name, last_name), 3)"),
    ("postal_code || street || house_number", "left(first_name, 3)"),
    ("street || house_number || left(least(first_name, last_name), 3)", "first_name"),
    ("city || street || left(first_name, 2)", "house_number"),
    ("postal_code || street || left(last_name, 2)", "left(first_name, 2)"),
    ("city || house_number || left(least(first_name, last_name), 2)", "postal_code"),
    ("postal_code || last_name", "left(first_name, 2)"),
    ("postal_code || first_name", "left(last_name, 2)"),
    ("city || last_name || left(first_name, 1)", "left(first_name, 4)"),
    ("left(first_name, 3) || left(last_name, 3) || left(birth_date, 4)", "first_name"),
    ("left(last_name, 3) || left(first_name, 3) || right(birth_date, 4)", "first_name"),
    ("left(first_name, 3) || left(last_name, 3) || postal_code", "first_name"),
)

# Keys of which a profile may have several.
_LISTS = {
    "phone": "(select *, unnest(phones) as phone from scored_profiles)",
    "identifier": "(select *, unnest(identifier_values) as identifier from scored_profiles)",
}


@dataclass(frozen=True)
class Blocking:
    """How many pairs will be scored, and how many profiles were in blocks too large to be compared within them."""

    pair_count: int
    oversized_count: int


def block_profiles(connection: DuckDBPyConnection) -> Blocking:
    """Create `blocked_pairs` (`match_key`, `join_key_l`, `join_key_r`): one row per pair of profiles."""
    keyed = "\nunion all\n".join(
        f"select {i} as block, n, ({key})::text as key, ({second})::text as second from "
        + _LISTS.get(key, "scored_profiles")
        for i, (key, second) in enumerate(_BLOCKS)
    )
    connection.execute(
        f"""
        create table blocks as
        with keyed as ({keyed}),
        sized as (
            select block, n, key, second, count(*) over (partition by block, key) as size
            from keyed where key is not null
        )
        select block, n,
            case when size <= {MAX_BLOCK} then key else key || chr(31) || coalesce(second, '') end as key,
        from sized where size > 1
        """
    )
    connection.execute(
        f"""
        create table oversized as
        select block, key from blocks where key is not null group by block, key having count(*) > {MAX_BLOCK}
        """
    )
    connection.execute(
        """
        create table blocked_pairs as
        with usable as (
            select * from blocks where key is not null and (block, key) not in (select (block, key) from oversized)
        )
        select distinct '0' as match_key, a.n as join_key_l, b.n as join_key_r
        from usable as a join usable as b on a.block = b.block and a.key = b.key and a.n < b.n
        anti join exact_edges on exact_edges.a = a.n and exact_edges.b = b.n
        """
    )
    pairs = connection.execute("select count(*) from blocked_pairs").fetchone()
    oversized = connection.execute(
        "select count(distinct n) from blocks where (block, key) in (select (block, key) from oversized)"
    ).fetchone()
    connection.execute("drop table blocks")
    return Blocking(int(pairs[0]) if pairs else 0, int(oversized[0]) if oversized else 0)
