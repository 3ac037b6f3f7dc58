"""How runs ended: one line per published, refused, failed, canceled or rolled-back run, in `state/runs.jsonl`.

Add here what `kundenstamm status` must still know when builds and Dagster's own runs are long gone. Reasons are
sentences of the pipeline's own errors, so they hold no personal data.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from pipelines.build import to_utc
from pipelines.files import append_line

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.settings import Settings

PUBLISHED, REFUSED, FAILED = "published", "refused", "failed"
CANCELED, ROLLED_BACK = "canceled", "rolled_back"


@dataclass(frozen=True)
class Outcome:
    """How one run ended; `at` is UTC. `version` is what became current, None when nothing did."""

    at: datetime
    outcome: str
    run_id: str
    version: str | None
    reason: str


def record_outcome(
    settings: Settings, *, outcome: str, reason: str, run_id: str, now: datetime, version: str | None = None
) -> None:
    """Append how a run ended. Said twice for the same run, the first reason stands."""
    entry = Outcome(to_utc(now), outcome, run_id, version, reason)
    same = [(o.outcome, o.run_id, o.version) for o in read_outcomes(settings)[-3:]]
    if (entry.outcome, entry.run_id, entry.version) in same:
        return
    append_line(_file(settings), {**asdict(entry), "at": entry.at.isoformat()})


def read_outcomes(settings: Settings) -> list[Outcome]:
    """All outcomes, oldest first."""
    try:
        lines = _file(settings).read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []
    outcomes = []
    for line in lines:
        try:
            data = json.loads(line)
        except ValueError:  # a writer was killed in the middle of its line
            continue
        outcomes.append(Outcome(**{**data, "at": datetime.fromisoformat(data["at"])}))
    return outcomes


def _file(settings: Settings) -> Path:
    return settings.state_dir / "runs.jsonl"
