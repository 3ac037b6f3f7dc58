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

from pipelines.alerts import Event, EventKind, tell
from pipelines.build import read_steps, tell_last_step
from pipelines.configuration import load_company
from pipelines.errors import KundenstammError, LockedError, RefusedError
from pipelines.publish import record_outcome
from pipelines.publish.history import CANCELED, FAILED, REFUSED
from pipelines.settings import Settings
from pipelines.warehouse import log_privately

KINDS = {FAILED: EventKind.RUN_FAILED, REFUSED: EventKind.RUN_REFUSED, CANCELED: EventKind.RUN_CANCELED}
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
    else:
        tell(settings, _new_findings(settings, run.run_id), now=_now())


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
    """Record runs whose process died as failed, and alert once about all of them."""
    events = []
    for run_id in run_ids:
        sentence = f"{DEAD_RUN} It died {tell_last_step(settings, run_id)}."
        _record(settings, run_id, FAILED, sentence)
        events.append(Event(EventKind.RUN_FAILED, run_id, f"run {run_id[:8]} {FAILED}", sentence))
    tell(settings, events, now=_now())


def _tell(settings: Settings, run: dg.DagsterRun, outcome: str, sentence: str) -> None:
    _record(settings, run.run_id, outcome, sentence)
    ended = Event(KINDS[outcome], sentence, f"{run.job_name} {outcome}", sentence)
    tell(settings, [ended, *_new_findings(settings, run.run_id)], now=_now())


def _record(settings: Settings, run_id: str, outcome: str, sentence: str) -> None:
    with suppress(OSError):  # a full disk, or a data folder that cannot be written, must be told all the more
        record_outcome(settings, outcome=outcome, reason=sentence, run_id=run_id, now=datetime.now(UTC))


def _new_findings(settings: Settings, run_id: str) -> list[Event]:
    """Critical findings that the audit of this run saw first, or again after they were mended."""
    from pipelines.audit import Severity, list_findings, tell_extent

    with suppress(KundenstammError, OSError):  # nothing of this is worth more than how the run ended
        audited = read_steps(settings).get("audit.verdict")
        if audited is None or audited.run_id != run_id:
            return []
        currency = load_company(settings).base_currency
        return [
            Event(
                EventKind.NEW_CRITICAL_FINDING,
                f"{f.id} {f.opened_at}",
                f"new critical finding {f.id}",
                f"{f.text.description} Found: {tell_extent(f, currency)} Owner: {f.text.owner}. {f.text.remedy}",
            )
            for f in list_findings(settings, _now())
            if f.severity is Severity.CRITICAL and f.needs_work and f.opened_at == f.last_seen_at >= audited.started_at
        ]
    return []


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def _place(error: BaseException) -> str:
    """Module and line that raised it."""
    *_, (frame, line) = traceback.walk_tb(error.__traceback__)
    return f"{frame.f_globals.get('__name__', 'unknown code')}, line {line}"
