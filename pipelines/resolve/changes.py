"""Which records a night finds changed, and the numbers of those that are new.

Change here what makes a night too large, or too full, to continue from what was kept. What is read of a record is said
in `records`; what a changed one touches, in `increments`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from pipelines.resolve.kept import KEPT
from pipelines.resolve.records import MOST_NUMBER

if TYPE_CHECKING:
    from pipelines.resolve.slices import Slices

# A night that changes more of the records than this is computed in full, which then costs as much.
MOST_CHANGED = 0.15


class WhyInFull(StrEnum):
    """Why a run matched all records anew instead of continuing from what the last one kept."""

    NO_MODEL = "no model had been learned"
    NOTHING_KEPT = "nothing had been kept"
    OTHER_CONDITIONS = "software, configuration or model had changed"
    DAMAGED = "what had been kept was damaged"
    TOO_MUCH_CHANGED = "too many records had changed"
    NO_ROOM = "too many new records came to one place in the order of keys"
    OTHER_DEFAULT_DATES = "other birth dates had become nobody's"
    OTHER_HOMES = "homes had come to be shared, or ceased to be"
    DRIFTED = "the data had drifted from what the model was learned from"
    ISSUED_ELSEWHERE = "a new id had been issued before"
    FAULT = "continuing failed for a fault in this software"


class CannotContinueError(Exception):
    """A night from which what was kept does not lead to what a full run gives."""

    def __init__(self, why: WhyInFull) -> None:
        super().__init__(why)
        self.why = why


def find_changes(slices: Slices) -> None:
    """Create `changes`: one row per record that is new, gone, or says something else; and number the new ones.

    `n` was and stays the number of a record; a new one comes between its neighbors in the order of keys.
    """
    slices.run(
        f"""
        create table changes as
        with said_before as (select record_key, n from {KEPT}.numbers anti join inputs using (said)),
        said_now as (from inputs anti join {KEPT}.numbers using (said))
        select record_key, n, n is not null as was_there, said is not null as is_there, said
        from said_before full join said_now using (record_key)
        """
    )
    if slices.count("changes") > MOST_CHANGED * slices.count("inputs"):
        raise CannotContinueError(WhyInFull.TOO_MUCH_CHANGED)
    if slices.count("(from changes where not was_there)"):
        _number_new_records(slices)
    slices.run(
        f"""
        delete from {KEPT}.numbers where n in (select n from changes);
        insert into {KEPT}.numbers by name select record_key, n, said from changes where is_there
        """
    )


def _number_new_records(slices: Slices) -> None:
    slices.run(
        f"""
        create table placed as
        with kept as (select record_key, n from {KEPT}.numbers anti join (from changes where not is_there)
            using (record_key)),
        after as (
            select new.record_key, coalesce(kept.n, 0) as lower
            from (from changes where not was_there) as new
            asof left join kept on new.record_key >= kept.record_key
        ),
        between_two as (
            select after.record_key, lower, coalesce(kept.n, {MOST_NUMBER}) as upper
            from after asof left join kept on lower < kept.n
        )
        select record_key, lower::bigint as lower, upper::bigint as upper,
            row_number() over (partition by lower order by record_key) as position,
            count(*) over (partition by lower) as new_count
        from between_two
        """
    )
    if slices.count("(from placed where upper - lower <= new_count)"):
        raise CannotContinueError(WhyInFull.NO_ROOM)
    slices.run(
        """
        update changes set n = lower + (upper - lower) * position // (new_count + 1)
        from placed where placed.record_key = changes.record_key;
        drop table placed
        """
    )
