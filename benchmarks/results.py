"""Results of the pipeline benchmark, kept as soon as they are there, so that an interrupted one goes on.

Add a figure to the dataclasses; they are kept as they are, one JSON file per size. A result counts as long as code,
configuration, limits and number of runs are those it was measured with.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.identity.measures import Quality
from benchmarks.process import Cost
from pipelines.settings import PROJECT_DIR, Settings

# What a result depends on; files that are made while running are not among it.
SOURCES = ("pipelines", "dbt_project", "expectations", "config", "uv.lock")
KINDS = (".py", ".sql", ".yml", ".csv", ".lock")


@dataclass(frozen=True)
class Measured:
    """One size.

    Attributes:
        first: cost of the first run on an empty data folder by `stage: step`.
        warm: medians of the runs after it, in which all files are read again and none has changed; may be empty.
        first_whole, warm_whole: cost of the whole process.
        once: seconds of what is done once: the sample, and the floor.
        version_bytes: size of a published version.
        quality: of the identities of the last run against the truth of the sample.
    """

    first: dict[str, Cost]
    warm: dict[str, Cost]
    first_whole: Cost
    warm_whole: Cost | None
    once: dict[str, float]
    version_bytes: int
    quality: Quality


def results_folder(settings: Settings) -> Path:
    """Where results are kept and sizes are measured; it is not of any data folder in use."""
    return settings.data_dir / "bench"


def load_result(folder: Path, customers: int, made_of: str) -> Measured | None:
    """The kept result of a size, None when there is none or it was measured with something else."""
    file = _file(folder, customers)
    if not file.is_file():
        return None
    kept = json.loads(file.read_text(encoding="utf-8"))
    return _read(kept["measured"]) if kept["made_of"] == made_of else None


def save_result(folder: Path, customers: int, made_of: str, measured: Measured) -> None:
    """Keep the result of a size; a file that is there is whole."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = _file(folder, customers).with_suffix(".new")
    new.write_text(json.dumps({"made_of": made_of, "measured": asdict(measured)}, indent=1), encoding="utf-8")
    new.replace(_file(folder, customers))


def describe_conditions(settings: Settings, runs: int) -> str:
    """A digest of everything that a result depends on but the size."""
    limits = f"{settings.memory_limit} {settings.threads} {runs} {os.cpu_count()}"
    return hashlib.sha256(f"{limits} {digest_files(SOURCES)}".encode()).hexdigest()


def digest_files(names: Iterable[str]) -> str:
    """A digest of files and folders of the project, by their names and contents."""
    digest = hashlib.sha256()
    for file in _files(PROJECT_DIR / name for name in names):
        digest.update(str(file.relative_to(PROJECT_DIR)).encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _files(roots: Iterable[Path]) -> list[Path]:
    found = (file for root in roots for file in ([root] if root.is_file() else root.rglob("*")))
    return sorted(f for f in found if f.suffix in KINDS and "target" not in f.parts and f.is_file())


def _file(folder: Path, customers: int) -> Path:
    return folder / f"pipeline_{customers}.json"


def _read(kept: dict[str, Any]) -> Measured:
    return Measured(
        first={step: Cost(**cost) for step, cost in kept["first"].items()},
        warm={step: Cost(**cost) for step, cost in kept["warm"].items()},
        first_whole=Cost(**kept["first_whole"]),
        warm_whole=Cost(**kept["warm_whole"]) if kept["warm_whole"] else None,
        once=kept["once"],
        version_bytes=kept["version_bytes"],
        quality=Quality(**kept["quality"]),
    )
