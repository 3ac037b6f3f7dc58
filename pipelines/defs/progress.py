"""What `kundenstamm run` shows while it works: one line per step, under its stage."""

from __future__ import annotations

import time

import dagster as dg
from rich.console import Console

from pipelines.defs.outcomes import OUTCOME

STAGE_OF_OP = {
    "open_build": "extract",
    "unite_landings": "clean",
    "stage": "clean",
    "clean_records": "clean",
    "resolve_identities": "resolve",
    "build_marts": "unify",
    "build_audiences": "activate",
    "compare_with_published": "audit",
    "register_columns": "audit",
    "audit_verdict": "audit",
    "rules": "audit",
    "publish_version": "publish",
}


class Progress:
    """Follows the events of a run.

    Attributes:
        failure: the sentences of the steps that failed, else None.
        refused: whether it was the gate that said no.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._started: dict[str, float] = {}
        self._rows: dict[str, int] = {}
        self.failure: str | None = None
        self.refused = False

    def show(self, event: dg.DagsterEvent) -> None:
        step = event.step_key
        if event.event_type == dg.DagsterEventType.STEP_START and step:
            self._started[step] = time.monotonic()
        elif event.event_type == dg.DagsterEventType.ASSET_MATERIALIZATION and step:
            count = event.materialization.metadata.get("dagster/row_count")
            rows = count.value if count else None
            self._rows[step] = self._rows.get(step, 0) + (rows if isinstance(rows, int) else 0)
        elif event.event_type == dg.DagsterEventType.STEP_SUCCESS and step:
            self._line(step, "")
        elif event.event_type == dg.DagsterEventType.STEP_FAILURE and step:
            data = event.step_failure_data.user_failure_data
            outcome = data.metadata.get(OUTCOME) if data and data.metadata else None
            refused = outcome is not None and outcome.value == "refused"
            self._line(step, "refused" if refused else "failed")
            sentence = (data.description if data else None) or f"The step {step} failed."
            self.failure = f"{self.failure}\n{sentence}" if self.failure else sentence
            self.refused = refused
        elif event.event_type == dg.DagsterEventType.RUN_FAILURE and self.failure is None:
            self.failure = event.message

    def _line(self, step: str, note: str) -> None:
        seconds = time.monotonic() - self._started.get(step, time.monotonic())
        rows = f"{self._rows[step]:>12,} rows" if self._rows.get(step) else " " * 17
        stage = STAGE_OF_OP.get(step, "extract")
        self._console.print(f"  {stage:<9} {step:<20} {rows} {seconds:>6.1f} s  {note}".rstrip())
