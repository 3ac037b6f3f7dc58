"""A run is killed at any moment: the published version is whole, nothing is stuck, and the next run gives the same."""

from __future__ import annotations

import signal

import pytest
from dagster import DagsterInstance, DagsterRunStatus

from tests.integration.company import Company, said

pytestmark = pytest.mark.slow

# The run is killed as soon as it has reported the step before the one that must die. Publishing is killed before and
# after its switch in tests/unit/publish/test_faults.py.
BEFORE = {
    "extract": "open_build",
    "dbt": "unite_landings",
    "resolve": "clean_records",
    "audit": "build_audiences",
}
RESULT = "from marts.customers order by customer_id"
MEMBERS = "select record_key, customer_id from marts.customer_source_records order by all"


def _kill_after(company: Company, step: str) -> None:
    process = company.start("run", "--as-of", "2026-11-01")
    assert process.stdout is not None
    for line in process.stdout:
        if step in line:
            process.send_signal(signal.SIGKILL)
            break
    else:
        raise AssertionError(f"the run never reported {step}")
    process.wait()
    process.stdout.close()
    assert process.returncode == -signal.SIGKILL


def test_a_run_killed_on_its_way_leaves_the_published_version_and_no_lock(
    published: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run after them all has one process per step."""
    version, result, members = published.version, published.query(RESULT), published.query(MEMBERS)
    for stage, step in BEFORE.items():
        _kill_after(published, step)
        assert published.version == version, stage
        assert published.query(RESULT) == result, stage
    published.extra["KUNDENSTAMM_EXECUTOR"] = "multiprocess"
    done = published.run()
    assert done.returncode == 0, said(done)
    second = published.version
    assert second != version
    assert (published.query(RESULT), published.query(MEMBERS)) == (result, members)
    assert published.query(f"select * from marts.customer_id_events where version <> '{version}'") == []
    assert not list((published.data / "published" / "versions").glob(".*"))
    monkeypatch.setenv("DAGSTER_HOME", str(published.settings.dagster_home))
    with DagsterInstance.from_config(str(published.settings.dagster_home)) as instance:
        statuses = {run.status for run in instance.get_runs()}
    assert statuses <= {DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE}

    assert second in published.call("status").stdout
    back = published.call("rollback", version, "--reason", "test")
    assert back.returncode == 0, said(back)
    assert published.version == version
    listed = published.call("versions").stdout
    assert version in listed
    assert second in listed


def test_a_second_run_meanwhile_is_refused_and_says_why(published: Company) -> None:
    first = published.start("run", "--as-of", "2026-11-01")
    assert first.stdout is not None
    for line in first.stdout:
        if "open_build" in line:
            break
    second = published.run()
    assert first.poll() is None, "the first run must still be at work"
    first.kill()
    first.wait()
    first.stdout.close()
    assert second.returncode == 3, said(second)
    assert "Another run is working" in said(second)
