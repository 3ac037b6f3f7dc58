"""Runs are killed at any moment, with the machine even: what is published is whole, nothing is stuck, runs go on."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable

import pytest
from dagster import DagsterInstance, DagsterRunStatus

from tests.integration.company import Company, said
from tests.integration.ui import Ui, serving, until

pytestmark = pytest.mark.slow

# The run is killed as soon as it has reported the step before the one that must die; in extract, the power is cut.
# Publishing is killed before and after its switch in tests/unit/publish/test_faults.py.
BEFORE = {
    "dbt": "unite_landings",
    "resolve": "clean_records",
    "audit": "build_audiences",
}
RESULT = "from marts.customers order by customer_id"
MEMBERS = "select record_key, customer_id from marts.customer_source_records order by all"


@pytest.mark.timeout(1200)  # four runs that are killed, one that fails, and one that all of it must not have harmed
def test_whatever_is_killed_the_published_version_stays_and_the_next_run_gives_the_same(
    published: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run after them is a failed one of the command line, re-executed in the UI with one process per step."""
    monkeypatch.setenv("DAGSTER_HOME", str(published.settings.dagster_home))
    version, result, members = published.version, published.query(RESULT), published.query(MEMBERS)
    with serving(published) as (ui, cut_power):
        _assert_that_what_was_changed_is_not_published(ui)
        dead = _cut_power_in_extract(published, ui, cut_power)
    assert _statuses(published)[dead] is DagsterRunStatus.STARTED
    assert published.version == version
    assert published.query(RESULT) == result
    for stage, step in BEFORE.items():
        process = published.start("run", "--as-of", "2026-11-01")
        if stage == "audit":  # the longest of them
            _read_until(process, "open_build")
            _assert_that_others_are_refused(published, process)
        _read_until(process, step)
        _kill(process)
        assert " died " in published.call("status").stdout, stage
        assert published.version == version, stage
        assert published.query(RESULT) == result, stage
        assert _statuses(published)[dead] is DagsterRunStatus.FAILURE

    _run_without_a_file(published)
    assert published.version == version
    published.extra["KUNDENSTAMM_EXECUTOR"] = "multiprocess"
    with serving(published) as (ui, _):
        _re_execute_the_latest(ui, dead)
    second = published.version
    assert second != version
    assert (published.query(RESULT), published.query(MEMBERS)) == (result, members)
    assert published.query(f"select * from marts.customer_id_events where version <> '{version}'") == []
    assert not list((published.data / "published" / "versions").glob(".*"))
    assert set(_statuses(published).values()) <= {DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE}
    _go_back(published, second, version)


def _statuses(company: Company) -> dict[str, DagsterRunStatus]:
    with DagsterInstance.from_config(str(company.settings.dagster_home)) as instance:
        return {run.run_id: run.status for run in instance.get_runs()}


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


def _cut_power_in_extract(company: Company, ui: Ui, cut_power: Callable[[], None]) -> str:
    """Start a run in the UI and kill it with the daemon and everything else, as a reboot does. Returns its id."""
    run_id = ui.launch("nightly")
    until(lambda: _open_build(company), lambda build: run_id in build)
    cut_power()
    return run_id


def _open_build(company: Company) -> str:
    try:
        return (company.data / "build" / "build.json").read_text()
    except OSError:
        return ""


def _run_without_a_file(company: Company) -> None:
    file = company.sample / "support" / "tickets.jsonl"
    kept = file.read_bytes()
    file.unlink()
    failed = company.run()
    assert failed.returncode == 1, said(failed)
    assert "tickets.jsonl" in said(failed)
    assert "Traceback" not in said(failed)
    file.write_bytes(kept)


def _re_execute_the_latest(ui: Ui, dead: str) -> None:
    """A run of the command line that failed goes on from there."""
    runs = ui.ask("{ runsOrError(limit: 1) { ... on Runs { results { id status } } } }")
    [failed] = runs["runsOrError"]["results"]
    assert failed["id"] != dead
    assert failed["status"] == "FAILURE"
    again = ui.rerun_from_failure(failed["id"])
    assert ui.wait(again) == "SUCCESS", ui.failures(again)


def _assert_that_what_was_changed_is_not_published(ui: Ui) -> None:
    """An asset alone is computed in the UI; then the audit no longer speaks of this build."""
    alone = ui.launch("nightly", assets=[["marts", "customers"]])
    assert ui.wait(alone) == "SUCCESS", ui.failures(alone)
    early = ui.launch("publish_only")
    assert ui.wait(early) == "FAILURE"
    assert "was changed since" in ui.failures(early)
    stale = ui.rerun_from_failure(early)
    assert ui.wait(stale) == "FAILURE"


def _go_back(company: Company, second: str, version: str) -> None:
    assert second in company.call("status").stdout
    back = company.call("rollback", version, "--reason", "test")
    assert back.returncode == 0, said(back)
    assert company.version == version
    listed = company.call("versions").stdout
    assert version in listed
    assert second in listed
