"""Resolve each set in a data folder of its own and print one line of figures for it.

Add a kind of input here; how it is loaded belongs to `persons` and `sample`, what is measured to `measures`.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from rich.console import Console
from rich.table import Table

from benchmarks.identity.alternatives import ALTERNATIVES, read_evidence, write_clusters
from benchmarks.identity.companies import measure_companies
from benchmarks.identity.households import MODELS, Households, measure_households
from benchmarks.identity.measures import Quality, find_best_pairs, measure
from benchmarks.identity.nights import NightCost, measure_night
from benchmarks.identity.persons import SETS, load_set, load_truth
from benchmarks.identity.plain import cluster_plainly
from benchmarks.identity.sample import build_clean_sample
from pipelines.build import Build
from pipelines.configuration import load_configuration
from pipelines.errors import KundenstammError
from pipelines.resolve import resolve_accounts, resolve_identities
from pipelines.resolve.kept import cache_file
from pipelines.settings import PROJECT_DIR, Settings
from pipelines.transform import run_dbt
from pipelines.warehouse import connect

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.configuration import Configuration

Result = TypeVar("Result")
PUBLIC_DATA = PROJECT_DIR.parent / "shared" / "data" / "identity"
AT = datetime.fromisoformat("2026-11-01")
WIDTH = 210  # a narrower terminal wraps lines, which is better than cut figures
COLUMNS = (
    "set", "method", "records", "persons", "customers", "precision", "recall", "F1", "B-cubed F1", "mixed", "largest",
    "best pairs", "not worse", "s", "CPU s", "MB",
)  # fmt: skip
MOST_PLAIN_RECORDS = 100_000  # the tutorial's blocks make hundreds of millions of pairs of more
OURS, PLAIN = "kundenstamm", "plain Splink"
HOUSEHOLD_COLUMNS = (
    "set",
    "households",
    "pairs",
    "wrong",
    "wrong share",
    "found",
    "homes",
    "fused homes",
    "fused share",
)


@dataclass(frozen=True)
class Measured:
    """What one method made of one set, and what it cost: seconds, seconds of all cores, resident memory at most.

    `best_pairs` is the F1 of the best threshold over single pairs, which final clusters must not be worse than.
    """

    method: str
    quality: Quality
    seconds: float | None = None
    cpu_seconds: float | None = None
    peak_bytes: int | None = None
    best_pairs: float | None = None


def print_table(customers: Sequence[int] = (2_000,), sets: Sequence[str] | None = None) -> None:
    """Print the figures of the public sets and of sample companies of the given sizes."""
    console = _console()
    table = _start_table()
    if PUBLIC_DATA.is_dir():
        for name in sets if sets is not None else SETS:
            _add(table, name, _apart(_resolve_set, name))
    else:
        console.print(f"The public sets are skipped: there is no {PUBLIC_DATA.relative_to(PROJECT_DIR.parent)}.")
    homes, nights = _start_household_table(), _start_night_table()
    for count in customers:
        name = f"sample, {count:,} customers"
        persons, companies, households, night = _apart(_resolve_sample, count)
        _add(table, name, persons)
        _add(table, f"its companies, {count:,} customers", companies)
        _add_households(homes, name, households)
        _add_night(nights, name, night)
    console.print(table)
    if customers:
        console.print(homes)
        console.print(nights)


def _apart(function: Callable[[Any], Result], argument: object) -> Result:
    """Call it in a process of its own, so that one set's memory is not another's."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, (argument,))


def print_build(build: Path, truth: Path) -> None:
    """Print the figures of a build that was resolved elsewhere."""
    if not build.is_file() or not truth.is_file():
        raise KundenstammError(f"Either {build} or {truth} is not a file; name both.")
    table = _start_table()
    with tempfile.TemporaryDirectory(prefix="kundenstamm-bench-") as folder:
        settings = _settings(Path(folder))
        with connect(None, settings, attach={"measured": build}) as connection:
            load_truth(connection, "measured.clean.persons", truth)
            _add(table, build.parent.name, [Measured(OURS, measure(connection, "measured.identity.members", "truth"))])
    _console().print(table)


def _resolve_set(name: str) -> list[Measured]:
    with tempfile.TemporaryDirectory(prefix="kundenstamm-bench-") as folder:
        settings = _settings(Path(folder))
        configuration = load_configuration(settings)
        settings.build_dir.mkdir(parents=True)
        build = Build("benchmark", "20261101T000000Z-benchmar", AT, configuration.digest, None, "benchmark", AT)
        with connect(settings.build_warehouse, settings) as connection:
            load_set(connection, PUBLIC_DATA, name)
            return _measure_both(connection, settings, configuration, build)


def _resolve_sample(customers: int) -> tuple[list[Measured], list[Measured], Households, NightCost]:
    """The figures of persons, of companies, of households, and of a night."""
    with tempfile.TemporaryDirectory(prefix="kundenstamm-bench-") as folder:
        settings = _settings(Path(folder))
        # The shipped configuration finds the sample where the data folder has it.
        configuration = load_configuration(settings)
        build = build_clean_sample(settings, configuration, settings.sample_dir, customers, seed=1)
        truth = settings.sample_dir / "truth"
        with connect(settings.build_warehouse, settings) as connection:
            load_truth(connection, "clean.persons", truth / "persons.parquet")
            persons = _measure_both(connection, settings, configuration, build)
            companies = _measure_accounts(connection, settings, configuration, build, truth)
        run_dbt(settings, "run", MODELS)
        with connect(settings.build_warehouse, settings) as connection:
            households = measure_households(connection, truth)
        return persons, companies, households, measure_night(settings, configuration, build)


