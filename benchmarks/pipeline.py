"""Time of the nightly job per step, peak memory and size of a version, on sample companies of several sizes.

The floor beside it: DuckDB alone reading the same source files into tables.
"""

from __future__ import annotations

import math
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from pipelines.settings import Settings
from pipelines.warehouse import connect

COMMAND = Path(sys.executable).with_name("kundenstamm")
LINE = re.compile(r"^  (\w+) +(\w+) .*?([\d.]+) s", re.MULTILINE)
AS_OF = "2026-11-01"


@dataclass(frozen=True)
class Measured:
    """One warm run: seconds per step and in all, megabytes at most and of the version, seconds of the floor."""

    steps: dict[str, float]
    seconds: float
    peak_megabytes: float
    version_megabytes: float


def measure(customers: int, runs: int) -> tuple[list[Measured], float, float]:
    """The warm runs, the first run's seconds, and the floor's seconds for one size."""
    with tempfile.TemporaryDirectory(prefix="kundenstamm-bench-") as folder:
        root = Path(folder)
        environment = {**os.environ, "KUNDENSTAMM_DATA_DIR": str(root / "data"), "KUNDENSTAMM_SAMPLE": str(root / "s")}
        subprocess.run(
            [COMMAND, "sample", "--customers", str(customers), "--seed", "1", "--as-of", AS_OF, "--out", root / "s"],
            env=environment,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        first = _run(environment, root)
        warm = [_run(environment, root) for _ in range(runs)]
        return warm, first.seconds, _floor(Settings.from_environment(environment), root / "s")


def _run(environment: dict[str, str], root: Path) -> Measured:
    began = time.monotonic()
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen([COMMAND, "run", "--as-of", AS_OF, "--full"], env=environment, stdout=output)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - began
        if status:
            raise SystemExit(f"The run ended with {os.waitstatus_to_exitcode(status)}.")
        output.seek(0)
        steps = {f"{stage}: {step}": float(took) for stage, step, took in LINE.findall(output.read())}
    current = (root / "data" / "published" / "current").resolve()
    size = sum(file.stat().st_size for file in current.rglob("*") if file.is_file())
    return Measured(steps, seconds, usage.ru_maxrss / 1024, size / 1e6)


def _floor(settings: Settings, sample: Path) -> float:
    began = time.monotonic()
    with connect(None, settings) as connection:
        for file in sorted(sample.rglob("*")):
            name = f"{file.parent.name}_{file.stem}"
            if file.parent.name == "truth" or file.suffix not in {".csv", ".parquet", ".jsonl"}:
                continue
            reader = {
                ".csv": f"read_csv('{file}', delim = ';', encoding = 'latin-1', all_varchar = true)",
                ".parquet": f"read_parquet('{file}')",
                ".jsonl": f"read_json('{file}', format = 'newline_delimited')",
            }[file.suffix]
            connection.execute(f"create table {name} as from {reader}")
    return time.monotonic() - began


def print_table(sizes: list[int], runs: int) -> None:
    """Medians of the warm runs per step, one column per size, and the growth exponent from first to last size."""
    found = {size: measure(size, runs) for size in sizes}
    table = Table("seconds, median", *(f"{size:,} customers" for size in sizes), "growth exponent")
    for step in found[sizes[0]][0][0].steps:
        _add(table, step, [median(m.steps.get(step, 0.0) for m in found[size][0]) for size in sizes], sizes)
    _add(table, "whole process, warm", [median(m.seconds for m in found[size][0]) for size in sizes], sizes)
    _add(table, "whole process, first run", [found[size][1] for size in sizes], sizes)
    _add(table, "floor: DuckDB reads the files", [found[size][2] for size in sizes], sizes)
    _add(table, "peak memory, MB", [median(m.peak_megabytes for m in found[size][0]) for size in sizes], sizes)
    _add(table, "size of a version, MB", [median(m.version_megabytes for m in found[size][0]) for size in sizes], sizes)
    Console().print(table)


def _add(table: Table, label: str, values: list[float], sizes: list[int]) -> None:
    growth = ""
    if len(sizes) > 1 and values[0] > 0 and values[-1] > 0:
        growth = f"{math.log(values[-1] / values[0]) / math.log(sizes[-1] / sizes[0]):.2f}"
    table.add_row(label, *(f"{value:,.1f}" for value in values), growth)
