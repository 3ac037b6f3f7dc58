"""The nightly job on sample companies of several sizes: what every step takes, how it grows, and who is who.

The floor beside it: DuckDB alone reading the same source files into tables. Add a figure here when it can be had from a
run; what is kept of it is in `results`, how a process is watched in `process`.
"""

from __future__ import annotations

import math
import os
import shutil
import subprocess
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from benchmarks.identity.measures import Quality, measure
from benchmarks.process import COMMAND, Cost, RunFailedError, watch_run
from benchmarks.results import Measured, describe_conditions, load_result, results_folder, save_result
from pipelines.publish import open_reader
from pipelines.settings import Settings
from pipelines.warehouse import connect, literal

AS_OF = "2026-11-01"
WHOLE, FLOOR, SAMPLE = "whole process", "floor: DuckDB reads the files", "the sample is generated"
MEGA = 1e6
# From this size on the first run is all that is measured: one that reads everything again takes as long.
LARGE = 500_000
# The sample, what is landed of it, the build and two versions.
BYTES_PER_CUSTOMER = 40_000


def print_tables(sizes: Sequence[int], runs: int, *, again: bool = False) -> bool:
    """Per size what every step takes; then how seconds grow from size to size, and the quality of the identities.

    Args:
        sizes: numbers of customers, ascending.
        runs: warm runs of the smallest size; ten times as many customers are run once.
        again: measure also what is kept from an earlier call.

    Returns:
        Whether all sizes were measured; one that cannot be is told and left out.
    """
    console = Console(width=max(Console().width, 130))
    settings = Settings.from_environment()
    folder = results_folder(settings)
    found: dict[int, Measured] = {}
    for size in sizes:
        warm_runs = 0 if size >= LARGE else max(1, runs * 2 * sizes[0] // (size + sizes[0]))
        conditions = describe_conditions(settings, warm_runs)
        measured = None if again else load_result(folder, size, conditions)
        if measured:
            console.print(f"{size:,} customers: kept from an earlier call with this code; --again measures anew.")
        else:
            try:
                measured = measure_size(settings, folder / "work", size, warm_runs)
            except RunFailedError as error:
                console.print(f"{size:,} customers: {error}", markup=False)
                continue
            save_result(folder, size, conditions, measured)
        found[size] = measured
        console.print(_steps_table(size, measured))
    if found:
        console.print(_growth_table(found))
        console.print(_quality_table(found))
    return len(found) == len(sizes)


def measure_size(settings: Settings, work: Path, customers: int, runs: int) -> Measured:
    """Make the sample of one size, run the job once on an empty data folder and `runs` times more.

    All of it happens in the folder `work`, which is emptied before, because an interrupted call leaves it behind, and
    removed afterwards.

    Raises:
        RunFailedError: a run was not published, or there is no room for the size.
    """
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(mode=0o700, parents=True)
    if (free := shutil.disk_usage(work).free) < (needed := customers * BYTES_PER_CUSTOMER):
        raise RunFailedError(
            f"there are {free / 1e9:,.0f} GB free beside {work}, and {needed / 1e9:,.0f} GB may be needed; free space, "
            "or set KUNDENSTAMM_DATA_DIR to a larger disk."
        )
    try:
        return _measure_within(replace(settings, data_dir=work / "data"), work / "sample", customers, runs)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _measure_within(settings: Settings, sample: Path, customers: int, runs: int) -> Measured:
    environment = {
        **os.environ,
        "KUNDENSTAMM_DATA_DIR": str(settings.data_dir),
        "KUNDENSTAMM_SAMPLE": str(sample),
        "KUNDENSTAMM_KEEP_VERSIONS": "2",
    }
    began = time.monotonic()
    subprocess.run(
        [COMMAND, "sample", "--customers", str(customers), "--seed", "1", "--as-of", AS_OF, "--out", sample],
        env=environment,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    once = {SAMPLE: time.monotonic() - began, FLOOR: _floor(settings, sample)}
    arguments = ["--as-of", AS_OF]
    first, first_whole = watch_run(arguments, environment, settings.temp_dir)
    again = [*arguments, "--full"]  # files that did not change are read again, one source after the other
    warm = [watch_run(again, environment, settings.temp_dir) for _ in range(runs)]
    version = settings.current.resolve()
    return Measured(
        first=first,
        warm=_medians([steps for steps, _ in warm]),
        first_whole=first_whole,
        warm_whole=_medians([{WHOLE: whole} for _, whole in warm]).get(WHOLE),
        once=once,
        version_bytes=sum(file.stat().st_size for file in version.rglob("*") if file.is_file()),
        quality=_quality(settings, sample / "truth" / "persons.parquet"),
    )


def _medians(runs: Sequence[dict[str, Cost]]) -> dict[str, Cost]:
    return {
        step: Cost(
            rows=runs[0][step].rows,
            seconds=median(run[step].seconds for run in runs),
            cpu_seconds=median(run[step].cpu_seconds for run in runs),
            peak_bytes=max(run[step].peak_bytes for run in runs),
            spilled_bytes=max(run[step].spilled_bytes for run in runs),
        )
        for step in (runs[0] if runs else ())
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
        encoding = "utf-8" if _is_utf_8(file) else "latin-1"
        lenient = "all_varchar = true, ignore_errors = true, strict_mode = false, null_padding = true"
        return f"read_csv({literal(file)}, encoding = '{encoding}', {lenient})"
    if file.suffix == ".jsonl":
        return f"read_json({literal(file)}, format = 'newline_delimited')"
    return f"read_parquet({literal(file)})"


def _is_utf_8(file: Path) -> bool:
    try:
        with file.open(encoding="utf-8") as lines:
            for _ in lines:
                pass
    except UnicodeDecodeError:
        return False
    return True


def _quality(settings: Settings, truth: Path) -> Quality:
    with open_reader(settings, restricted=True) as connection:
        connection.execute(
            f"create temp table truth as select record_key, person from {literal(truth)} "
            "join marts.source_record_keys using (source_system, entity, source_record_id)"
        )
        return measure(connection, "marts.customer_source_records", "truth")


def sum_stages(steps: dict[str, Cost]) -> dict[str, Cost]:
    """The cost of each stage: the sum of its steps, the highest of their peaks."""
    of_stage: defaultdict[str, list[Cost]] = defaultdict(list)
    for step, cost in steps.items():
        of_stage[step.split(":")[0]].append(cost)
    return {
        stage: Cost(
            rows=sum(cost.rows or 0 for cost in costs),
            seconds=sum(cost.seconds for cost in costs),
            cpu_seconds=sum(cost.cpu_seconds for cost in costs),
            peak_bytes=max(cost.peak_bytes for cost in costs),
            spilled_bytes=max(cost.spilled_bytes for cost in costs),
        )
        for stage, costs in of_stage.items()
    }


def _steps_table(size: int, measured: Measured) -> Table:
    """Every stage with its steps: the first run, and the seconds of the warm ones."""
    title = f"{size:,} customers, first run; a version has {measured.version_bytes / MEGA:,.0f} MB"
    columns = ("step", "rows", "seconds", "CPU seconds", "peak memory, MB", "spilled, MB", "seconds, warm")
    table = _table(title, *columns)
    warm_stages = sum_stages(measured.warm)
    for stage, cost in sum_stages(measured.first).items():
        table.add_row(*_cells(stage, cost, warm_stages.get(stage)), style="bold")
        for step, part in measured.first.items():
            if step.startswith(f"{stage}: "):
                table.add_row(*_cells(f"  {step.removeprefix(f'{stage}: ')}", part, measured.warm.get(step)))
    table.add_row(*_cells(WHOLE, measured.first_whole, measured.warm_whole), style="bold")
    for step, seconds in measured.once.items():
        table.add_row(step, "", f"{seconds:,.1f}")
    return table


def _cells(name: str, cost: Cost, warm: Cost | None) -> tuple[str, ...]:
    return (
        name,
        f"{cost.rows:,}" if cost.rows else "",
        f"{cost.seconds:,.1f}",
        f"{cost.cpu_seconds:,.1f}",
        f"{cost.peak_bytes / MEGA:,.0f}",
        f"{cost.spilled_bytes / MEGA:,.0f}",
        f"{warm.seconds:,.1f}" if warm else "",
    )


def _growth_table(found: dict[int, Measured]) -> Table:
    """CPU seconds of the first run per size, and between two sizes the exponent e of CPU seconds ~ customers ^ e."""
    sizes = list(found)
    pairs = list(pairwise(sizes))
    exponents = [f"exponent {small:,} to {large:,}" for small, large in pairs]
    table = _table("Growth, CPU seconds of a first run", "stage", *(f"{size:,}" for size in sizes), *exponents)
    costs = {size: {**sum_stages(m.first), WHOLE: m.first_whole} for size, m in found.items()}
    for stage in costs[sizes[0]]:
        values = {size: costs[size][stage].cpu_seconds if stage in costs[size] else 0.0 for size in sizes}
        growth = [_exponent(small, values[small], large, values[large]) for small, large in pairs]
        table.add_row(stage, *(f"{value:,.1f}" for value in values.values()), *growth)
    return table


def _exponent(small: int, less: float, large: int, more: float) -> str:
    return f"{math.log(more / less) / math.log(large / small):.2f}" if less > 0 and more > 0 else ""


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
