"""Whatever ends a run badly is recorded once and told once, in words without values."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from pipelines.build import claim_data_folder
from pipelines.configuration import Configuration
from pipelines.defs.executor import one_run_at_a_time
from pipelines.defs.steps import sentences
from pipelines.errors import BuildError
from pipelines.publish import read_status
from pipelines.publish.history import read_outcomes
from pipelines.settings import PROJECT_DIR, Settings
from pipelines.warehouse import connect
from tests.unit.alerting import webhook, with_alerts

CANARY = "Kanarienvogel"
RETRIES = dg.RetryPolicy(max_retries=2)


def _interrupt_soon() -> None:
    subprocess.Popen(["sh", "-c", f"sleep 0.3; kill -INT {os.getpid()}"])


@dg.op
def do_well() -> None:
    pass


@dg.op
def fail_with_a_sentence() -> None:
    with sentences("fail_with_a_sentence"):
        raise BuildError("The build is not there; open one.")


@dg.op(retry_policy=RETRIES)
def wait() -> None:
    with sentences("wait"):
        _interrupt_soon()
        time.sleep(30)


@dg.op(retry_policy=RETRIES)
def query_for_long() -> None:
    with sentences("query_for_long"), connect(None, Settings.from_environment()) as connection:
        _interrupt_soon()
        connection.execute("select sum(a.range * b.range) from range(100_000) a, range(2_000) b").fetchall()


@dg.op
def work_on() -> None:  # its name comes last, and so does it
    (Settings.from_environment().data_dir / "went-on").touch()


@dg.resource
def broken(_: dg.InitResourceContext) -> Any:
    raise ValueError(CANARY)


@dg.op(required_resource_keys={"broken"})
def need_what_is_broken() -> None:
    pass


@dg.job(executor_def=one_run_at_a_time)
def good() -> None:
    do_well()


@dg.job(executor_def=one_run_at_a_time)
def failing() -> None:
    fail_with_a_sentence()


@dg.job(executor_def=one_run_at_a_time)
def stopped_while_waiting() -> None:
    wait()
    work_on()


@dg.job(executor_def=one_run_at_a_time)
def stopped_in_the_engine() -> None:
    query_for_long()
    work_on()


@dg.job(executor_def=one_run_at_a_time, resource_defs={"broken": broken})
def broken_outside_of_steps() -> None:
    need_what_is_broken()


@pytest.fixture
def alerts(
    settings: Settings, configuration: Configuration, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[dict[str, Any]]]:
    """What was told by webhook, while runs work in a data folder of this test."""
    claim_data_folder(settings, configuration)
    received: list[dict[str, Any]] = []
    with webhook(received) as url:
        configured = with_alerts(settings, tmp_path, f"{{webhook: '{url}'}}")
        monkeypatch.setenv("KUNDENSTAMM_DATA_DIR", str(configured.data_dir))
        monkeypatch.setenv("KUNDENSTAMM_CONFIG_DIR", str(configured.config_dir))
        yield received


def run(job: dg.JobDefinition, tmp_path: Path) -> str:
    """Execute a job as a process of its own would, and return how Dagster says it ended."""
    home = tmp_path / "dagster"
    home.mkdir(exist_ok=True)
    with dg.DagsterInstance.local_temp(str(home), overrides={"telemetry": {"enabled": False}}) as instance:
        run_id = dg.execute_job(dg.reconstructable(globals()[job.name]), instance=instance).run_id
        finished = instance.get_run_by_id(run_id)
        assert finished is not None
        return finished.status.value


def outcomes(settings: Settings) -> list[tuple[str, str]]:
    return [(o.outcome, o.reason) for o in read_outcomes(settings)]


def test_a_run_that_ends_well_is_not_told(settings: Settings, tmp_path: Path, alerts: list[dict[str, Any]]) -> None:
    assert run(good, tmp_path) == "SUCCESS"
    assert (outcomes(settings), alerts) == ([], [])


def test_a_failed_step_is_told_in_its_own_sentence(
    settings: Settings, tmp_path: Path, alerts: list[dict[str, Any]]
) -> None:
    assert run(failing, tmp_path) == "FAILURE"
    assert outcomes(settings) == [("failed", "The build is not there; open one.")]
    assert alerts == [{"text": "Kundenstamm: failing failed\nThe build is not there; open one."}]


def spoil_the_note_of_a_publication(settings: Settings) -> None:
    (settings.data_dir / "published").mkdir()
    (settings.data_dir / "published" / "pending.json").write_text(CANARY)


def spoil_the_state(settings: Settings) -> None:
    version = settings.versions_dir / "20260101T000000Z-x"
    version.mkdir(parents=True)
    (version / "state.duckdb").write_text(CANARY)
    settings.current.symlink_to(Path("versions") / version.name)


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [(spoil_the_note_of_a_publication, "unexpected JSONDecodeError in json"), (spoil_the_state, "error in ident")],
    ids=["an unexpected error", "an error with a sentence"],
)
def test_an_error_before_the_first_step_is_told(
    settings: Settings, tmp_path: Path, alerts: list[dict[str, Any]], spoil: Any, expected: str
) -> None:
    spoil(settings)
    assert run(good, tmp_path) == "FAILURE"
    [(outcome, reason)] = outcomes(settings)
    assert outcome == "failed"
    assert expected in reason
    assert [a["text"] for a in alerts] == [f"Kundenstamm: good failed\n{reason}"]
    assert CANARY not in reason


def test_an_error_outside_of_the_steps_is_told_without_its_words(
    settings: Settings, tmp_path: Path, alerts: list[dict[str, Any]]
) -> None:
    assert run(broken_outside_of_steps, tmp_path) == "FAILURE"
    [(outcome, reason)] = outcomes(settings)
    assert outcome == "failed"
    assert len(alerts) == 1
    assert CANARY not in reason + str(alerts)
    assert CANARY in (settings.build_dir / "errors.log").read_text()


@pytest.mark.parametrize("job", [stopped_while_waiting, stopped_in_the_engine], ids=lambda job: job.name)
def test_a_run_that_is_stopped_is_canceled_and_neither_tried_again_nor_continued(
    settings: Settings, tmp_path: Path, alerts: list[dict[str, Any]], job: dg.JobDefinition
) -> None:
    assert run(job, tmp_path) == "FAILURE"  # in Dagster's words, when nobody asked it to end the run
    [(outcome, reason)] = outcomes(settings)
    assert outcome == "canceled"
    assert "was stopped before its end" in reason
    assert len(alerts) == 1
    assert not (settings.data_dir / "went-on").exists()
    assert "canceled" in "\n".join(read_status(settings).lines())


HOLDER = """
from pipelines.lock import hold
from pipelines.settings import Settings
with hold(Settings.from_environment()):
    print("held", flush=True)
    input()
"""


def test_a_run_that_finds_the_lock_held_says_nothing_about_the_run_at_work(
    settings: Settings, tmp_path: Path, alerts: list[dict[str, Any]]
) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=PROJECT_DIR
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    try:
        assert run(good, tmp_path) == "FAILURE"
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.communicate()
    assert (outcomes(settings), alerts) == ([], [])
