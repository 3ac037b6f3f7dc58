"""A figure is unusual when it leaves the band of its weekday: never where a series repeats, always after a jump."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.audit.bands import KNOWN_AFTER, SETTLED, Judged, Kind, Point, judge_figure

TODAY = date(2026, 11, 23)  # a Monday
KINDS = st.sampled_from(Kind)
DAYS = range(84, 0, -1)
# By weekday, Monday first: a shop that sells little at weekends.
SEASON = (1.2, 1.0, 1.0, 1.1, 1.3, 0.4, 0.3)


def series(value: Callable[[date], float]) -> list[Point]:
    days = [TODAY - timedelta(days=back) for back in DAYS]
    return [Point(day, value(day)) for day in days]


def judge(history: list[Point], value: float, kind: Kind) -> Judged:
    return judge_figure(history, Point(TODAY, value), kind)


@given(value=st.floats(0, 1e9), kind=KINDS)
def test_a_constant_series_never_alarms(value: float, kind: Kind) -> None:
    assert not judge(series(lambda _: value), value, kind).is_unusual


@given(week=st.lists(st.floats(0, 1e9), min_size=7, max_size=7))
def test_a_series_that_repeats_every_week_never_alarms(week: list[float]) -> None:
    for kind in (Kind.SHARE, Kind.FLOW):
        assert not judge(series(lambda day: week[day.weekday()]), week[TODAY.weekday()], kind).is_unusual


@given(seed=st.integers(0, 10**6), level=st.floats(50, 1e6), noise=st.floats(0.01, 0.1))
def test_a_seasonal_series_with_noise_does_not_alarm_and_a_day_without_anything_does(
    seed: int, level: float, noise: float
) -> None:
    chance = random.Random(seed)

    def value(day: date) -> float:
        return level * SEASON[day.weekday()] * (1 + chance.uniform(-noise, noise))

    history = series(value)
    assert not judge(history, value(TODAY), Kind.FLOW).is_unusual
    assert judge(history, 0.0, Kind.FLOW).is_unusual


def test_what_is_usual_on_one_weekday_is_unusual_on_another() -> None:
    history = series(lambda day: 1000 * SEASON[day.weekday()])
    sunday = 1000 * SEASON[6]
    assert judge(history, sunday, Kind.FLOW).is_unusual
    assert not judge_figure(history[:-1], Point(TODAY - timedelta(days=1), sunday), Kind.FLOW).is_unusual


@given(start=st.integers(0, 10**6), growth=st.floats(0, 0.02), seed=st.integers(0, 10**6))
def test_a_stock_that_grows_does_not_alarm_and_one_that_loses_a_tenth_does(
    start: int, growth: float, seed: int
) -> None:
    chance, records = random.Random(seed), float(start + 100)
    history = []
    for back in DAYS:
        records += math.floor(records * growth * chance.uniform(0.8, 1.2))
        history.append(Point(TODAY - timedelta(days=back), records))
    assert not judge(history, records + math.floor(records * growth), Kind.STOCK).is_unusual
    assert judge(history, records * 0.9 - 4, Kind.STOCK).is_unusual


def test_a_stock_is_judged_by_growth_per_day_where_nights_were_missed() -> None:
    history = [p for p in series(lambda day: 1000.0 * 1.01 ** (day - TODAY).days) if (TODAY - p.day).days % 7 < 5]
    found = judge_figure(history[:-3], Point(TODAY, 1000.0), Kind.STOCK)
    assert found.band is not None
    assert not found.is_unusual


@pytest.mark.parametrize("kind", [Kind.SHARE, Kind.FLOW])
@given(weeks=st.integers(0, KNOWN_AFTER - 1))
def test_nothing_is_judged_before_a_weekday_is_known(kind: Kind, weeks: int) -> None:
    found = judge_figure(
        [p for p in series(lambda _: 1.0) if (TODAY - p.day).days <= 7 * weeks], Point(TODAY, 9.0), kind
    )
    assert found == Judged(None, weeks)


def test_a_jump_from_a_constant_is_told_until_it_has_settled() -> None:
    flat = series(lambda _: 0.02)
    told = []
    for later in range(SETTLED + 2):
        day = TODAY + timedelta(days=later)
        told.append(judge_figure(flat, Point(day, 0.31), Kind.SHARE).is_unusual)
        flat.append(Point(day, 0.31))
    assert told == [True] * SETTLED + [False] * 2


def test_one_earlier_outlier_does_not_widen_the_band() -> None:
    history = series(lambda day: 0.02 if day != TODAY - timedelta(days=7) else 0.9)
    assert judge(history, 0.2, Kind.SHARE).is_unusual


def test_amounts_that_are_mostly_zero_are_not_judged() -> None:
    history = series(lambda day: 500.0 if day.day == 1 else 0.0)
    assert judge(history, 500.0, Kind.FLOW).band is None


@given(order=st.permutations(range(len(DAYS))))
def test_the_order_of_the_history_changes_nothing(order: list[int]) -> None:
    history = series(lambda day: day.toordinal() % 11 * 1.0)
    assert judge([history[i] for i in order], 3.0, Kind.FLOW) == judge(history, 3.0, Kind.FLOW)


def test_versions_of_the_same_day_and_of_long_ago_are_no_history() -> None:
    recent = series(lambda _: 1.0)
    old = [Point(TODAY - timedelta(days=365 + n), 99.0) for n in range(300)]
    assert judge([*old, *recent, Point(TODAY, 99.0)], 99.0, Kind.FLOW) == judge(recent, 99.0, Kind.FLOW)
