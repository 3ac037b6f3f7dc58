"""What all commands share: where they print, their options and exit codes, and the settings of a call.

Add here only what commands of several modules need.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from pipelines.settings import PROJECT_DIR, Settings

PUBLISHED, FAILED, REFUSED, ACTIVE, CONFIGURATION = 0, 1, 2, 3, 4

console = Console(highlight=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, soft_wrap=True)

ConfigOption = Annotated[Path | None, typer.Option("--config", help="Configuration folder; default ./config.")]
DataOption = Annotated[Path | None, typer.Option("--data", help="Data folder; default ./.data.")]


def read_settings(config: Path | None = None, data: Path | None = None) -> Settings:
    """The settings of this call; also what every child process and Dagster will read."""
    if config is not None:
        os.environ["KUNDENSTAMM_CONFIG_DIR"] = str(config.expanduser().absolute())
    if data is not None:
        os.environ["KUNDENSTAMM_DATA_DIR"] = str(data.expanduser().absolute())
    return Settings.from_environment()


def become_dagster(*arguments: str) -> None:
    """Replace this process by Dagster's own command, started where workspace.yaml is."""
    os.chdir(PROJECT_DIR)
    os.environ.setdefault("PYTHONWARNINGS", "ignore")  # as in `main`: libraries warn those who call them
    os.execv(Path(sys.executable).with_name("dagster"), ["dagster", *arguments])  # noqa: S606


def print_lines(lines: Iterable[str]) -> None:
    for line in lines:
        console.print(line, markup=False)


def short(path: Path) -> str:
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
