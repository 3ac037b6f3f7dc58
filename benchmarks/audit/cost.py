"""What the rules cost: time and memory of all of them inside DuckDB, and of those that pandas can check in pandas.

Great Expectations checks SQL rules in a database only, so the comparison is over the expectations of its own.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table

from pipelines.audit import gx, load_catalogue
from pipelines.audit.expectation_types import UNEXPECTED_ROWS
from pipelines.build import read_steps
from pipelines.configuration import load_configuration
from pipelines.settings import Settings
from pipelines.warehouse import build_parts, connect, engine_options

ENGINES = ("all rules, in DuckDB", "own expectations, in DuckDB", "own expectations, in pandas")
MEGA = 1e6


def measure(data: Path) -> Table:
    """A row per way of checking, each in a process of its own."""
    table = Table(
        "what", "checks", "seconds", "CPU seconds", "peak memory, MB", box=box.SIMPLE_HEAD, title="What it costs"
    )
    for engine in ENGINES:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.audit.cost", engine, str(data)],
            check=True,
            capture_output=True,
            text=True,
        )
        found = json.loads(done.stdout.splitlines()[-1])
        table.add_row(
            engine,
            str(found["checks"]),
            f"{found['seconds']:.1f}",
            f"{found['cpu']:.1f}",
            f"{found['peak'] / MEGA:,.0f}",
        )
    return table


def share_of_run(data: Path) -> str:
    """How much of a run is the audit: comparing with the published version, and the verdict with its report."""
    steps = read_steps(_settings(data))
    ended = [step.finished_at for step in steps.values() if step.finished_at]
    whole = (max(ended) - min(step.started_at for step in steps.values())).total_seconds()
    audit = 0.0
    for name in ("meta.source_profile", "audit.verdict"):
        finished = steps[name].finished_at
        audit += (finished - steps[name].started_at).total_seconds() if finished else 0.0
    return f"The audit took {audit:.1f} of {whole:.1f} s of the run's steps, {audit / whole:.0%}."


def _settings(data: Path) -> Settings:
    return Settings.from_environment({**os.environ, "KUNDENSTAMM_DATA_DIR": str(data)})


def _check(engine: str, data: Path) -> dict[str, Any]:
    settings = _settings(data)
    rules = load_catalogue(load_configuration(settings)).rules
    own = [r for r in rules if r.expectation and (engine == ENGINES[0] or r.expectation["type"] != UNEXPECTED_ROWS)]
    by_query: dict[str, list[Mapping[str, Any]]] = {}
    for rule in own:
        for checked in rule.objects:
            if checked.query is not None:
                check = {"key": f"{rule.id}|{checked.name}", **(rule.expectation or {})}
                by_query.setdefault(checked.query, []).append(check)
    gx.import_great_expectations()
    began, cpu = time.monotonic(), time.process_time()
    if engine == ENGINES[2]:
        _check_in_pandas(settings, by_query)
    else:
        with gx.open_warehouse(
            settings.build_warehouse, engine_options(settings), parts=build_parts(settings)
        ) as source:
            for number, (query, checks) in enumerate(by_query.items()):
                gx.validate_object(source, str(number), query, checks)
    count = sum(map(len, by_query.values()))
    return {
        "checks": count,
        "seconds": time.monotonic() - began,
        "cpu": time.process_time() - cpu,
        "peak": _peak_memory(),
    }


def _peak_memory() -> int:
    """Bytes of this process. Where the system tells only the peak of the process, that of its parent is in it."""
    status = Path("/proc/self/status")
    if status.exists():
        return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM")) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _check_in_pandas(settings: Settings, by_query: Mapping[str, list[Mapping[str, Any]]]) -> None:
    import great_expectations
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    context = great_expectations.get_context(mode="ephemeral")
    source = context.data_sources.add_pandas("frames")
    with connect(settings.build_warehouse, settings, read_only=True) as connection:
        for number, (query, checks) in enumerate(by_query.items()):
            frame = connection.execute(query).df()
            batch = source.add_dataframe_asset(str(number)).add_batch_definition_whole_dataframe("rows")
            suite = great_expectations.ExpectationSuite(
                name=str(number),
                expectations=[
                    ExpectationConfiguration(type=c["type"], kwargs=dict(c["kwargs"])).to_domain_obj() for c in checks
                ],
            )
            batch.get_batch({"dataframe": frame}).validate(suite, result_format=gx.RESULT_FORMAT)


if __name__ == "__main__":
    print(json.dumps(_check(sys.argv[1], Path(sys.argv[2]))))
