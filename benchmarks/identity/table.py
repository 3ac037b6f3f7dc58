"""Resolve each set in a data folder of its own and print one line of figures for it.

Add a kind of input here; how it is loaded belongs to `persons` and `sample`, what is measured to `measures`.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.identity.measures import Quality, measure
from benchmarks.identity.persons import SETS, load_set, load_truth
from benchmarks.identity.sample import build_clean_sample
from pipelines.build import Build
from pipelines.configuration import load_configuration
from pipelines.errors import KundenstammError
from pipelines.resolve import resolve_identities
from pipelines.settings import PROJECT_DIR, Settings
from pipelines.warehouse import connect

PUBLIC_DATA = PROJECT_DIR.parent / "shared" / "data" / "identity"
AT = datetime.fromisoformat("2026-11-01")
WIDTH = 130  # a narrower terminal wraps lines, which is better than cut figures
COLUMNS = ("set", "records", "persons", "customers", "precision", "recall", "F1", "B-cubed F1", "mixed", "largest", "s")


def print_table(customers: Sequence[int] = (2_000,), sets: Sequence[str] | None = None) -> None:
    """Print the figures of the public sets and of sample companies of the given sizes."""
    console = _console()
    table = _start_table()
    if PUBLIC_DATA.is_dir():
        for name in sets if sets is not None else SETS:
            _add(table, name, *_resolve_set(name))
    else:
        console.print(f"The public sets are skipped: there is no {PUBLIC_DATA.relative_to(PROJECT_DIR.parent)}.")
    for count in customers:
        _add(table, f"sample, {count:,} customers", *_resolve_sample(count))
    console.print(table)


def print_build(build: Path, truth: Path) -> None:
    """Print the figures of a build that was resolved elsewhere."""
    if not build.is_file() or not truth.is_file():
        raise KundenstammError(f"Either {build} or {truth} is not a file; name both.")
    table = _start_table()
    with tempfile.TemporaryDirectory(prefix="kundenstamm-bench-") as folder:
        settings = _settings(Path(folder))
        with connect(None, settings, attach={"measured": build}) as connection:
            load_truth(connection, "measured.clean.persons", truth)
            _add(table, build.parent.name, measure(connection, "measured.identity.members", "truth"), None)
    _console().print(table)


def _resolve_set(name: str) -> tuple[Quality, float]:
    with tempfile.TemporaryDirectory(prefix="kundenstamm-bench-") as folder:
        settings = _settings(Path(folder))
        configuration = load_configuration(settings)
        settings.build_dir.mkdir(parents=True)
        build = Build("benchmark", "20261101T000000Z-benchmar", AT, configuration.digest, None, "benchmark", AT)
        with connect(settings.build_warehouse, settings) as connection:
            load_set(connection, PUBLIC_DATA, name)
            began = time.monotonic()
            resolve_identities(connection, settings, configuration, build)
            seconds = time.monotonic() - began
            return measure(connection, "identity.members", "truth"), seconds


def _resolve_sample(customers: int) -> tuple[Quality, float]:
    with tempfile.TemporaryDirectory(prefix="kundenstamm-bench-") as folder:
        settings = _settings(Path(folder))
        # The shipped configuration finds the sample where the data folder has it.
        configuration = load_configuration(settings)
        build = build_clean_sample(settings, configuration, settings.sample_dir, customers, seed=1)
        with connect(settings.build_warehouse, settings) as connection:
            began = time.monotonic()
            resolve_identities(connection, settings, configuration, build)
            seconds = time.monotonic() - began
            load_truth(connection, "clean.persons", settings.sample_dir / "truth" / "persons.parquet")
            return measure(connection, "identity.members", "truth"), seconds


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
        table.add_column(column, justify="left" if column == "set" else "right", no_wrap=True)
    return table


def _add(table: Table, name: str, quality: Quality, seconds: float | None) -> None:
    shares = (quality.precision, quality.recall, quality.f1, quality.b_cubed_f1, quality.mixed_share)
    counts = (quality.records, quality.persons, quality.customers)
    table.add_row(
        name,
        *(f"{count:,}" for count in counts),
        *(f"{share:.4f}" for share in shares),
        str(quality.largest),
        "" if seconds is None else f"{seconds:.1f}",
    )
