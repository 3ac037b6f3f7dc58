"""Tell somebody what must not wait until they look: by e-mail or webhook, once, and without personal data.

Add a kind of event in `events`, a way of telling in `channels`. What was told, and what was held back, is in `journal`.
"""

from pipelines.alerts.events import Event, EventKind
from pipelines.alerts.journal import tell

__all__ = ["Event", "EventKind", "tell"]
