"""When a night counts as missed."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from pipelines.defs.sensors import _last_start, night_is_missing

BERLIN = ZoneInfo("Europe/Berlin")


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("now", "last_start", "missing"),
    [
        ("2026-11-21T03:59", None, False),
        ("2026-11-21T04:00", None, True),
        ("2026-11-21T04:05", "2026-11-21T02:00", False),
        ("2026-11-21T04:05", "2026-11-20T02:00", True),
        ("2026-11-21T15:00", "2026-11-20T02:00", True),
        ("2026-11-21T16:30", "2026-11-20T02:00", False),
        ("2026-10-25T04:05", "2026-10-25T02:30", False),
    ],
    ids=["too early", "never ran", "ran", "ran yesterday only", "still today", "given up", "night of the clock change"],
)
def test_a_night_is_missing_between_its_limit_and_the_afternoon(
    now: str, last_start: str | None, missing: bool
) -> None:
    last = _at(last_start) if last_start else None
    assert night_is_missing(_at(now), time(2), time(4), last) is missing


def test_a_run_due_before_midnight_may_start_until_the_next_morning() -> None:
    assert not night_is_missing(_at("2026-11-21T01:05"), time(23), time(1), _at("2026-11-20T23:00"))
    assert night_is_missing(_at("2026-11-21T01:05"), time(23), time(1), _at("2026-11-19T23:00"))


def test_a_run_that_was_asked_for_and_still_waits_has_not_started() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        waiting = dg.DagsterRun("nightly")
        instance.add_run(waiting)
        assert _last_start(instance, BERLIN) is None
        instance.handle_run_event(waiting.run_id, dg.DagsterEvent("PIPELINE_START", "nightly"))
        started = _last_start(instance, BERLIN)
    assert started is not None
    assert datetime.now(BERLIN) - started < timedelta(minutes=1)
