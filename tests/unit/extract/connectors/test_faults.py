"""Whatever goes wrong between a vendor and us: nothing is lost, and nothing is there twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelines.configuration import Configuration
from pipelines.errors import SourceError
from pipelines.extract.connectors import http
from pipelines.sample.servers.faults import PASSING, Fault, Schedule
from pipelines.settings import Settings
from tests.unit.extract.connectors.conftest import Nights
from tests.unit.extract.connectors.vendors import TOKEN, VENDORS, Vendor

# When it happens: at every kind of request of a night, in the first night and in the second.
EVERYWHERE = dict.fromkeys(range(2, 60, 3), True)
_expected: dict[str, Any] = {}


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long somebody would have waited."""
    waited: list[float] = []
    monkeypatch.setattr(http, "pause", waited.append)
    monkeypatch.setenv("VENDOR_TOKEN", TOKEN)
    return waited


def two_nights(vendor: Vendor, nights_of: Any, schedule: Schedule, entities: tuple[str, ...] | None = None) -> Nights:
    with vendor.running(schedule) as (served, server):
        nights: Nights = nights_of(vendor.entry(server.url, entities))
        nights.load()
        vendor.change(served)
        nights.load()
    return nights


@pytest.fixture
def nights_of(settings: Settings, configuration: Configuration) -> Any:
    return lambda entry: Nights(settings, configuration, entry)


@pytest.fixture
def expected(vendor: Vendor, tmp_path: Path, settings: Settings, configuration: Configuration) -> Any:
    """What two nights without a fault end with; made once for every vendor."""
    if vendor.name not in _expected:
        from dataclasses import replace

        apart = replace(settings, data_dir=tmp_path / "apart")
        nights = two_nights(vendor, lambda entry: Nights(apart, configuration, entry), Schedule())
        _expected[vendor.name] = nights.contents(*vendor.entities), nights.living(*vendor.entities)
    return _expected[vendor.name]


@pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.name)
@pytest.mark.parametrize("fault", [*PASSING, Fault.REPEATED_PAGE, Fault.SHIFTING], ids=str)
def test_nothing_is_lost_and_nothing_is_there_twice(
    vendor: Vendor, fault: Fault, nights_of: Any, expected: Any
) -> None:
    schedule = Schedule(dict.fromkeys(EVERYWHERE, fault))
    nights = two_nights(vendor, nights_of, schedule, vendor.few)
    assert len(schedule.happened) >= 3
    everything, living = ({e: rows[e] for e in vendor.few} for rows in expected)
    assert nights.living(*vendor.few) == living
    assert fault is Fault.SHIFTING or nights.contents(*vendor.few) == everything


@pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.name)
def test_all_faults_at_once(vendor: Vendor, nights_of: Any, expected: Any) -> None:
    schedule = Schedule.seeded(7, [*PASSING, Fault.REPEATED_PAGE, Fault.SHIFTING], share=0.4)
    nights = two_nights(vendor, nights_of, schedule)
    assert len(set(schedule.happened)) >= 4
    assert nights.living(*vendor.entities) == expected[1]


@pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.name)
def test_a_token_that_expires_on_the_way_lands_nothing_of_that_entity_and_is_a_sentence(
    vendor: Vendor, nights_of: Any, expected: Any
) -> None:
    with vendor.running() as (served, server):
        nights = nights_of(vendor.entry(server.url))
        nights.load()
        before = nights.contents(*vendor.entities)
        vendor.change(served)
        server.schedule.faults[server.schedule.request_count + 1] = Fault.EXPIRED
        with pytest.raises(SourceError, match=r"has expired\. Issue a new one") as caught:
            nights.load()
        assert TOKEN not in str(caught.value)
        assert nights.contents(*vendor.entities) == before
        server.is_expired = False
        nights.load()
        assert nights.contents(*vendor.entities) == expected[0]


@pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.name)
def test_a_vendor_that_stays_down_is_given_up_with_a_sentence(
    vendor: Vendor, nights_of: Any, waits: list[float]
) -> None:
    schedule = Schedule(dict.fromkeys(range(1, 200), Fault.SERVER_ERROR))
    with (
        vendor.running(schedule) as (_, server),
        pytest.raises(SourceError, match=r"could not be read in 8 attempts \(the last answer was 500\)"),
    ):
        nights_of(vendor.entry(server.url, vendor.few)).load()
    assert len(waits) == 7
    assert waits[0] <= 1 < waits[-1] <= 60


@pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.name)
def test_a_second_night_without_changes_writes_no_row(vendor: Vendor, nights_of: Any) -> None:
    with vendor.running() as (_, server):
        nights = nights_of(vendor.entry(server.url))
        nights.load()
        rows = "select *, rowid from {} order by rowid"
        before = nights.landed_of(vendor.entities, rows)
        reports = nights.load()
        assert nights.landed_of(vendor.entities, rows) == before
        for report in reports.values():
            assert report.counts.new == report.counts.changed == report.counts.deleted == 0


@pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.name)
def test_the_servers_own_wait_is_kept(vendor: Vendor, nights_of: Any, waits: list[float]) -> None:
    with vendor.running(Schedule({1: Fault.RATE_LIMITED})) as (_, server):
        nights_of(vendor.entry(server.url, vendor.few[:1])).load()
    assert waits[0] == 0.01


def test_a_wait_of_hours_is_a_sentence() -> None:
    from requests import Response

    answer = Response()
    answer.headers["Retry-After"] = "7200"
    with pytest.raises(SourceError, match="asks to wait 120 minutes"):
        http.Client("crm (HubSpot)", "http://127.0.0.1", {})._wait(0, answer)


@pytest.mark.parametrize(
    ("text", "seconds"), [(None, None), ("12", 12.0), ("-3", 0.0), ("soon", None), ("Fri, 21 Nov 2025 10:00:00 GMT", 0)]
)
def test_retry_after_is_a_number_or_a_date(text: str | None, seconds: float | None) -> None:
    assert http.retry_after(text) == seconds


def test_pages_fetched_ahead_keep_their_order_and_their_error() -> None:
    def pages() -> Any:
        yield from range(5)
        raise SourceError("gone")

    fetched = http.ahead(pages())
    assert [next(fetched) for _ in range(5)] == [0, 1, 2, 3, 4]
    with pytest.raises(SourceError, match="gone"):
        next(fetched)
