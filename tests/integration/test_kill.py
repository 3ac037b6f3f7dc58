"""A run is killed at any moment: the published version is whole, nothing is stuck, and the next run gives the same."""

from __future__ import annotations

import signal
import subprocess

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


def _read_until(process: subprocess.Popen[str], step: str) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if step in line:
            return
    raise AssertionError(f"the run never reported {step}")


def _kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert process.stdout is not None
    process.stdout.close()
    assert process.returncode == -signal.SIGKILL


def _assert_that_others_are_refused(company: Company, first: subprocess.Popen[str]) -> None:
    second = company.run()
    assert first.poll() is None, "the first run must still be at work"
    assert second.returncode == 3, said(second)
    assert "Another run is working" in said(second)


def test_a_run_keeps_others_out_and_killed_leaves_the_published_version_and_no_lock(
    published: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run after all that are killed has one process per step."""
    version, result, members = published.version, published.query(RESULT), published.query(MEMBERS)
    for stage, step in BEFORE.items():
        process = published.start("run", "--as-of", "2026-11-01")
        if stage == "audit":  # the longest of them
            _read_until(process, BEFORE["extract"])
            _assert_that_others_are_refused(published, process)
        _read_until(process, step)
        _kill(process)
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
