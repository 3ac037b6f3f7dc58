"""Which pairs of profiles are scored: those that share a block key, in blocks of bounded size.

Add a block here when true pairs share something that no block has yet. Every block is linear in the records: a block
that grew too large is divided, by its own second key and then by whatever else is known, until its parts are small.
What is still too large then is the same in everything known; it is counted and left out.
"""

from __future__ import annotations

from collections.abc import Sequence
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

# Blocks for registers of little data or many slips. In a large one they would hold crowds, and finer ones find enough.
_COARSE_BLOCKS = (
    ("email_domain", "left(email, 2)"),
    ("left(email_plain, 5)", "first_name"),
    ("first_name || city", "left(last_name, 2)"),
    ("last_name || city", "left(first_name, 2)"),
    ("first_name || left(birth_date, 4)", "left(last_name, 2)"),
    ("last_name || left(birth_date, 4)", "left(first_name, 2)"),
    ("left(birth_date, 6) || left(first_name, 1)", "left(last_name, 2)"),
    ("left(birth_date, 6) || left(last_name, 1)", "left(first_name, 2)"),
    ("left(birth_date, 6) || city", "left(first_name, 1)"),
    ("right(birth_date, 4) || city", "left(first_name, 1)"),
    ("last_sound || left(first_name, 2)", "left(birth_date, 4)"),
    ("left(first_name, 3) || left(last_name, 2)", "left(birth_date, 4)"),
)
# They are used for a model that was learned from no more profiles than this: a growing register keeps its pairs.
COARSE_PROFILES = 9_000

# By which what the second key left too large is divided further, one after the other.
_FURTHER = ("first_name", "last_name", "birth_date", _PLACE, "street", "email", "phones::text")

# Keys of which a profile may have several.
_LISTS = {
    "phone": "(select *, unnest(phones) as phone from scored_profiles)",
    "identifier": "(select *, unnest(identifier_values) as identifier from scored_profiles)",
}


@dataclass(frozen=True)
class Blocking:
    """What will be scored and what will not.

    Attributes:
        pair_count: pairs that will be scored.
        divided_count: profiles in blocks that were too large and compared within parts of them only.
        oversized_count: profiles in parts that stayed too large; they are not compared within them.
    """

    pair_count: int
    divided_count: int
    oversized_count: int


def block_profiles(connection: DuckDBPyConnection, learned_from: int) -> Blocking:
    """Create `blocked_pairs` (`match_key`, `join_key_l`, `join_key_r`): one row per pair of profiles.

    `learned_from` is the number of profiles that the model was or will be learned from.
    """
    _create_blocks(connection, _BLOCKS + (_COARSE_BLOCKS if learned_from <= COARSE_PROFILES else ()))
    _move_oversized(connection)
    divided_count = _count(connection, "select count(distinct n) from oversized")
    for key in ("second", *_FURTHER):
        if not _count(connection, "select count(*) from oversized"):
            break
        connection.execute(
            f"""
            insert into blocks
            select block, n, key || chr(31) || coalesce(({key})::text, ''), second
            from oversized join scored_profiles using (n);
            delete from oversized
            """
        )
        _move_oversized(connection)
    connection.execute(
        """
        create table blocked_pairs as
        select distinct '0' as match_key, a.n as join_key_l, b.n as join_key_r
        from blocks as a join blocks as b on a.block = b.block and a.key = b.key and a.n < b.n
        anti join exact_edges on exact_edges.a = a.n and exact_edges.b = b.n
        """
    )
    found = Blocking(
        pair_count=_count(connection, "select count(*) from blocked_pairs"),
        divided_count=divided_count,
        oversized_count=_count(connection, "select count(distinct n) from oversized"),
    )
    connection.execute("drop table blocks; drop table oversized")
    return found


def _create_blocks(connection: DuckDBPyConnection, blocks: Sequence[tuple[str, str]]) -> None:
    """Create `blocks`: one row per block, key and profile in it, where a profile is not alone."""
    keyed = "\nunion all\n".join(
        f"select {i} as block, n, ({key})::text as key, ({second})::text as second from "
        + _LISTS.get(key, "scored_profiles")
        for i, (key, second) in enumerate(blocks)
    )
    connection.execute(
        f"""
        create table blocks as
        select * from ({keyed}) where key is not null
        qualify count(*) over (partition by block, key) > 1
        """
    )
    connection.execute("create table oversized as from blocks limit 0")


def _move_oversized(connection: DuckDBPyConnection) -> None:
    """Move the blocks that are too large from `blocks` to `oversized`."""
    connection.execute(
        f"""
        insert into oversized
        select * from blocks qualify count(*) over (partition by block, key) > {MAX_BLOCK};
        delete from blocks where (block, key) in (select distinct (block, key) from oversized)
        """
    )


def _count(connection: DuckDBPyConnection, query: str) -> int:
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0
