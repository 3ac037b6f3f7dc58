"""What is told, and how several things become one message.

Add a kind here when somebody must hear of it before they look. A text is made of sentences of the pipeline's own, of
counts and of names of rules and sources: it holds no value of a record.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class EventKind(StrEnum):
    """In the order in which they matter."""

    RUN_FAILED = "run_failed"
    RUN_REFUSED = "run_refused"
    RUN_CANCELED = "run_canceled"
    NIGHT_MISSED = "night_missed"
    NEW_CRITICAL_FINDING = "new_critical_finding"
    SOURCE_STALE = "source_stale"


@dataclass(frozen=True)
class Event:
    """One thing to tell. Two of one kind and `key` are the same thing, told again only after some hours."""

    kind: EventKind
    key: str
    subject: str
    text: str


@dataclass(frozen=True)
class Message:
    """What goes out."""

    subject: str
    text: str


def compose(events: Sequence[Event], held_back: Sequence[str] = ()) -> Message:
    """One message about all of them, the most important first.

    Args:
        events: at least one.
        held_back: subjects of what was not told before, so that nothing is lost.
    """
    ordered = sorted(events, key=lambda event: list(EventKind).index(event.kind))
    first, more = ordered[0], len(ordered) - 1
    subject = f"Kundenstamm: {first.subject}" + (f", and {more} more" if more else "")
    parts = [first.text, *(f"{event.subject}: {event.text}" for event in ordered[1:])]
    if held_back:
        parts.append("Not told again meanwhile:\n" + "\n".join(f"- {line}" for line in held_back))
    return Message(subject, "\n\n".join(parts))
