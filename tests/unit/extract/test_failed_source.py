"""A source that cannot be loaded: the run stops, or it goes on with what is landed and says so."""

from __future__ import annotations

import pytest

from pipelines.errors import SourceError
from tests.unit.extract.conftest import Source

GOES_ON = {"if_failed": "continue", "max_age_days": 2}


def lose(source: Source) -> None:
    (source.folder / source.file).unlink()


def test_a_run_stops_unless_the_owner_decided_otherwise(source: Source) -> None:
    source.write(["id,email", "1,a@example.com"])
    source.load()
    lose(source)
    with pytest.raises(SourceError, match="there is no file"):
        source.load()


def test_a_run_goes_on_with_what_is_landed_and_the_reconciliation_says_so(source: Source) -> None:
    source.write(["id,email", "1,a@example.com"])
    source.load(changes=GOES_ON)
    lose(source)
    report = source.load(changes=GOES_ON)
    assert (report.status, report.live_count, report.counts.delivered) == ("kept", 1, 0)
    assert "crm.contacts could not be loaded; the 1 records of 2026-01-01 02:00 UTC are kept." in report.message
    state = "select count(*), max(failed_at)::text, max(loaded_at)::text from raw.reconciliation"
    assert source.raw(state) == [(1, "2026-01-02 02:00:00", "2026-01-01 02:00:00")]
    assert source.raw("select email from raw.crm_contacts") == [("a@example.com",)]
    source.write(["id,email", "1,b@example.com"])
    source.load(changes=GOES_ON)
    assert source.raw("select max(failed_at) from raw.reconciliation") == [(None,)]


def test_a_delivery_that_must_not_be_landed_is_kept_out_too(source: Source) -> None:
    source.write(["id", *map(str, range(10))])
    source.load(changes=GOES_ON)
    source.write(["id", "1"])
    report = source.load(changes=GOES_ON)
    assert (report.status, report.live_count) == ("kept", 10)
    assert "shrank by 9 of 10" in report.message


def test_what_is_too_old_is_not_kept(source: Source) -> None:
    source.write(["id", "1"])
    source.load(changes=GOES_ON)
    lose(source)
    assert [source.load(changes=GOES_ON).status for _ in range(2)] == ["kept", "kept"]
    with pytest.raises(SourceError, match=r"was last read on 2026-01-01, and max_age_days allows 2\."):
        source.load(changes=GOES_ON)


def test_nothing_can_be_kept_of_a_source_that_was_never_read(source: Source) -> None:
    with pytest.raises(SourceError, match=r"crm\.contacts was never read"):
        source.load(changes=GOES_ON)
