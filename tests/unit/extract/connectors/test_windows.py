"""What changed between two moments can be read again; the nights before and after it do not notice."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from pipelines.configuration import Configuration
from pipelines.errors import SourceError
from pipelines.extract.connectors import http
from pipelines.settings import Settings
from tests.unit.extract.conftest import Source
from tests.unit.extract.connectors.conftest import Nights, Server
from tests.unit.extract.connectors.vendors import TOKEN, VENDORS, Vendor, moment

SINCE, UNTIL = datetime(2026, 11, 2, 8, 0, 2, tzinfo=UTC), datetime(2026, 11, 2, 8, 0, 4, tzinfo=UTC)
PERSONS = {"zendesk": "users", "hubspot": "contacts", "shopify": "customers"}


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "pause", lambda _: None)
    monkeypatch.setenv("VENDOR_TOKEN", TOKEN)


def persons_of(served: Any, vendor: Vendor) -> list[dict[str, Any]]:
    tables: dict[str, Any] = getattr(served, {"zendesk": "tables", "hubspot": "objects"}.get(vendor.name, "roots"))
    return list(tables[PERSONS[vendor.name]])


@pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.name)
def test_a_window_holds_what_changed_in_it_and_moves_no_position(
    vendor: Vendor, settings: Settings, configuration: Configuration
) -> None:
    person = PERSONS[vendor.name]
    with vendor.running() as (served, server):
        entry = vendor.entry(server.url, (person,))
        if vendor.name != "zendesk":
            entry[vendor.name]["overlap_minutes"] = 0
        nights = Nights(settings, configuration, entry)
        nights.load()
        positions = nights.landed("select entity, position from positions")
        counts = nights.load(since=SINCE, until=UNTIL)[person].counts
        changed = [r.get("updatedAt") or r["updated_at"] for r in persons_of(served, vendor) if not r.get("archived")]
        within = [at for at in changed if moment(2, 2) <= at < moment(2, 4)]
        archived = sum(r.get("archived") is True for r in persons_of(served, vendor))
        # Archived contacts and who became of merged ones are told whatever the window.
        told = sum(bool(r.get("properties", {}).get("hs_merged_object_ids")) for r in persons_of(served, vendor))
        assert len(within) == 6
        assert len(within) + archived <= counts.delivered <= len(within) + archived + 2 * told
        assert counts.delivered == counts.unchanged
        assert nights.landed("select entity, position from positions") == positions
        vendor.change(served)
        night = nights.load()[person].counts
        assert night.new >= 1
        assert night.changed >= 1


def test_a_database_has_windows_too(postgres: Server, settings: Settings, configuration: Configuration) -> None:
    postgres.run(
        "create schema windowed",
        "create table windowed.people (id int, email text, changed timestamptz)",
        "insert into windowed.people select n, 'p' || n, timestamptz '2026-11-01 00:00Z' + n * interval '1 day' "
        "from generate_series(1, 9) n",
    )
    entry = {
        "name": "crm",
        "role": "crm",
        "connector": "sql",
        "sql": {"url": postgres.url, "overlap_minutes": 0},
        "entities": {
            "contacts": {"table": "windowed.people", "changed": "changed", "columns": {"source_record_id": "id"}}
        },
    }
    nights = Nights(settings, configuration, entry)
    nights.load()
    postgres.run("update windowed.people set email = 'new'")
    since, until = datetime(2026, 11, 4, tzinfo=UTC), datetime(2026, 11, 6, tzinfo=UTC)
    assert nights.load(since=since, until=until)["contacts"].counts.changed == 2
    assert nights.landed("select source_record_id from contacts where email = 'new' order by 1") == [("3",), ("4",)]
    postgres.run("drop schema windowed cascade")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"until": UNTIL}, "needs an earlier `since`"),
        ({"since": UNTIL, "until": SINCE}, "needs an earlier `since`"),
        ({"since": SINCE, "full": True}, "`full` reads everything; leave out `since`"),
        ({"since": SINCE, "until": UNTIL}, r"users was never read with this mapping.*read it in full"),
    ],
)
def test_a_window_that_cannot_be_is_a_sentence(
    options: dict[str, Any], sentence: str, settings: Settings, configuration: Configuration
) -> None:
    vendor = VENDORS[0]
    with vendor.running() as (_, server), pytest.raises(SourceError, match=sentence):
        Nights(settings, configuration, vendor.entry(server.url, ("users",))).load(**options)


def test_files_have_no_windows(source: Source) -> None:
    source.write(["id,email", "1,a@example.com"])
    with pytest.raises(SourceError, match="files are read whole"):
        source.load(since=SINCE)
