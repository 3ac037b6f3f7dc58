"""Which pairs of profiles are scored: those that share a block key, in blocks of bounded size.

Add a block here when true pairs share something that no block has yet. Every block is linear in the records: a block
that grew too large is divided, by its own second key and then by whatever else is known, until its parts are small.
What is still too large then is the same in everything known; it is counted and left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# A block of 80 profiles makes 3,160 pairs; two persons of a common name need more than the name in common anyway.
MAX_BLOCK = 80
# What people are like is shared by more of them in a larger register, and says less: such a block grows with the number
# of profiles, the true pairs in it do not. So the largest one that is not divided is the smaller the larger the
# register: 80 profiles up to 9,000, 10 of 72,000, 5 of 144,000 and more.
SCARCE_BLOCK, SCARCE_PROFILES = 5, 144_000

_NAME = "least(first_name, last_name) || ' ' || greatest(first_name, last_name)"
_PLACE = "coalesce(postal_code, city)"

# (key, second key by which an oversized block is divided), SQL over `scored_profiles`. A profile of which a part of the
# key is not known is not in the block. First what people carry: how many share one does not depend on the register.
_CARRIED: tuple[tuple[tuple[str, ...], str], ...] = (
    (("email",), _NAME),
    (("phone",), _NAME),
    (("identifier",), _NAME),
    (("email_user",), "first_name"),
)
_ALIKE: tuple[tuple[tuple[str, ...], str], ...] = (
    ((_NAME,), _PLACE),
    ((_NAME,), "birth_date"),
    ((_NAME, _PLACE), "street"),
    (("birth_date", "left(last_name, 2)"), "left(first_name, 2)"),
    (("birth_date", "left(first_name, 2)"), "left(last_name, 2)"),
    (("birth_date", _PLACE), "left(first_name, 1)"),
    (("birth_date", "city"), "left(first_name, 1)"),
    (("birth_date",), "left(least(first_name, last_name), 3)"),
    (("postal_code", "street", "house_number"), "left(first_name, 3)"),
    (("street", "house_number", "left(least(first_name, last_name), 3)"), "first_name"),
    (("city", "street", "left(first_name, 2)"), "house_number"),
    (("postal_code", "street", "left(last_name, 2)"), "left(first_name, 2)"),
    (("city", "house_number", "left(least(first_name, last_name), 2)"), "postal_code"),
    (("postal_code", "last_name"), "left(first_name, 2)"),
    (("postal_code", "first_name"), "left(last_name, 2)"),
    (("city", "last_name", "left(first_name, 1)"), "left(first_name, 4)"),
    (("left(first_name, 3)", "left(last_name, 3)", "left(birth_date, 4)"), "first_name"),
    (("left(last_name, 3)", "left(first_name, 3)", "right(birth_date, 4)"), "first_name"),
    (("left(first_name, 3)", "left(last_name, 3)", "postal_code"), "first_name"),
)

# Blocks for registers of little data or many slips. In a large one they would hold crowds, and finer ones find enough.
_COARSE_BLOCKS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("email_domain",), "left(email, 2)"),
    (("left(email_plain, 5)",), "first_name"),
    (("first_name", "city"), "left(last_name, 2)"),
    (("last_name", "city"), "left(first_name, 2)"),
    (("first_name", "left(birth_date, 4)"), "left(last_name, 2)"),
    (("last_name", "left(birth_date, 4)"), "left(first_name, 2)"),
    (("left(birth_date, 6)", "left(first_name, 1)"), "left(last_name, 2)"),
    (("left(birth_date, 6)", "left(last_name, 1)"), "left(first_name, 2)"),
    (("left(birth_date, 6)", "city"), "left(first_name, 1)"),
    (("right(birth_date, 4)", "city"), "left(first_name, 1)"),
    (("last_sound", "left(first_name, 2)"), "left(birth_date, 4)"),
    (("left(first_name, 3)", "left(last_name, 2)"), "left(birth_date, 4)"),
)
# They are used for a model that was learned from no more profiles than this: a growing register keeps its pairs.
COARSE_PROFILES = 9_000

# By which what the second key left too large is divided further, one after the other.
_FURTHER = ("first_name", "last_name", "birth_date", _PLACE, "street", "email", "phones")

# All that blocks are divided by, second keys included.
DIVIDED_BY = (
    *("first_name", "last_name", "birth_date", "postal_code", "city", "street", "house_number", "email", "phones"),
)

# Keys of which a profile may have several.
_LISTS: Mapping[tuple[str, ...], str] = {
    ("phone",): "(select *, unnest(phones) as phone from scored_profiles)",
    ("identifier",): "(select *, unnest(identifier_values) as identifier from scored_profiles)",
}


@dataclass(frozen=True)
class Blocking:
    """What will be scored and what will not.

    Attributes:
        pair_count: pairs that will be scored.
        divided_count: blocks that were too large and are compared within parts of them only.
        oversized_count: profiles in parts that stayed too large; they are not compared within them.
    """

    pair_count: int
    divided_count: int
    oversized_count: int


def block_profiles(connection: DuckDBPyConnection, learned_from: int) -> Blocking:
    """Create `blocked_pairs` (`join_key_l`, `join_key_r`): one row per pair of profiles.

    And what that comes from: `in_blocks` of `key_profiles`, and what `count_shared_blocks` creates.
    `learned_from` is the number of profiles that the model was or will be learned from.
    """
    key_profiles(connection, learned_from)
    count_shared_blocks(connection, learned_from)
    choose_pairs(connection)
    return count_blocking(connection, "blocked_pairs")


def count_shared_blocks(connection: DuckDBPyConnection, learned_from: int) -> None:
    """Divide the blocks in `in_blocks` that are too large, and count what pairs have in common.

    A block depends on the profiles in it alone. Creates

    - `blocked`: one row per pair (`a`, `b`, a < b) and in how many blocks both are, `times`.
    - `divided`: the keys of the blocks that were too large and are compared within parts of them only, and how many
      profiles are in each, `size`.
    - `block_parts`: one row per such block, `whole`, and profile in it, with the `key` of its part.
    - `oversized`: one row per part that stayed too large, by the key of its block, and profile in it.
    """
    connection.execute("create table blocks (block utinyint, n integer, key ubigint)")
    connection.execute("create table twos (pair bigint)")
    largest = largest_of_block(learned_from)
    _settle(connection, largest, "in_blocks")
    connection.execute(
        f"""
        create table divided as select key, count(*)::integer as size from undivided group by key;
        create table block_parts as
        select block, n, {part_of_block(learned_from)} as key, key as whole
        from undivided join scored_profiles using (n)
        """
    )
    _settle(connection, largest, "block_parts")
    for column in _FURTHER:
        if not _count(connection, "select count(*) from undivided"):
            break
        connection.execute(
            f"create or replace table undivided as select block, n, hash(key, hash({column})) as key, whole "
            "from undivided join scored_profiles using (n)"
        )
        _settle(connection, largest)
    _settle(connection, str(MAX_BLOCK))  # what nothing divides any more is compared as it is
    connection.execute(_BLOCKED)
    connection.execute("create table oversized as select distinct whole as key, n from undivided")
    connection.execute("drop table blocks; drop table twos; drop table undivided")


def part_of_block(learned_from: int) -> str:
    """SQL for the key of the part of a block `block`, `key` that a profile is in, once it is divided."""
    seconds = " ".join(f"when {i} then hash({second})" for i, (_, second) in enumerate(_list_blocks(learned_from)))
    return f"hash(key, case block {seconds} end)"


def largest_of_block(learned_from: int) -> str:
    """SQL for how many profiles are in the largest block like `block` that is not divided."""
    return f"case when block < {len(_CARRIED)} then {MAX_BLOCK} else {largest_undivided(learned_from)} end"


def choose_pairs(connection: DuckDBPyConnection) -> None:
    """Create `blocked_pairs`, the pairs of `blocked` that no exact rule links."""
    connection.execute(
        "create table blocked_pairs as select a as join_key_l, b as join_key_r "
        "from blocked anti join exact_edges using (a, b)"
    )


def count_blocking(connection: DuckDBPyConnection, pairs: str) -> Blocking:
    """The counts of `divided`, `oversized` and a table with one row per pair that no exact rule links."""
    return Blocking(
        pair_count=_count(connection, f"select count(*) from {pairs}"),
        divided_count=_count(connection, "select count(*) from divided"),
        oversized_count=_count(connection, "select count(distinct n) from oversized"),
    )


def largest_undivided(profile_count: int) -> int:
    """The profiles of the largest block that is compared as it is, in a register of so many profiles."""
    return min(MAX_BLOCK, max(SCARCE_BLOCK, SCARCE_BLOCK * SCARCE_PROFILES // max(profile_count, 1)))


def _list_blocks(learned_from: int) -> Sequence[tuple[tuple[str, ...], str]]:
    return _CARRIED + _ALIKE + (_COARSE_BLOCKS if learned_from <= COARSE_PROFILES else ())


def key_profiles(connection: DuckDBPyConnection, learned_from: int) -> None:
    """Create `in_blocks`: one row per block, profile in it, and hash of its key, which tells blocks apart.

    Two keys of one hash are one block, which only makes pairs that are weighed and found strangers.
    """
    blocks = _list_blocks(learned_from)

    def keyed(i: int) -> str:
        return f"{{'block': {i}::utinyint, 'key': hash({i}, {', '.join(blocks[i][0])})}}"

    of_values = ", ".join(
        f"case when {_is_known(key)} then {keyed(i)} end" for i, (key, _) in enumerate(blocks) if key not in _LISTS
    )
    sources = [f"select n, unnest([{of_values}]) as keyed from scored_profiles"]
    sources += [
        f"select n, {keyed(i)} as keyed from {_LISTS[key]} where {_is_known(key)}"
        for i, (key, _) in enumerate(blocks)
        if key in _LISTS
    ]
    every = "\nunion all\n".join(sources)
    connection.execute(
        f"create table in_blocks as select keyed.block, n, keyed.key from ({every}) where keyed is not null"
    )


def _is_known(key: Sequence[str]) -> str:
    return " and ".join(f"({part}) is not null" for part in key)


def _settle(connection: DuckDBPyConnection, largest: str, source: str = "undivided") -> None:
    """Move the blocks of up to `largest` profiles, SQL over `block`, from `source` to `blocks`.

    Blocks of two, which are most, go to `twos` as the pair they are. Who is alone in a block is in none. What is too
    large is `undivided`.
    """
    connection.execute(
        f"""
        create or replace table sized as
        select key, count(*) as size, min(n) as a, max(n) as b from {source} group by key having count(*) > 1;
        insert into twos select (a::bigint << 32) | b from sized where size = 2 and a < b;
        create or replace table judged as
        select keyed.*, size <= {largest} as is_small
        from {source} as keyed join (select key, size from sized where size > 2) using (key);
        insert into blocks select block, n, key from judged where is_small;
        create or replace table undivided as select * exclude is_small from judged where not is_small;
        drop table sized; drop table judged
        """
    )


# Both numbers in one, because so many are told apart faster.
_BLOCKED = """
create table blocked as
select (pair >> 32)::integer as a, (pair & 4294967295)::integer as b, count(*)::usmallint as times
from (
    select (l.n::bigint << 32) | r.n as pair from blocks as l join blocks as r on l.key = r.key and l.n < r.n
    union all
    from twos
)
group by pair
"""


def _count(connection: DuckDBPyConnection, query: str) -> int:
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0
