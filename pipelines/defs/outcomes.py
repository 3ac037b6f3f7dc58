"""What a run means to the outside when it ends badly: its outcome for `kundenstamm status`, and one alert.

Add here how an ending is told. Nothing told holds a value of a record: either it is a sentence of the pipeline's own
errors, or it names only the kind of the error and where it was raised.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime

import dagster as dg
from dagster._core.errors import DagsterExecutionInterruptedError

from pipelines.alerts import send_alert
from pipelines.errors import KundenstammError, LockedError, RefusedError
from pipelines.publish import record_outcome
from pipelines.publish.history import CANCELED, FAILED, REFUSED
from pipelines.settings import Settings
from pipelines.warehouse import log_privately

OUTCOME = "outcome"  # metadata of a failed step: how the run ended by it
DEAD_RUN = (
    "The process of this run ended without a word (killed, or the machine was restarted). What is published is whole; "
    "start the run again."
)
STOPPED_RUN = "The run was stopped before its end (Ctrl-C, or terminated). What is published is whole; start it again."


@dataclass
class Ending:
    """How a run ends: the outcome and the sentence of the first step that failed, None while all goes well."""

    outcome: str | None = None
    sentence: str = ""

    def notice(self, event: dg.DagsterEvent) -> None:
        if not event.is_step_failure or self.outcome is not None:
            return
        data = event.step_failure_data.user_failure_data
        outcome = data.metadata.get(OUTCOME) if data and data.metadata else None
        self.outcome = str(outcome.value) if outcome else FAILED
        self.sentence = (data.description if data else None) or f"The step {event.step_key} failed."


@contextmanager
def telling(settings: Settings, run: dg.DagsterRun) -> Iterator[Ending]:
    """Tell once how the work inside ended, unless it ended well, or never began because another run is at work.

    Raises:
        KundenstammError: in place of an unexpected error, whose own words may hold values and are logged privately.
    """
    ending = Ending()
    try:
        yield ending
    except LockedError:  # the outcome that counts is that of the run at work
        raise
    except KundenstammError as error:
        _tell(settings, run, ending.outcome or outcome_of(error), ending.sentence or str(error))
        raise
    except Exception as error:
        log_privately(settings, error)
        sentence = (
            f"The run ended with an unexpected {type(error).__name__} in {_place(error)}. Its own words are in "
            f"build/errors.log. Look there, mend the cause and start the run again."
        )
        _tell(settings, run, ending.outcome or FAILED, ending.sentence or sentence)
        raise KundenstammError(sentence) from None
    except BaseException:
        _tell(settings, run, CANCELED, STOPPED_RUN)
        raise
    if ending.outcome is not None:
        _tell(settings, run, ending.outcome, ending.sentence)


def outcome_of(error: KundenstammError) -> str:
    return REFUSED if isinstance(error, RefusedError) else FAILED


def was_stopped(error: BaseException) -> bool:
    """Whether an interrupt is behind this error: DuckDB and others wrap it into one of their own."""
    link: BaseException | None = error
    while link is not None:
        if isinstance(link, KeyboardInterrupt | DagsterExecutionInterruptedError):
            return True
        link = link.__cause__ or link.__context__
    return False


def tell_dead_runs(settings: Settings, run_ids: list[str]) -> None:
    """Record runs whose process died as failed, and alert."""
    for run_id in run_ids:
        _record_and_alert(settings, run_id, f"run {run_id[:8]}", FAILED, DEAD_RUN)


def _tell(settings: Settings, run: dg.DagsterRun, outcome: str, sentence: str) -> None:
    _record_and_alert(settings, run.run_id, run.job_name, outcome, sentence)


def _record_and_alert(settings: Settings, run_id: str, name: str, outcome: str, sentence: str) -> None:
    with suppress(OSError):  # a full disk, or a data folder that cannot be written, must be told all the more
        record_outcome(settings, outcome=outcome, reason=sentence, run_id=run_id, now=datetime.now(UTC))
    send_alert(settings, subject=f"Kundenstamm: {name} {outcome}", text=sentence)


def _place(error: BaseException) -> str:
    """Module and line that raised it."""
    *_, (frame, line) = traceback.walk_tb(error.__traceback__)
    return f"{frame.f_globals.get('__name__', 'unknown code')}, line {line}"
