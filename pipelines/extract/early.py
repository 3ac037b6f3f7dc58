"""Land two sources at a time, ahead of the steps that report on them.

Landing waits now and then: for the disk when a file is closed, for what only one thread can do, for Python. A second
source uses that time. Every source has a file of its own, so neither knows of the other.

An early landing that fails is forgotten: its step lands the source itself, alone and with all of the memory, and tells
what is wrong. Add here what concerns several sources at once; how one is landed belongs into `load`.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pipelines.extract.landing import interrupt_landings
from pipelines.extract.load import load_source

if TYPE_CHECKING:
    from pipelines.configuration import Configuration, SourceConfig
    from pipelines.extract.report import LoadReport
    from pipelines.settings import Settings

AT_A_TIME = 2
INTERRUPT_SECONDS = 0.1  # what is between two statements when it is interrupted begins another one

# What a landing imports. Python's import lock is not for many threads: a run in which all of them imported stood still.
IMPORTED = ("duckdb", "pandas", "pipelines.extract.connectors", "encodings.cp1252", "encodings.utf_8_sig")


class EarlyLandings:
    """Landings of some sources, each begun before its step asks for it."""

    def __init__(
        self, settings: Settings, configuration: Configuration, sources: Iterable[SourceConfig], *, run_id: str
    ) -> None:
        """Begin to land these sources in this order, as `load_source` does by default."""
        for module in IMPORTED:
            importlib.import_module(module)
        self._threads = ThreadPoolExecutor(max_workers=AT_A_TIME, thread_name_prefix="early-landing")
        each = settings.share_memory(AT_A_TIME)

        def land(source: SourceConfig) -> list[LoadReport]:
            return load_source(each, configuration, source, run_id=run_id, now=datetime.now(UTC))

        self._landings: dict[str, Future[list[LoadReport]]] = {s.name: self._threads.submit(land, s) for s in sources}
        self._begun = list(self._landings.values())

    def take(self, source: str) -> list[LoadReport] | None:
        """What `load_source` reported of this source; None when it was not landed. Waits until it is.

        A landing is taken once: who asks again wants the source landed again.
        """
        landing = self._landings.pop(source, None)
        if landing is None:
            return None
        try:
            return landing.result()
        except Exception:  # whatever it was: the step that lands the source now meets it, and tells it
            return None

    def end(self) -> None:
        """Begin no other landing, and stop those that nobody waits for any more: entities they have landed stay."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        running = [landing for landing in self._begun if not landing.cancelled()]
        while wait(running, timeout=INTERRUPT_SECONDS).not_done:
            interrupt_landings()


_begun: EarlyLandings | None = None


def begin_early_landings(
    settings: Settings, configuration: Configuration, sources: Iterable[SourceConfig], *, run_id: str
) -> None:
    """Land these sources in the background, until `end_early_landings`."""
    global _begun
    end_early_landings()
    _begun = EarlyLandings(settings, configuration, sources, run_id=run_id)


def take_early_landing(source: str) -> list[LoadReport] | None:
    """What was landed of this source ahead of its step; None when nothing was, or it failed."""
    return _begun.take(source) if _begun else None


def end_early_landings() -> None:
    """Land no other source ahead of its step."""
    global _begun
    begun, _begun = _begun, None
    if begun is not None:
        begun.end()
