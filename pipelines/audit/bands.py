"""Where a figure usually is: a robust band around the median of its weekday, learned from earlier versions.

Change here what counts as unusual. Which figures there are is in `metrics`, what becomes of an unusual one in
`anomalies`. Pure functions over numbers: nothing here reads a table or a clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise
from statistics import median

# A weekday is known after so many of them. A median of five is off by half a standard deviation, which WIDTH covers.
KNOWN_AFTER = 5
WINDOW = timedelta(weeks=12)  # what a company did before says little about today
# Half width of the band in standard deviations, as the median absolute deviation estimates them. Of a thousand figures
# that spread normally, one leaves it in a month of nights.
WIDTH = 6.0
MAD_TO_DEVIATION = 1.4826
SETTLED = 3  # versions in a row after which a new level is no news


class Kind(StrEnum):
    """How a figure moves: a share between 0 and 1, an amount of a day, or a stock that grows from night to night."""

    SHARE = "share"
    FLOW = "flow"
    STOCK = "stock"


@dataclass(frozen=True)
class Point:
    """A figure of one version; of several on a day, the last."""

    day: date
    value: float


@dataclass(frozen=True)
class Band:
    """Where the figure is expected, in its own unit."""

    lower: float
    upper: float

    def holds(self, value: float) -> bool:
        return self.lower <= value <= self.upper


@dataclass(frozen=True)
class Judged:
    """What is known of a figure: its band, or None after too few versions; `known` of `KNOWN_AFTER` there are."""

    band: Band | None
    known: int
    is_unusual: bool = False


def judge_figure(history: Sequence[Point], today: Point, kind: Kind) -> Judged:
    """Compare a figure with what it was in earlier versions.

    A share or the amount of a day is compared with its weekday. A stock grows, so its growth since the version before
    is compared with the growth on that weekday. A day on which most earlier amounts were zero is not judged.

    Args:
        history: earlier versions in any order; those of the same day or outside the window are left out.
        today: the version that is judged.
        kind: how the figure moves.
    """
    earlier = _one_per_day(history, today.day)
    if kind is not Kind.STOCK:
        return _judge(earlier, today, kind)
    if not earlier:
        return Judged(None, 0)
    growth = [_growth(before, after) for before, after in pairwise(earlier)]
    last = earlier[-1]
    found = _judge(growth, _growth(last, today), kind, smallest=_few(last))
    if found.band is None:
        return found
    days = (today.day - last.day).days
    scale = max(abs(last.value), 1.0) * days
    band = Band(last.value + found.band.lower * scale, last.value + found.band.upper * scale)
    return Judged(band, found.known, found.is_unusual)


def _judge(earlier: Sequence[Point], today: Point, kind: Kind, smallest: float = 0.0) -> Judged:
    by_weekday: dict[int, list[float]] = {}
    for point in earlier:
        by_weekday.setdefault(point.day.weekday(), []).append(point.value)
    same = by_weekday.get(today.day.weekday(), [])
    if len(same) < KNOWN_AFTER:
        return Judged(None, len(same))
    if kind is Kind.FLOW and sum(value == 0 for value in same) * 2 >= len(same):
        return Judged(None, len(same))
    middle = median(same)
    deviation = MAD_TO_DEVIATION * max(_deviation(same, middle), _pooled_deviation(by_weekday))
    # Equal values have no deviation: a change that nobody would look at is none.
    half = max(WIDTH * deviation, _unnoticed(kind, middle), smallest)
    band = Band(middle - half, middle + half)
    is_unusual = not band.holds(today.value) and not _has_settled(earlier[-SETTLED:], today.value, band, half)
    return Judged(band, len(same), is_unusual)


def _one_per_day(history: Sequence[Point], today: date) -> list[Point]:
    days: dict[date, Point] = {}
    for point in history:
        if today - WINDOW <= point.day < today:
            days[point.day] = point
    return [days[day] for day in sorted(days)]


def _growth(before: Point, after: Point) -> Point:
    """Growth per day, as a share of what was there."""
    days = (after.day - before.day).days
    return Point(after.day, (after.value - before.value) / max(abs(before.value), 1.0) / days)


def _few(last: Point) -> float:
    """Three records more or less are nothing, however few there are."""
    return 3.0 / max(abs(last.value), 1.0)


def _unnoticed(kind: Kind, middle: float) -> float:
    return {Kind.SHARE: 0.01, Kind.STOCK: 0.02, Kind.FLOW: 0.2 * abs(middle)}[kind]


def _deviation(values: Sequence[float], middle: float) -> float:
    return median(abs(value - middle) for value in values)


def _pooled_deviation(by_weekday: Mapping[int, Sequence[float]]) -> float:
    """The deviation of every day from its own weekday: five values alone may happen to lie close together."""
    rests: list[float] = []
    for values in by_weekday.values():
        if len(values) >= KNOWN_AFTER:
            middle = median(values)
            rests += [abs(value - middle) for value in values]
    return median(rests)


def _has_settled(recent: Sequence[Point], value: float, band: Band, half: float) -> bool:
    """Whether the latest versions had left the band as well, and this one is where they are."""
    if len(recent) < SETTLED or any(band.holds(point.value) for point in recent):
        return False
    return abs(value - median(point.value for point in recent)) <= half
