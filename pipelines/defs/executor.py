"""One run at a time: the executor holds the data folder's lock while the run's steps are carried out.

The lock is taken in the run's own process, so a killed run can never leave it behind. Runs that Dagster still calls
started while the lock is free are dead and are marked so. How a run ended is told from here (see `outcomes`), because
this is the one place every run passes, from the UI, the schedule or the command line.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from typing import Any

import dagster as dg
from dagster._core.errors import DagsterExecutionInterruptedError
from dagster._core.execution.retries import RetryMode
from dagster._core.executor.base import Executor
from dagster._core.executor.in_process import InProcessExecutor
from dagster._core.executor.multiprocess import MultiprocessExecutor
from dagster._core.storage.dagster_run import RunsFilter

from pipelines.audit import cool_down, warm_up
from pipelines.defs.extract import LANDING, begin_to_land
from pipelines.defs.outcomes import DEAD_RUN, tell_dead_runs, telling
from pipelines.errors import KundenstammError
from pipelines.lock import hold
from pipelines.publish import begin_early_copies, clean_up, drop_early_copies, list_takable_parts, sync_state
from pipelines.publish.history import CANCELED
from pipelines.settings import Settings

RUNNING = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
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


DBT = ("dbt.cli.main", "dbt.adapters.duckdb")
STEPS_OF_DBT = {"stage", "build_marts"}

# The audit's process imports for seconds; from this step on the engine leaves a core to it.
WARM_UP_WITH = "clean_records"
# From this step on nobody writes what is published, and the disk has little to do until it is.
COPY_WITH = "audit_verdict"
PUBLISHING = "publish_version"


class OneRunAtATime(Executor):
    """Hold the lock, then let another executor do the work.

    Raises:
        LockedError: another run is working in the data folder; nothing was done.
    """

    @property
    def retries(self) -> RetryMode:
        return RetryMode.ENABLED

    def execute(self, plan_context: Any, execution_plan: Any) -> Iterator[dg.DagsterEvent]:
        settings, instance, run = Settings.from_environment(), plan_context.instance, plan_context.dagster_run
        steps = set(execution_plan.step_keys_to_execute)
        in_process = settings.executor == "in_process"
        with telling(settings, run) as ending, hold(settings):
            _tidy_up(settings, instance, run)
            inner: Executor = InProcessExecutor(self.retries) if in_process else _process_per_step(self.retries, steps)
            preparations = _Preparations(settings, run, steps)
            events: Any = inner.execute(plan_context, execution_plan)
            try:
                with closing(events):
                    for event in events:
                        ending.notice(event)
                        if in_process and event.is_step_start:
                            preparations.begin_with(event.step_key)
                        yield event
                        if in_process and ending.outcome == CANCELED:  # else the steps beside it would still start
                            raise DagsterExecutionInterruptedError
            finally:
                preparations.end()


class _Preparations:
    """What is begun beside a step because later ones would wait for it."""

    def __init__(self, settings: Settings, run: dg.DagsterRun, steps: set[str]) -> None:
        self.settings, self.run = settings, run
        self.publishes = PUBLISHING in steps
        self.sources_to_land = {step for step in steps if step.startswith(LANDING)}

    def begin_with(self, step: str | None) -> None:
        """Begin what the start of this step is the moment for."""
        if step in self.sources_to_land:
            with suppress(KundenstammError):  # the step itself meets it, and tells it
                begin_to_land(self.settings, self.run, self.sources_to_land)
            self.sources_to_land = set()
        if step == WARM_UP_WITH:
            warm_up()
        if step == COPY_WITH and self.publishes:
            begin_early_copies(self.settings, list_takable_parts(self.settings).values())

    def end(self) -> None:
        """End what was begun and is not needed any more."""
        from pipelines.extract import end_early_landings

        cool_down()
        drop_early_copies()
        end_early_landings()


def _tidy_up(settings: Settings, instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
    """Mend what killed runs left, in Dagster and in the data folder. Told first: a mended one may prove published."""
    tell_dead_runs(settings, mark_dead_runs(instance, except_run=run.run_id))
    # With the lock held nobody else has a right to a place, whatever Dagster calls their runs.
    for other in instance.event_log_storage.get_concurrency_run_ids() - {run.run_id}:
        instance.event_log_storage.free_concurrency_slots_for_run(other)
    prune_runs(instance)
    clean_up(settings)
    sync_state(settings)


def _process_per_step(retries: RetryMode, steps: set[str]) -> Executor:
    """Processes that are forked from one that has imported what most of these steps need: once, not in every step."""
    return MultiprocessExecutor(
        retries=retries,
        max_concurrent=None,
        start_method="forkserver",
        explicit_forkserver_preload=list_preloaded(steps),
    )


def list_preloaded(steps: set[str]) -> list[str]:
    """The modules that most of these steps need. One that cannot be imported would be left out without a word.

    Dagster names the storage only in its configuration, so nothing else imports it before each process opens it.
    """
    return ["pipelines.definitions", "pipelines.defs.storage", "pandas", *(DBT if steps & STEPS_OF_DBT else ())]


@dg.executor(name="one_run_at_a_time", requirements=dg.multiple_process_executor_requirements())
def one_run_at_a_time(_: dg.InitExecutorContext) -> Executor:
    """In one process, or with `KUNDENSTAMM_EXECUTOR=multiprocess` one process per step."""
    return OneRunAtATime()
