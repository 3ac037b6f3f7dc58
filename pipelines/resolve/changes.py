"""Which records a night finds changed, and the numbers of those that are new.

Change here what makes a night too large, or too full, to continue from what was kept. What is read of a record is said
in `records`; what a changed one touches, in `increments`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.resolve.kept import KEPT
from pipelines.resolve.records import MOST_NUMBER

if TYPE_CHECKING:
    from pipelines.resolve.slices import Slices

# A night that changes more of the records than this is computed in full, which then costs as much.
MOST_CHANGED = 0.15


class CannotContinueError(Exception):
    """A night from which what was kept does not lead to what a full run gives."""


def find_changes(slices: Slices) -> None:
    """Create `changes`: one row per record that is new, gone, or says something else; and number the new ones.

    `n` was and stays the number of a record; a new one comes between its neighbors in the order of keys.
    """
    slices.run(
        f"""
        create table changes as
        select record_key, kept.n, kept.n is not null as was_there, inputs.said is not null as is_there, inputs.said
        from {KEPT}.numbers as kept full join inputs using (record_key)
        where kept.said is distinct from inputs.said
        """
    )
    if slices.count("changes") > MOST_CHANGED * slices.count("inputs"):
        raise CannotContinueError
    slices.run(
        f"""
        create table placed as
        with kept as (select record_key, n from {KEPT}.numbers anti join (from changes where not is_there)
            using (record_key)),
        numbered as (
            select record_key, n as lower, lead(n, 1, {MOST_NUMBER}) over (order by n) as upper from kept
            union all
            select '', 0, coalesce(min(n), {MOST_NUMBER}) from kept
        ),
        between_two as (
            select changes.record_key, lower, upper
            from (from changes where not was_there) as changes
            asof join numbered on changes.record_key >= numbered.record_key
        )
        select record_key, lower::bigint as lower, upper::bigint as upper,
            row_number() over (partition by lower order by record_key) as position,
            count(*) over (partition by lower) as new_count
        from between_two
        """
    )
    if slices.count("(from placed where upper - lower <= new_count)"):
        raise CannotContinueError
    slices.run(
        f"""
        update changes set n = lower + (upper - lower) * position // (new_count + 1)
        from placed where placed.record_key = changes.record_key;
        drop table placed;
        delete from {KEPT}.numbers where n in (select n from changes);
        insert into {KEPT}.numbers by name select record_key, n, said from changes where is_there
        """
    )
