"""The process that imports Great Expectations: reads one job per line from stdin, answers in lines on stdout.

Add here only what the protocol needs. What is checked how is in `gx`; who starts and ends this process, in
`validation`.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import sys
import threading
from pathlib import Path
from typing import Any, TextIO

from pipelines.audit import gx
from pipelines.scratch import scratch_folder
from pipelines.settings import QUIET_ENVIRONMENT, Settings
from pipelines.warehouse import build_parts, engine_options, log_privately

READY = "ready"
RELEASED = "released"  # the file is closed, another process may write it


def main() -> None:
    """Import, say so, then answer jobs until stdin is closed.

    A job is `{"settings": {...}, "objects": [{"name", "query", "rules": [...]}]}`. Its answer is one line per object,
    in that order: what `gx.validate_object` returns, where an error is only the name of its kind.
    """
    os.environ.update(QUIET_ENVIRONMENT)
    answers = _take_stdout()
    jobs: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_read_jobs, args=(sys.stdin, jobs), daemon=True).start()
    gx.import_great_expectations()
    _answer(answers, {"state": READY})
    while True:
        _work_on(json.loads(jobs.get()), answers)


def _take_stdout() -> TextIO:
    """Keep stdout for answers; whatever a library prints, also from C, goes nowhere."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    return answers


def _read_jobs(source: TextIO, jobs: queue.SimpleQueue[str]) -> None:
    """End the process as soon as stdin closes, also in the middle of a job.

    That is how it learns that its parent was killed: a worker that lived on would keep the build locked.
    """
    for line in source:
        jobs.put(line)
    os._exit(0)


def _answer(answers: TextIO, content: dict[str, Any]) -> None:
    answers.write(json.dumps(content) + "\n")
    answers.flush()


def _work_on(job: dict[str, Any], answers: TextIO) -> None:
    folders = {name: Path(value) for name, value in job["settings"].items() if name.endswith("_dir")}
    settings = Settings(**{**job["settings"], **folders})
    with scratch_folder(settings.temp_dir) as spill:
        options = {**engine_options(settings), "temp_directory": str(spill)}
        with contextlib.ExitStack() as stack:
            try:
                warehouse = stack.enter_context(
                    gx.open_warehouse(settings.build_warehouse, options, parts=build_parts(settings))
                )
            except Exception as error:  # whatever a library raises, no rule was run
                log_privately(settings, error)
                warehouse = None
            for number, checked in enumerate(job["objects"]):
                _answer(answers, _validate(warehouse, str(number), checked, settings))
    _answer(answers, {"state": RELEASED})


def _validate(warehouse: Any, name: str, checked: dict[str, Any], settings: Settings) -> dict[str, Any]:
    broken = {"row_count": None, "results": {rule["key"]: {"error": ""} for rule in checked["rules"]}}
    if warehouse is None:
        return broken
    try:
        return _without_texts(gx.validate_object(warehouse, name, checked["query"], checked["rules"]), settings)
    except Exception as error:  # whatever a library raises, these rules were not run
        log_privately(settings, error)
        return broken


def _without_texts(found: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """Errors may quote values: their text goes to the private log and is not answered."""
    for outcome in found["results"].values():
        if text := outcome.get("error"):
            log_privately(settings, RuntimeError(text))
            outcome["error"] = ""
    return found


if __name__ == "__main__":
    main()
