"""The nightly job on sample companies of several sizes: what every step takes, how it grows, and who is who.

The floor beside it: DuckDB alone reading the same source files into tables.
"""

from __future__ import annotations

import math
import os
import subprocess
import tempfile
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from benchmarks.identity.measures import Quality, measure
from benchmarks.process import COMMAND, Cost, watch_run
from pipelines.settings import Settings
from pipelines.warehouse import connect, literal

AS_OF = "2026-11-01"
WHOLE, FIRST, FLOOR = "whole process, warm", "whole process, first run", "floor: DuckDB reads the files"
MEGA = 1e6


@dataclass(frozen=True)
class Measured:
    """One size: medians over the warm runs, seconds of what is done once, and the quality of the identities.

    Attributes:
        steps: cost by `stage: step`, the whole process among them.
        once: seconds of the sample, the first run, and the floor.
        version_bytes: size of a published version.
        quality: of the last run against the truth of the sample.
    """

    steps: dict[str, Cost]
    once: dict[str, float]
    version_bytes: int
    quality: Quality


def measure_size(customers: int, runs: int) -> Measured:
    """Make the sample of one size, run the job once on an empty data folder and `runs` times more."""
    with tempfile.TemporaryDirectory(prefix="kundenstamm-bench-") as folder:
        root = Path(folder)
        environment = {**os.environ, "KUNDENSTAMM_DATA_DIR": str(root / "data"), "KUNDENSTAMM_SAMPLE": str(root / "s")}
        settings = Settings.from_environment(environment)
        began = time.monotonic()
        subprocess.run(
            [COMMAND, "sample", "--customers", str(customers), "--seed", "1", "--as-of", AS_OF, "--out", root / "s"],
            env=environment,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        once = {"the sample is generated": time.monotonic() - began, FLOOR: _floor(settings, root / "s")}
        arguments = ["--as-of", AS_OF, "--full"]  # files that did not change are read again
        once[FIRST] = watch_run(arguments, environment, settings.temp_dir)[1].seconds
        warm = []
        for _ in range(runs):
            steps, whole = watch_run(arguments, environment, settings.temp_dir)
            warm.append(steps | {WHOLE: whole})
        version = settings.current.resolve()
        size = sum(file.stat().st_size for file in version.rglob("*") if file.is_file())
        return Measured(_medians(warm), once, size, _quality(settings, root / "s" / "truth" / "persons.parquet"))


def _medians(runs: list[dict[str, Cost]]) -> dict[str, Cost]:
    return {
        step: Cost(
            rows=runs[0][step].rows,
            seconds=median(run[step].seconds for run in runs),
            cpu_seconds=median(run[step].cpu_seconds for run in runs),
            peak_bytes=max(run[step].peak_bytes for run in runs),
            spilled_bytes=max(run[step].spilled_bytes for run in runs),
        )
        for step in runs[0]
    }


def _floor(settings: Settings, sample: Path) -> float:
    """Seconds that DuckDB takes to read the same files into tables of texts, bad lines left out."""
    files = [f for f in sorted(sample.rglob("*.*")) if f.parent.name != "truth" and f.suffix != ".json"]
    readers = [_reader(file) for file in files]
    began = time.monotonic()
    with connect(None, settings) as connection:
        for number, reader in enumerate(readers):
            connection.execute(f"create table file_{number} as from {reader}")
    return time.monotonic() - began


def _reader(file: Path) -> str:
    if file.suffix == ".csv":
        try:
            file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            encoding = "latin-1"
        else:
            encoding = "utf-8"
        lenient = "all_varchar = true, ignore_errors = true, strict_mode = false, null_padding = true"
        return f"read_csv({literal(file)}, encoding = '{encoding}', {lenient})"
    if file.suffix == ".jsonl":
        return f"read_json({literal(file)}, format = 'newline_delimited')"
    return f"read_parquet({literal(file)})"


def _quality(settings: Settings, truth: Path) -> Quality:
    file = (settings.current / "restricted.duckdb").resolve()
    with connect(None, settings, attach={"published": file}) as connection:
        connection.execute(
            f"create temp table truth as select record_key, person from {literal(truth)} "
            "join published.marts.source_record_keys using (source_system, entity, source_record_id)"
        )
        return measure(connection, "published.marts.customer_source_records", "truth")


def print_tables(sizes: list[int], runs: int) -> None:
    """Per size what every step takes; then how seconds grow from size to size, and the quality of the identities.

    Args:
        sizes: numbers of customers, ascending.
        runs: warm runs of the smallest size; ten times as many customers are run once.
    """
    console = Console(width=max(Console().width, 110))
    found: dict[int, Measured] = {}
    for size in sizes:
        found[size] = measure_size(size, max(1, runs * 2 * sizes[0] // (size + sizes[0])))
        console.print(_steps_table(size, found[size]))
    console.print(_growth_table(found))
    console.print(_quality_table(found))


def _steps_table(size: int, measured: Measured) -> Table:
    title = f"{size:,} customers; a version has {measured.version_bytes / MEGA:,.0f} MB"
    table = _table(title, "step", "rows", "seconds", "CPU seconds", "peak memory, MB", "spilled, MB")
    for step, cost in measured.steps.items():
        table.add_row(
            step,
            "" if cost.rows is None else f"{cost.rows:,}",
            f"{cost.seconds:,.1f}",
            f"{cost.cpu_seconds:,.1f}",
            f"{cost.peak_bytes / MEGA:,.0f}",
            f"{cost.spilled_bytes / MEGA:,.0f}",
        )
    for step, seconds in measured.once.items():
        table.add_row(step, "", f"{seconds:,.1f}", "", "", "")
    return table


def _growth_table(found: dict[int, Measured]) -> Table:
    """Seconds per size, and between two sizes the exponent e of seconds ~ customers ^ e."""
    sizes = list(found)
    pairs = list(pairwise(sizes))
    exponents = [f"exponent {small:,} to {large:,}" for small, large in pairs]
    table = _table("Growth, seconds", "step", *(f"{size:,}" for size in sizes), *exponents)
    seconds = {size: {s: c.seconds for s, c in m.steps.items()} | m.once for size, m in found.items()}
    for step in seconds[sizes[0]]:
        values = {size: seconds[size].get(step, 0.0) for size in sizes}
        growth = [
            f"{math.log(values[large] / values[small]) / math.log(large / small):.2f}"
            if values[small] > 0 and values[large] > 0
            else ""
            for small, large in pairs
        ]
        table.add_row(step, *(f"{value:,.1f}" for value in values.values()), *growth)
    return table


def _quality_table(found: dict[int, Measured]) -> Table:
    table = _table("Published identities against the truth", "customers", "precision", "recall", "F1", "B-cubed F1")
    for size, measured in found.items():
        quality = measured.quality
        figures = (quality.precision, quality.recall, quality.f1, quality.b_cubed_f1)
        table.add_row(f"{size:,}", *(f"{figure:.4f}" for figure in figures))
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left")
    for position, column in enumerate(columns):
        table.add_column(column, justify="right" if position else "left")
    return table
