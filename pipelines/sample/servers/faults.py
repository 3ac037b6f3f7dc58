"""What goes wrong between a client and a vendor's server, and at which request: seeded, so that it can be repeated.

Add a kind of fault here; how it looks on the wire is in `serving`, what shifts in the data in the vendor's module.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from enum import StrEnum


class Fault(StrEnum):
    """One thing that can happen to one answer."""

    RATE_LIMITED = "rate_limited"  # 429 with Retry-After
    SERVER_ERROR = "server_error"  # 500
    UNAVAILABLE = "unavailable"  # 503 without Retry-After
    TIMEOUT = "timeout"  # the connection closes before an answer
    TRUNCATED = "truncated"  # the body is shorter than its length says
    BROKEN_JSON = "broken_json"  # the body ends early, and its length says so
    SLOW = "slow"  # the answer comes in two parts
    REPEATED_PAGE = "repeated_page"  # the page begins before its cursor
    SHIFTING = "shifting"  # records change between two pages
    EXPIRED = "expired"  # the credential is refused from now on


# Faults that a client survives by asking again.
PASSING = (
    Fault.RATE_LIMITED,
    Fault.SERVER_ERROR,
    Fault.UNAVAILABLE,
    Fault.TIMEOUT,
    Fault.TRUNCATED,
    Fault.BROKEN_JSON,
    Fault.SLOW,
)


class Schedule:
    """Which request meets which fault; requests are counted from 1 and every fault happens once."""

    def __init__(self, faults: dict[int, Fault] | None = None) -> None:
        self.faults = dict(faults or {})
        self.request_count = 0
        self.happened: list[Fault] = []

    @classmethod
    def seeded(cls, seed: int, kinds: Iterable[Fault], share: float = 0.3, requests: int = 500) -> Schedule:
        """Faults at a share of the first requests, none twice in a row at one of them."""
        chance, names = random.Random(seed), list(kinds)  # noqa: S311
        return cls({n: chance.choice(names) for n in range(1, requests) if chance.random() < share})

    def next(self) -> Fault | None:
        """The fault of the request that has just come."""
        self.request_count += 1
        fault = self.faults.get(self.request_count)
        if fault is not None:
            self.happened.append(fault)
        return fault
