"""One run at a time: the executor holds the data folder's lock while the run's steps are carried out.

The lock is taken in the run's own process, so a killed run can never leave it behind. Runs that Dagster still calls
started while the lock is free are dead and are marked so. What a run means to the outside (its outcome, an alert) is
also recorded here, because this is the one place every run passes, from the UI, the schedule or the command line.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import dagster as dg
from dagster._core.execution.retries import RetryMode
from dagster._core.executor.base import Executor
from dagster._core.executor.in_process import InProcessExecutor
from dagster._core.executor.multiprocess import MultiprocessExecutor
from dagster._core.storage.dagster_run import RunsFilter

from pipelines.alerts import send_alert
from pipelines.audit import cool_down, warm_up
from pipelines.errors import KundenstammError
from pipelines.lock import hold
from pipelines.publish import clean_up, record_outcome, sync_state
from pipelines.settings import Settings

DEAD_RUN = (
    "The process of this run ended without a word (killed, or the machine was restarted). What was published is "
    "untouched; start the run again."
)
RUNNING = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
OUTCOME = "outcome"  # metadata of a failed step: `refused` when the audit said no
KEEP_RUNS = 100  # of Dagster's own run history


def mark_dead_runs(instance: dg.DagsterInstance, *, except_run: str | None, silent_seconds: float = 0) -> list[str]:
    """Mark runs failed that Dagster calls running although nobody holds the lock; returns their ids.

    Call it with the lock held, or when it is free. `silent_seconds` spares runs that said something just now.
    """
    dead = []
    now = datetime.now(UTC).timestamp()
    for record in instance.get_run_records(RunsFilter(statuses=RUNNING)):
        run = record.dagster_run
        if run.run_id != except_run and now - record.update_timestamp.replace(tzinfo=UTC).timestamp() >= silent_seconds:
            instance.report_run_failed(run, message=DEAD_RUN)
            # Otherwise every later run waits for ever for the place its killed step holds in a pool.
            instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
            dead.append(run.run_id)
    return dead


def prune_runs(instance: dg.DagsterInstance) -> None:
    """Delete the oldest finished runs beyond `KEEP_RUNS` from Dagster's history."""
    finished = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
    for record in instance.get_run_records(RunsFilter(statuses=finished))[KEEP_RUNS:]:
        instance.delete_run(record.dagster_run.run_id)


class OneRunAtATime(Executor):
    """Hold the lock, then let another executor do the work.

    Raises:
        LockedError: another run is working in the data folder; nothing was done.
    """

    def __init__(self, inner: Executor) -> None:
        self._inner = inner

    @property
    def retries(self) -> RetryMode:
        return self._inner.retries

    def execute(self, plan_context: Any, execution_plan: Any) -> Iterator[dg.DagsterEvent]:
        settings, instance, run = Settings.from_environment(), plan_context.instance, plan_context.dagster_run
        with hold(settings):
            dead = mark_dead_runs(instance, except_run=run.run_id)
            # With the lock held nobody else has a right to a place, whatever Dagster calls their runs.
            for other in instance.event_log_storage.get_concurrency_run_ids() - {run.run_id}:
                instance.event_log_storage.free_concurrency_slots_for_run(other)
            prune_runs(instance)
            clean_up(settings)
            sync_state(settings)
            tell_dead_runs(settings, dead)
            failure: tuple[str, str] | None = None
            steps = set(execution_plan.step_keys_to_execute)
            if isinstance(self._inner, InProcessExecutor):
                if steps & {"audit_verdict", "rules"}:
                    warm_up()
                threading.Thread(target=_import_ahead, args=(steps,), daemon=True).start()
            try:
                for event in self._inner.execute(plan_context, execution_plan):
                    if event.is_step_failure and failure is None:
                        failure = _read_failure(event)
                    yield event
            finally:
                cool_down()
            if failure is not None:
                _tell(settings, run, *failure)


def _import_ahead(steps: set[str]) -> None:
    """Import what later steps need while DuckDB works in the first ones: seconds that would be waited for else."""
    if steps & {"stage", "build_marts"}:
        importlib.import_module("dbt.cli.main")
        importlib.import_module("dbt.adapters.duckdb")
    if "resolve_identities" in steps:
        importlib.import_module("splink")


def _read_failure(event: dg.DagsterEvent) -> tuple[str, str]:
    """(outcome, sentence) of the first step that failed."""
    data = event.step_failure_data.user_failure_data
    if data is None:
        return "failed", f"The step {event.step_key} failed."
    outcome = data.metadata.get(OUTCOME) if data.metadata else None
    return (str(outcome.value) if outcome else "failed"), data.description or f"The step {event.step_key} failed."


def tell_dead_runs(settings: Settings, run_ids: list[str]) -> None:
    """Record runs whose process died as failed, and alert."""
    for run_id in run_ids:
        record_outcome(settings, outcome="failed", reason=DEAD_RUN, run_id=run_id, now=datetime.now(UTC))
        send_alert(settings, subject=f"Kundenstamm: run {run_id[:8]} failed", text=DEAD_RUN)


def _tell(settings: Settings, run: dg.DagsterRun, outcome: str, sentence: str) -> None:
    """Record the outcome for `kundenstamm status`, and alert."""
    record_outcome(settings, outcome=outcome, reason=sentence, run_id=run.run_id, now=datetime.now(UTC))
    send_alert(settings, subject=f"Kundenstamm: {run.job_name} {outcome}", text=sentence)


@dg.executor(name="one_run_at_a_time", requirements=dg.multiple_process_executor_requirements())
def one_run_at_a_time(_: dg.InitExecutorContext) -> Executor:
    """In one process, or with `KUNDENSTAMM_EXECUTOR=multiprocess` one process per step."""
    executor = Settings.from_environment().executor
    if executor == "in_process":
        return OneRunAtATime(InProcessExecutor(retries=RetryMode.ENABLED))
    if executor == "multiprocess":
        return OneRunAtATime(
            MultiprocessExecutor(
                retries=RetryMode.ENABLED,
                max_concurrent=None,
                start_method="forkserver",  # the definitions are imported once, not by every step
                explicit_forkserver_preload=["pipelines.definitions"],
            )
        )
    raise KundenstammError(f"KUNDENSTAMM_EXECUTOR is '{executor}'; allowed: in_process, multiprocess.")
