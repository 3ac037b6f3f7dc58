"""A company to run: a data folder, a configuration and sources of its own, driven as a person or a scheduler would."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.publish import open_reader
from pipelines.settings import PROJECT_DIR, Settings

COMMAND = Path(sys.executable).with_name("kundenstamm")
TIMEOUT_SECONDS = 540  # less than a test has; on a crowded machine a first run took more than 300


@dataclass
class Company:
    """`root` holds `data/`, `config/` and `sample/`, and an empty home. `program` is what is run on them."""

    root: Path
    extra: dict[str, str] = field(default_factory=dict)
    program: tuple[str, ...] = (str(COMMAND),)

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def config(self) -> Path:
        return self.root / "config"

    @property
    def sample(self) -> Path:
        return self.root / "sample"

    @property
    def settings(self) -> Settings:
        return Settings.from_environment(self.environment)

    @property
    def environment(self) -> dict[str, str]:
        home = self.root / "home"
        home.mkdir(exist_ok=True)
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
        return {
            **kept,
            "HOME": str(home),
            "KUNDENSTAMM_DATA_DIR": str(self.data),
            "KUNDENSTAMM_CONFIG_DIR": str(self.config),
            "KUNDENSTAMM_SAMPLE": str(self.sample),
            "KUNDENSTAMM_MEMORY_LIMIT": "2GB",
            "KUNDENSTAMM_THREADS": "1",  # a second one has nothing to do with so few rows, and costs a sixth more
            **self.extra,
        }

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*self.program, *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.root,
        )

    def call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.program, *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            cwd=self.root,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """`kundenstamm run`, for a fixed moment unless another is given."""
        return self.call("run", *(arguments or ("--as-of", "2026-11-01")))

    def query(self, sql: str, *, restricted: bool = False) -> list[tuple[Any, ...]]:
        """Rows of the published version."""
        with open_reader(self.settings, restricted=restricted) as connection:
            return connection.execute(sql).fetchall()

    def switch_off(self, *sources: str) -> None:
        file = self.config / "sources.yml"
        text = file.read_text()
        for source in sources:
            assert f"  - name: {source} " in text or f"  - name: {source}\n" in text
            text = text.replace(f"  - name: {source}", f"  - enabled: false\n    name: {source}")
        file.write_text(text)

    def alert(self, webhook: str) -> None:
        file = self.config / "company.yml"
        text = file.read_text()
        assert "\nalerts:\n" in text
        file.write_text(text.replace("\nalerts:\n", f"\nalerts:\n  webhook: {webhook}\n"))

    @property
    def version(self) -> str:
        return (self.data / "published" / "current").readlink().name

    def check_out(self) -> Path:
        """A checkout of its own, to be changed, from which this company is run from now on."""
        checkout = self.root / "checkout"
        for part in ("pipelines", "dbt_project", "expectations"):
            shutil.copytree(PROJECT_DIR / part, checkout / part)
        self.extra["PYTHONPATH"] = str(checkout)
        self.program = (sys.executable, "-m", "pipelines.cli")
        return checkout

    def copy_to(self, root: Path) -> Company:
        # Whoever queries the original meanwhile has folders there that come and go.
        shutil.copytree(self.root, root, symlinks=True, dirs_exist_ok=True, ignore=shutil.ignore_patterns("tmp"))
        return Company(root, dict(self.extra))


def copy_configuration(target: Path, source: Path = PROJECT_DIR / "config") -> None:
    shutil.copytree(source, target)


def said(process: subprocess.CompletedProcess[str]) -> str:
    """All a person saw, in one line."""
    return " ".join((process.stdout + process.stderr).split())
