"""`state/alerts.jsonl`: what was told and what was held back, so that nobody is flooded and nothing is lost.

Change here when the same thing is told again. What is told is decided by the caller, how it reaches somebody by
`channels`.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pipelines.alerts.channels import send
from pipelines.alerts.events import Event, compose
from pipelines.configuration import load_company
from pipelines.errors import ConfigurationError
from pipelines.files import append_line

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.settings import Settings

# The same thing is told once a night, also when a night is a little faster than the one before.
REPEAT_AFTER = timedelta(hours=20)
# More messages than this within an hour are a flood, whatever they are about: the rest waits for the next one.
MOST_PER_HOUR = 6
KEPT_LINES = 1000  # looked at from the end; a month of the worst nights
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Entry:
    at: datetime
    kind: str
    key: str
    subject: str
    channels: tuple[str, ...]

    @property
    def was_told(self) -> bool:
        return bool(self.channels)


def tell(settings: Settings, events: Sequence[Event], *, now: datetime) -> list[str]:
    """Tell what is new of these events in one message, and remember it.

    Args:
        now: UTC without zone.

    Returns:
        The channels that were reached, of `webhook` and `email`. A channel that cannot be reached is logged and never
        makes a run fail; what reached nobody counts as not told.
    """
    try:
        alerts = load_company(settings).alerts
    except ConfigurationError:
        logger.warning("No alert was sent because company.yml is invalid.")
        return []
    wanted = [e for e in events if alerts.only is None or e.kind.value in alerts.only]
    if not wanted or not (alerts.webhook or alerts.email):
        return []
    entries = _read(settings)
    told = [entry for entry in entries if entry.was_told]
    recent = {(entry.kind, entry.key) for entry in told if entry.at > now - REPEAT_AFTER}
    is_flood = len({entry.at for entry in told if entry.at > now - timedelta(hours=1)}) >= MOST_PER_HOUR
    fresh = [] if is_flood else [e for e in wanted if (e.kind.value, e.key) not in recent]
    reached = send(settings, alerts, compose(fresh, _held_back(entries))) if fresh else []
    with suppress(OSError):  # a full disk must be told all the more
        for event in wanted:
            channels = reached if event in fresh else []
            facts = {"at": now.isoformat(), "kind": event.kind.value, "key": event.key, "subject": event.subject}
            append_line(_file(settings), {**facts, "channels": channels})
    return reached


def _held_back(entries: Sequence[_Entry]) -> list[str]:
    """What was not told since the last message, each once, with how often."""
    since = []
    for entry in reversed(entries):
        if entry.was_told:
            break
        since.append(entry.subject)
    return [f"{subject} ({count} times)" if count > 1 else subject for subject, count in sorted(Counter(since).items())]


def _read(settings: Settings) -> list[_Entry]:
    try:
        lines = _file(settings).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    entries = []
    for line in lines[-KEPT_LINES:]:
        try:
            facts = json.loads(line)
        except ValueError:  # a writer was killed in the middle of its line
            continue
        at, channels = datetime.fromisoformat(facts.pop("at")), tuple(facts.pop("channels"))
        entries.append(_Entry(at=at, channels=channels, **facts))
    return entries


def _file(settings: Settings) -> Path:
    return settings.state_dir / "alerts.jsonl"