def _measure_accounts(
    connection: DuckDBPyConnection, settings: Settings, configuration: Configuration, build: Build, truth: Path
) -> list[Measured]:
    began, used = time.monotonic(), time.process_time()
    resolve_accounts(connection, settings, configuration, build)
    seconds, cpu_seconds = time.monotonic() - began, time.process_time() - used
    return [Measured(OURS, measure_companies(connection, truth / "accounts.parquet"), seconds, cpu_seconds)]


def _measure_both(
    connection: DuckDBPyConnection, settings: Settings, configuration: Configuration, build: Build
) -> list[Measured]:
    """Ours first, then other clusterings of our links, then plain Splink. The peak is that of the process so far."""
    # What importing takes is not what is measured: whoever came first would pay it for the other.
    import pandas  # noqa: F401
    import pyarrow.dataset  # noqa: F401
    from splink import DuckDBAPI, Linker  # noqa: F401

    ours = _measure(
        connection, OURS, "identity.members", lambda: resolve_identities(connection, settings, configuration, build)
    )
    evidence = read_evidence(connection, cache_file(settings))
    ours = replace(ours, best_pairs=find_best_pairs(connection, "truth"))
    others = []
    for name, cluster in ALTERNATIVES.items():
        write_clusters(connection, evidence, cluster)
        others.append(Measured(name, measure(connection, "other_members", "truth")))
    plain = []
    if ours.quality.records <= MOST_PLAIN_RECORDS:
        plain.append(_measure(connection, PLAIN, "plain_members", lambda: cluster_plainly(connection)))
    return [ours, *others, *plain]


def _measure(connection: DuckDBPyConnection, method: str, members: str, run: Callable[[], object]) -> Measured:
    began, used = time.monotonic(), time.process_time()
    run()
    seconds, cpu_seconds = time.monotonic() - began, time.process_time() - used
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return Measured(method, measure(connection, members, "truth"), seconds, cpu_seconds, peak)


def _settings(folder: Path) -> Settings:
    """The machine's own limits and the shipped configuration, in a data folder that goes away."""
    environment = {k: v for k, v in os.environ.items() if k not in ("KUNDENSTAMM_SAMPLE", "KUNDENSTAMM_CONFIG_DIR")}
    os.environ.pop("KUNDENSTAMM_SAMPLE", None)
    return replace(Settings.from_environment(environment), data_dir=folder)


def _console() -> Console:
    console = Console()
    return console if console.width >= WIDTH else Console(width=WIDTH)


def _start_table() -> Table:
    table = Table(title="Final customers against the truth, over all pairs of records")
    for column in COLUMNS:
        table.add_column(column, justify="left" if column in ("set", "method") else "right", no_wrap=True)
    return table


def _start_household_table() -> Table:
    table = Table(
        title="Households against the truth: pairs of people in one, and homes of which two people were fused"
    )
    for column in HOUSEHOLD_COLUMNS:
        table.add_column(column, justify="left" if column == "set" else "right", no_wrap=True)
    return table


def _add_households(table: Table, name: str, found: Households) -> None:
    table.add_row(
        name,
        *(f"{count:,}" for count in (found.household_count, found.joined_pairs, found.wrong_pairs)),
        f"{found.wrong_pairs / max(found.joined_pairs, 1):.4f}",
        f"{found.found_share:.4f}",
        *(f"{count:,}" for count in (found.home_count, found.fused_homes)),
        f"{found.fused_homes / max(found.home_count, 1):.4f}",
    )


def _start_night_table() -> Table:
    table = Table(title="A night in which one record of a hundred says something else, and a full run of the same data")
    for column in ("set", "records", "anew", "night, CPU s", "full, CPU s", "share", "same"):
        table.add_column(column, justify="left" if column == "set" else "right", no_wrap=True)
    return table


def _add_night(table: Table, name: str, night: NightCost) -> None:
    table.add_row(
        name,
        *(f"{count:,}" for count in (night.records, night.renewed)),
        *(f"{seconds:.1f}" for seconds in (night.cpu_seconds, night.full_cpu_seconds)),
        f"{night.cpu_seconds / max(night.full_cpu_seconds, 1e-9):.2f}",
        "yes" if night.is_same else "NO",
    )


def _judge(found: Measured) -> tuple[str, str]:
    """The F1 of the best pairwise threshold, and whether the clusters are as good, to four digits."""
    if found.best_pairs is None:
        return "", ""
    return f"{found.best_pairs:.4f}", "yes" if found.quality.f1 > found.best_pairs - 0.00005 else "NO"


def _add(table: Table, name: str, measured: Sequence[Measured]) -> None:
    for found in measured:
        quality = found.quality
        shares = (quality.precision, quality.recall, quality.f1, quality.b_cubed_f1, quality.mixed_share)
        table.add_row(
            name,
            found.method,
            *(f"{count:,}" for count in (quality.records, quality.persons, quality.customers)),
            *(f"{share:.4f}" for share in shares),
            str(quality.largest),
            *_judge(found),
            *("" if seconds is None else f"{seconds:.1f}" for seconds in (found.seconds, found.cpu_seconds)),
            "" if found.peak_bytes is None else f"{found.peak_bytes / 1e6:.0f}",
        )
        name = ""
