"""The days of a sample that is delivered daily, and what goes wrong between a system and its deliveries.

Every delivery is complete: all that a system knows on that evening. Add a mishap of deliveries here, as a rate of
`DELIVERY_RATES` and a part of `plan_deliveries`. What a system knew on an earlier evening belongs to `past`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipelines.sample.chance import Array, Calendar, Random, texts
from pipelines.sample.noise import Rates

# Share of the rows that it happens to once within the days.
DELIVERY_RATES = {
    "deliver_late": 0.03,  # of what happened within the days: it comes with the delivery of the next day
    "skip_a_delivery": 0.01,  # of the records of persons: one delivery lacks them, the next one has them again
    "deliver_twice": 0.005,  # of all rows: one delivery has them two times
    "open_and_close": 0.01,  # of the shop's accounts: the person opens a second one and closes it days later
}
# Of one table, so that a delivery is never taken for a broken one.
MOST_ABSENT = 0.05
NEVER = -1


@dataclass(frozen=True)
class Day:
    """One daily delivery; `evening` is the midnight (UTC) that ends the day, `days_before` the last one."""

    number: int
    evening: np.datetime64
    days_before: int


@dataclass(frozen=True)
class Days:
    """Days 0 to `last`, of which the last is the day before as_of."""

    calendar: Calendar
    last: int

    def day(self, number: int) -> Day:
        days_before = self.last - number
        return Day(number, np.datetime64(self.calendar.today, "s") - np.timedelta64(days_before, "D"), days_before)

    def earlier(self) -> list[Day]:
        """All but the last one."""
        return [self.day(number) for number in range(self.last)]

    def first_delivery(self, moments: Array) -> Array:
        """The number of the first day whose evening is after each moment; `NEVER` where there is no moment."""
        seconds = (moments.astype("datetime64[s]") - self.day(0).evening).astype(int)
        return np.where(np.isnat(moments), NEVER, np.maximum(seconds // 86_400 + 1, 0))


@dataclass(frozen=True)
class Plan:
    """When the rows of one table are delivered; one entry per row, numbers of days or `NEVER`.

    A row is known from `known_at` on, in which lateness is contained already.
    """

    known_at: Array
    late_on: Array
    missing_on: Array
    twice_on: Array

    def rows(self, day: Day) -> Array:
        """The positions of the rows that are delivered on that day; those delivered twice stand at the end again."""
        is_there = (self.known_at < day.evening) & (self.missing_on != day.number)
        return np.concatenate([np.flatnonzero(is_there), np.flatnonzero(is_there & (self.twice_on == day.number))])

    def tell(self, record_ids: pd.Series[str]) -> pd.DataFrame:
        """One row per mishap: `source_record_id`, `kind`, `day` (of a late row the one it should have come on)."""
        found = []
        marks = {"deliver_late": self.late_on, "skip_a_delivery": self.missing_on, "deliver_twice": self.twice_on}
        for name, number in marks.items():
            hit = number != NEVER
            named = {"source_record_id": texts(record_ids[hit]), "kind": name, "day": number[hit]}
            found.append(pd.DataFrame(named))
        return pd.concat(found, ignore_index=True)


def plan_deliveries(
    known_at: pd.Series[pd.Timestamp],
    days: Days,
    random: Random,
    rates: Rates,
    *,
    may_miss: bool = False,
    may_be_late: Array | None = None,
    together: pd.Series[str] | None = None,
) -> Plan:
    """Decide for each row of a table on which days something goes wrong with its delivery.

    Args:
        known_at: when the system knew of the row first.
        may_miss: the rows are records of persons, of which a delivery may lack some.
        may_be_late: which rows may come a day late; none when None. Records of persons never do: an id that was
            issued to a later record would stand for ever.
        together: rows with the same text are late together.
    """
    known = known_at.to_numpy().astype("datetime64[s]")
    count = len(known)
    late_on = np.full(count, NEVER)
    if may_be_late is not None:
        group = np.arange(count) if together is None else pd.factorize(together)[0]
        first = days.first_delivery(known)
        # What happened before day 0 is there; what comes with the last day is complete.
        is_late = (random.random(count)[group] < rates["deliver_late"]) & may_be_late
        is_late &= (known >= days.day(0).evening - np.timedelta64(1, "D")) & (first < days.last)
        late_on = np.where(is_late, first, NEVER)
        known = np.where(is_late, known + np.timedelta64(1, "D"), known)
    first = days.first_delivery(known)
    missing_on = np.full(count, NEVER)
    if may_miss:
        chosen = _choose(first <= days.last - 2, rates["skip_a_delivery"], random)
        missing_on[chosen] = _between(first[chosen] + 1, days.last - 1, random)
    twice_on = np.full(count, NEVER)
    may_repeat = (first <= days.last - 1) & (missing_on == NEVER)
    chosen = np.flatnonzero(may_repeat & (random.random(count) < rates["deliver_twice"]))
    twice_on[chosen] = _between(first[chosen], days.last - 1, random)
    return Plan(known, late_on, missing_on, twice_on)


def open_second_accounts(
    customers: pd.DataFrame, first_id: int, days: Days, random: Random, rates: Rates
) -> pd.DataFrame:
    """Second accounts of people with one: rows of `customers` with `closed_on`, the first day without the account."""
    may_open = (customers["copy_of"] < 0).to_numpy() & (days.last >= 3)
    chosen = _choose(may_open, rates["open_and_close"], random)
    opened = _between(np.ones(len(chosen), dtype=int), days.last - 2, random)
    accounts = customers.take(chosen).reset_index(drop=True)
    moments = days.calendar.moments(days.last - opened + 1, random)
    number = pd.Series(np.arange(len(chosen)) + first_id).astype("str")
    return accounts.assign(
        record_id=number,
        copy_of=accounts["row"],
        since_days=days.last - opened + 1,
        created_at=moments,
        updated_at=moments,
        closed_on=_between(opened + 1, days.last - 1, random),
    )


def _choose(possible: Array, rate: float, random: Random) -> Array:
    """Positions of the rows that are hit, at most `MOST_ABSENT` of all."""
    chosen = np.flatnonzero(possible & (random.random(len(possible)) < rate))
    return chosen[: int(len(possible) * MOST_ABSENT)]


def _between(first: Array, last: int, random: Random) -> Array:
    """For each number another one from it to `last`."""
    found: Array = first + (random.random(len(first)) * (last - first + 1)).astype(int)
    return found
