"""What a night renews of blocks: what pairs have in common by blocks that a profile came to or left.

Change here which members of a block are looked at. How blocks are keyed, divided and counted is in `blocking`; why
these members are enough, in `increments`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.resolve.blocking import (
    DIVIDED_BY,
    count_shared_blocks,
    key_profiles,
    largest_of_block,
    part_of_block,
)
from pipelines.resolve.kept import complete
from pipelines.resolve.slices import Slices

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class BlockPhases(Slices):
    """The steps in their order; each leaves in the scratch catalog what the next one reads.

    A block that was too large and still is stays divided, so of it only parts are looked at, as blocks of their own:
    those that a compared profile came to or left, and of those that it stays in the ones that have to be divided
    further, for how they are depends on all that is known of its members. Of any other block that a profile came to or
    left all members are.
    """

    def __init__(self, connection: DuckDBPyConnection, main: str, learned_from: int) -> None:
        super().__init__(connection, main)
        self._learned_from = learned_from
        self._largest = largest_of_block(learned_from)

    def renew_blocks(self) -> None:
        """Renew all that `blocking` creates; create `counted_pairs`, the pairs that share more or fewer blocks."""
        self._find_moves()
        self._find_moved_parts()
        self._find_crowds()
        self._renew_memberships()
        self._count_moved_parts()
        self.run(
            """
            create table counted_pairs as
            select a, b, coalesce(was.times, 0) + moved_pairs.times as times
            from moved_pairs left join kept.blocked as was using (a, b);
            delete from kept.blocked where (a, b) in (select (a, b) from moved_pairs);
            insert into kept.blocked select a, b, times from counted_pairs where times > 0
            """
        )

    def _find_moves(self) -> None:
        """Create `moves`, where compared profiles were and are, and `moved_blocks`, which they came to or left.

        Or in which they stay, where it was divided.
        """
        with self.slice():
            # Before and now at once: as profiles with an even and an odd number.
            profiles = complete(
                "select * replace (2 * n::bigint as n) from compared_before union all by name "
                "select * replace (2 * n::bigint + 1 as n) from compared_now"
            )
            self.run(f"create view {self.part}.scored_profiles as {profiles}")
            key_profiles(self.connection, self._learned_from)
            self.run(
                f"""
                create table {self.main}.moves as
                select block, (n // 2)::integer as n, key, bool_or(n % 2 = 0) as was_in, bool_or(n % 2 = 1) as is_in
                from in_blocks group by block, n // 2, key
                """
            )
        self.run(
            f"""
            create table moved_blocks as
            with resized as (
                select block, key, sum(is_in::integer - was_in::integer)::integer as growth,
                    bool_or(was_in <> is_in) as is_moved
                from moves group by block, key
            )
            select key, growth, size is not null as was_divided,
                coalesce(size + growth > {self._largest}, false) as stays_divided
            from resized left join kept.divided using (key)
            where is_moved or size is not null
            """
        )

    def _find_moved_parts(self) -> None:
        """Create `in_moved_parts`: who is and was in moved blocks, or in such parts instead, whose block is `whole`.

        `parts_now` are the parts that compared profiles are in.
        """
        part = part_of_block(self._learned_from)
        for moment, is_in in (("before", "was_in"), ("now", "is_in")):
            self.run(
                f"""
                create table parts_{moment} as
                select block, n, {part} as key, key as whole
                from moves semi join (from moved_blocks where stays_divided) using (key)
                join compared_{moment} using (n)
                where {is_in}
                """
            )
        self.run(
            f"""
            create table were_in_parts as
            from kept.block_parts semi join (from parts_before union all from parts_now) using (key);
            create table moved_parts as
            select key from (
                (select n, key from parts_before except select n, key from parts_now)
                union all (select n, key from parts_now except select n, key from parts_before))
            union
            select key from were_in_parts group by block, key having count(*) > {self._largest};
            create table in_moved_parts as
            with open_blocks as materialized (select key from moved_blocks where not stays_divided),
            were_in as materialized (
                select block, n, key, key as whole from kept.in_blocks semi join open_blocks using (key)
                union all
                select block, n, key, whole from were_in_parts semi join moved_parts using (key)
            )
            select *, false as is_now from were_in
            union all
            select *, true from were_in anti join compared using (n)
            union all
            select block, n, key, key, true from moves semi join open_blocks using (key) where is_in
            union all
            select *, true from parts_now semi join moved_parts using (key)
            """
        )

    def _find_crowds(self) -> None:
        """Create `crowd` and `crowd_before`: what is and was known of those in a part that has to be divided."""
        columns = ", ".join(DIVIDED_BY)
        self.run(
            f"""
            create table crowded as
            with crowds as (
                select key, is_now from in_moved_parts group by block, key, is_now having count(*) > {self._largest}
            )
            select distinct n from in_moved_parts semi join crowds using (key, is_now);
            create table crowd as
            select n, {columns} from kept.scored_profiles semi join crowded using (n);
            create table crowd_before as
            select n, {columns} from compared_before semi join crowded using (n)
            union all
            from crowd anti join compared using (n)
            """
        )

    def _renew_memberships(self) -> None:
        """Renew who is in which block, and in which part of those that stay divided."""
        self.run(
            """
            delete from kept.in_blocks where n in (from compared);
            insert into kept.in_blocks select block, n, key from moves where is_in;
            create table reunited as select key from moved_blocks where was_divided and not stays_divided;
            delete from kept.block_parts where n in (from compared) or whole in (from reunited);
            insert into kept.block_parts from parts_now;
            delete from kept.divided where key in (from reunited);
            update kept.divided set size = size + growth from moved_blocks
            where moved_blocks.key = divided.key and growth <> 0
            """
        )

    def _count_moved_parts(self) -> None:
        """Create `moved_pairs`: how many more or fewer of the moved blocks they share; renew what is divided anew.

        Parts as they are now and as they were are counted at once, as other blocks of other profiles: those now have
        the odd numbers.
        """
        self.run(
            """
            create table places as
            select n, (2 * row_number() over (order by n))::integer as place
            from (select distinct n from in_moved_parts)
            """
        )
        with self.slice(
            in_blocks="select block, place + is_now::integer as n, case when is_now then key else hash(key) end as key "
            "from in_moved_parts join places using (n)",
            scored_profiles="select * exclude (place) replace (place + 1 as n) from crowd join places using (n) "
            "union all select * exclude (place) replace (place as n) from crowd_before join places using (n)",
        ):
            count_shared_blocks(self.connection, self._learned_from)
            self.run(
                f"""
                create table {self.main}.moved_pairs as
                with counted as (
                    select a // 2 * 2 as place_a, b // 2 * 2 as place_b,
                        sum(case when a % 2 = 1 then times::integer else -times::integer end) as difference
                    from blocked group by all
                )
                select l.n as a, r.n as b, difference as times from (from counted where difference <> 0)
                join places as l on l.place = place_a join places as r on r.place = place_b;
                delete from kept.oversized where (key, n) in (select (whole, n) from in_moved_parts where not is_now);
                insert into kept.oversized
                select distinct moved.whole, places.n
                from oversized join places on place + 1 = oversized.n
                join in_moved_parts as moved on moved.key = oversized.key and moved.n = places.n and is_now;
                insert into kept.block_parts
                select block, places.n, anew.key, whole
                from block_parts as anew join places on place + 1 = anew.n
                semi join (from moved_blocks where not stays_divided) as moved on moved.key = whole;
                insert into kept.divided
                from divided semi join (from moved_blocks where not stays_divided) using (key)
                """
            )
