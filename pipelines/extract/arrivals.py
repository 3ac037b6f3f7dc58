"""Notice that files of a source came or changed, by their names, sizes and times only: nothing is opened.

Add here what tells a finished delivery from one that is still being written. What starts a load is not decided here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from pipelines.configuration import Configuration
from pipelines.extract.files import list_files
from pipelines.settings import Settings

State = dict[str, dict[str, str]]


def look_at_files(settings: Settings, configuration: Configuration) -> dict[str, str]:
    """Per source of files that is switched on, a digest of what lies there now; without any file it is left out."""
    found = {}
    for source in configuration.sources:
        if source.connector != "files" or not source.enabled:
            continue
        facts = [fact for name in source.entities for fact in list_files(settings, configuration, source, name)]
        if facts:
            text = "\n".join(f"{path}|{size}|{modified}" for path, size, modified in sorted(facts))
            found[source.name] = hashlib.sha256(text.encode()).hexdigest()[:16]
    return found


def find_arrivals(now: Mapping[str, str], state: State | None) -> tuple[list[str], State]:
    """Sources whose files are new since they were last taken and did not change since the last look; the next state.

    What lies there at the very first look counts as taken: the nightly job reads it anyway.
    """
    if state is None:
        return [], {name: {"seen": digest, "taken": digest} for name, digest in now.items()}
    arrived, after = [], {}
    for name, digest in now.items():
        known = state.get(name, {})
        is_finished, is_new = known.get("seen") == digest, known.get("taken") != digest
        if is_finished and is_new:
            arrived.append(name)
        after[name] = {"seen": digest, "taken": digest if is_finished else known.get("taken", "")}
    return arrived, after
