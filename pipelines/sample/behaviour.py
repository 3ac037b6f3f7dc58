"""How people buy: when they come back, when they stop, and how much goes into a basket.

Purchases follow the BG/NBD model of Fader, Hardie and Lee (2005), "Counting Your Customers" the Easy Way: An
Alternative to the Pareto/NBD Model, Marketing Science 24(2), 275-284, with three additions that every real shop shows:
a season, a service that can drive people away, and baskets with a heavy tail.

Add here what decides whether and when somebody buys. What is bought and what the shop writes down belongs to `retail`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipelines.sample.chance import Array, Calendar, Random

# Demand by month relative to the year's mean: Christmas, the empty weeks after it, a small spring.
MONTHS = (0.78, 0.74, 0.92, 0.98, 0.97, 0.88, 0.82, 0.84, 0.93, 1.06, 1.38, 1.70)
TROUBLE_SHARE = 0.12  # of the purchases: late, broken, wrong
UNSOLVED_SHARE = 0.30  # of the troubles of those who ask the support desk
UNSOLVED_DROPOUT = 0.45  # added to the probability to stop, of the way that is left to certainty
MAX_PURCHASES = 60
LONGEST_HISTORY = 1500  # days


@dataclass(frozen=True)
class Habits:
    """Parameters of BG/NBD, time in days.

    While active, a person buys at times of a Poisson process with rate lambda; lambda ~ Gamma(shape r, rate alpha)
    over the people. The first purchase is at time zero; after every further one the person stops for ever with
    probability p; p ~ Beta(a, b). Expected further purchases in a time t follow from equation (9) of the paper.
    """

    r: float
    alpha: float
    a: float
    b: float


SHOP = Habits(r=0.55, alpha=90.0, a=0.85, b=2.20)
MAIL_ORDER = Habits(r=0.70, alpha=190.0, a=0.80, b=2.00)
TILLS = Habits(r=0.80, alpha=150.0, a=0.50, b=2.70)
MARKETPLACE = Habits(r=0.40, alpha=160.0, a=1.00, b=1.50)


def purchase(
    since_days: Array, habits: Habits, calendar: Calendar, random: Random, asks_support: Array | None = None
) -> pd.DataFrame:
    """One row per purchase of the people whose first one is `since_days` ago, by person and time.

    Columns: `buyer` (row of the person), `days_ago` (at least 1), `has_trouble`, `is_unsolved`. Only those who ask the
    support desk have a trouble that somebody leaves unsolved; such a trouble raises the probability to stop by
    `UNSOLVED_DROPOUT` of what is left to one.
    """
    count = len(since_days)
    asks = np.zeros(count, dtype=bool) if asks_support is None else asks_support
    rate = random.gamma(habits.r, 1 / habits.alpha, count)
    stop = random.beta(habits.a, habits.b, count)
    clock = season_clock(calendar)
    now = clock[-1]
    at = clock[-1 - np.minimum(since_days, LONGEST_HISTORY)]
    buyer = np.arange(count)
    found = []
    for number in range(MAX_PURCHASES):
        trouble = random.random(len(buyer)) < TROUBLE_SHARE
        unsolved = trouble & asks[buyer] & (random.random(len(buyer)) < UNSOLVED_SHARE)
        found.append((buyer, at, trouble, unsolved))
        usual = stop[buyer] * (number > 0)
        leaving = usual + (1 - usual) * UNSOLVED_DROPOUT * unsolved
        at = at + random.exponential(1, len(buyer)) / np.maximum(rate[buyer], 1e-9)
        goes_on = (random.random(len(buyer)) >= leaving) & (at < now)
        buyer, at = buyer[goes_on], at[goes_on]
    buyer, at, trouble, unsolved = (np.concatenate(parts) for parts in zip(*found, strict=True))
    day = np.searchsorted(clock, at, side="right") - 1
    days_ago = np.maximum(len(clock) - 1 - day, 1)
    purchases = pd.DataFrame(
        {"buyer": buyer, "days_ago": days_ago, "has_trouble": trouble, "is_unsolved": unsolved, "at": at}
    )
    return purchases.sort_values(["buyer", "at"], kind="stable", ignore_index=True).drop(columns="at")


def season_clock(calendar: Calendar) -> Array:
    """Cumulated demand at the beginning of each day up to today: a clock that runs faster before Christmas.

    A Poisson process on this clock is one with the seasons of `MONTHS` on the calendar.
    """
    days = calendar.days(np.arange(LONGEST_HISTORY, 0, -1))
    month = days.astype("datetime64[M]").astype(int) % 12
    clock: Array = np.concatenate([[0.0], np.cumsum(np.array(MONTHS)[month])])
    return clock


def basket_quantities(size: int, random: Random) -> Array:
    """Pieces of a line: mostly one; every two hundredth is a bulk order with a Pareto tail (shape 1.3)."""
    usual = np.array([1, 2, 3, 4, 6])[random.choice(5, size, p=[0.78, 0.14, 0.04, 0.02, 0.02])]
    bulk = np.minimum(10 * (1 + random.pareto(1.3, size)), 500).astype(np.int64)
    found: Array = np.where(random.random(size) < 0.005, bulk, usual).astype(np.int64)
    return found
