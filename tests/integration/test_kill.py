"""A run is killed at any moment: the published version is whole, nothing is stuck, and the next run gives the same."""

from __future__ import annotations

import signal

import pytest

from tests.integration.company import Company, said

pytestmark = pytest.mark.slow

# The run is killed as soon as it has reported the step before the one that must die.
BEFORE = {
    "extract": "open_build",
    "dbt": "unite_landings",
    "resolve": "clean_records",
    "audit": "build_audiences",
    "switch": "rules",
}
RESULT = "select customer_id, revenue_amount_base, order_count from marts.customers order by customer_id"


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


def test_a_run_killed_in_every_stage_leaves_the_published_version_and_no_lock(published: Company) -> None:
    version, result = published.version, published.query(RESULT)
    for stage, step in BEFORE.items():
        _kill_after(published, step)
        if stage != "switch":
            assert published.version == version, stage
        assert published.query(RESULT) == result, stage
    done = published.run()
    assert done.returncode == 0, said(done)
    assert published.version != version
    assert published.query(RESULT) == result
    assert not list((published.data / "published" / "versions").glob(".*"))
    from dagster import DagsterInstance, DagsterRunStatus

    with DagsterInstance.from_config(str(published.settings.dagster_home)) as instance:
        statuses = {run.status for run in instance.get_runs()}
    assert statuses <= {DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE}


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
