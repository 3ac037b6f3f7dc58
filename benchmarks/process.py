"""Watch one run of the nightly job from outside: time, processor time, memory and spilled bytes of every step.

Add a figure here when it can be read off the process or its folders while it runs.
"""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

COMMAND = Path(sys.executable).with_name("kundenstamm")
# What `kundenstamm run` prints when a step is done.
DONE = re.compile(r"^  (?P<stage>\w+) +(?P<step>\w+) +(?:(?P<rows>[\d,]+) rows)? +(?P<seconds>[\d.]+) s")
SAMPLED_EVERY = 0.2  # seconds
CHILDREN_EVERY = 5  # samples


class RunFailedError(Exception):
    """A run was not published, or cannot be tried; the text says why."""


@dataclass(frozen=True)
class Cost:
    """What one step took, the processes that it starts included.

    Attributes:
        rows: that it wrote, where it says so.
        seconds: of wall time.
        cpu_seconds: of all cores.
        peak_bytes: resident memory at most.
        spilled_bytes: in temporary files at most, at one time.
    """

    rows: int | None
    seconds: float
    cpu_seconds: float
    peak_bytes: int
    spilled_bytes: int


@dataclass(frozen=True)
class _Sample:
    at: float
    cpu_seconds: float
    resident_bytes: int
    spilled_bytes: int


def watch_run(arguments: Sequence[str], environment: Mapping[str, str], spill: Path) -> tuple[dict[str, Cost], Cost]:
    """Run `kundenstamm run` and return what each step took, by `stage: step`, and the whole process.

    Args:
        arguments: further arguments of `kundenstamm run`.
        environment: of the process.
        spill: the folder of its temporary files.

    Raises:
        RunFailedError: the run was not published; with what it said.
    """
    began = time.monotonic()
    process = subprocess.Popen(
        [COMMAND, "run", *arguments],
        env={**environment, "PYTHONUNBUFFERED": "1"},  # a line comes when its step is done
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    samples: list[_Sample] = []
    sampler = threading.Thread(target=_sample, args=(psutil.Process(process.pid), spill, samples))
    sampler.start()
    assert process.stdout is not None  # noqa: S101 - it was asked for
    lines = [(time.monotonic(), line) for line in process.stdout]
    code = process.wait()
    ended = time.monotonic()
    sampler.join()
    if code:
        raise RunFailedError(f"the run ended with {code}:\n{''.join(line for _, line in lines)}")
    steps: dict[str, Cost] = {}
    for at, line in lines:
        if found := DONE.match(line):
            seconds = float(found["seconds"])
            rows = int(found["rows"].replace(",", "")) if found["rows"] else None
            steps[f"{found['stage']}: {found['step']}"] = _cost(samples, at - seconds, at, rows)
    return steps, _cost(samples, began, ended, None)


def _sample(process: psutil.Process, spill: Path, samples: list[_Sample]) -> None:
    family = [process]
    try:
        while process.status() != psutil.STATUS_ZOMBIE:
            if len(samples) % CHILDREN_EVERY == 0:  # dear: every process of the machine is looked at
                family = [process, *process.children(recursive=True)]
            used = [_used(member) for member in family]
            cpu_seconds, resident_bytes = sum(cpu for cpu, _ in used), sum(resident for _, resident in used)
            # A process that just ended is not counted with its parent yet.
            cpu_seconds = max(cpu_seconds, samples[-1].cpu_seconds if samples else 0.0)
            samples.append(_Sample(time.monotonic(), cpu_seconds, resident_bytes, _size(spill)))
            time.sleep(SAMPLED_EVERY)
    except psutil.NoSuchProcess:
        return


def _used(process: psutil.Process) -> tuple[float, int]:
    """Processor time of a process and of its children that have ended, and its resident memory."""
    try:
        times = process.cpu_times()
        cpu_seconds = times.user + times.system + times.children_user + times.children_system
        return cpu_seconds, process.memory_info().rss
    except psutil.NoSuchProcess:
        return 0.0, 0


def _size(folder: Path) -> int:
    size = 0
    with suppress(OSError):  # a folder is gone already
        for file in folder.rglob("*"):
            with suppress(OSError):  # or a file
                size += file.stat().st_size if file.is_file() else 0
    return size


def _cost(samples: list[_Sample], began: float, ended: float, rows: int | None) -> Cost:
    """The cost between two moments; a step shorter than the distance of two samples has the nearest ones."""
    before = max((s for s in samples if s.at <= began), key=lambda s: s.at, default=samples[0])
    within = [s for s in samples if began < s.at <= ended + SAMPLED_EVERY] or [samples[-1]]
    return Cost(
        rows=rows,
        seconds=ended - began,
        cpu_seconds=within[-1].cpu_seconds - before.cpu_seconds,
        peak_bytes=max(s.resident_bytes for s in within),
        spilled_bytes=max(s.spilled_bytes for s in within),
    )
