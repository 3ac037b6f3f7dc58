"""Where things are and how much of the machine may be used.

Add a setting here when it depends on the machine, not on the company: what a company decides lives in `config/`.
Nothing is read at import; `Settings.from_environment()` reads the environment when it is called.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pipelines.errors import ConfigurationError

PROJECT_DIR = Path(__file__).resolve().parents[1]
DBT_PROJECT_DIR = PROJECT_DIR / "dbt_project"
EXPECTATIONS_DIR = PROJECT_DIR / "expectations"

# Tools that report home or look for updates; all off, in this process and in every child.
QUIET_ENVIRONMENT = {
    "DAGSTER_DISABLE_TELEMETRY": "1",
    "DAGSTER_EVENT_BATCH_SIZE": "1000",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "DBT_VERSION_CHECK": "false",
    "DO_NOT_TRACK": "1",
    "GX_ANALYTICS_ENABLED": "false",
}

EXECUTORS = ("in_process", "multiprocess")
MEMORY = re.compile(r"([1-9]\d*(?:\.\d+)?) ?([kmgt]i?b)", re.IGNORECASE)


@dataclass(frozen=True)
class Settings:
    """Folders and limits of one data folder.

    Attributes:
        data_dir: root of everything that is written at run time.
        config_dir: the owner's configuration.
        memory_limit: DuckDB's limit for one connection, e.g. `4GB`.
        threads: worker threads of DuckDB.
        keep_versions: published versions kept for rollback, at least 2.
        executor: `in_process` or `multiprocess`.
        kept_failures: failing rows listed per rule of the audit and object; all are counted.
    """

    data_dir: Path
    config_dir: Path
    memory_limit: str
    threads: int
    keep_versions: int = 7
    executor: str = "in_process"
    kept_failures: int = 1000

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read `KUNDENSTAMM_DATA_DIR`, `_CONFIG_DIR`, `_MEMORY_LIMIT`, `_THREADS`, `_KEEP_VERSIONS`, `_EXECUTOR`,
        `_KEPT_FAILURES`.

        Raises:
            ConfigurationError: one of them is not what it must be.
        """
        env = os.environ if environment is None else environment
        return cls(
            data_dir=Path(env.get("KUNDENSTAMM_DATA_DIR") or PROJECT_DIR / ".data").expanduser().absolute(),
            config_dir=Path(env.get("KUNDENSTAMM_CONFIG_DIR") or PROJECT_DIR / "config").expanduser().absolute(),
            memory_limit=_amount_of_memory(env, "KUNDENSTAMM_MEMORY_LIMIT") or _half_of_the_memory(),
            threads=_whole_number(env, "KUNDENSTAMM_THREADS") or os.cpu_count() or 2,
            keep_versions=max(2, _whole_number(env, "KUNDENSTAMM_KEEP_VERSIONS") or 7),
            executor=_executor(env, "KUNDENSTAMM_EXECUTOR"),
            kept_failures=_whole_number(env, "KUNDENSTAMM_KEPT_FAILURES") or 1000,
        )

    @property
    def landing_dir(self) -> Path:
        return self.data_dir / "landing"

    @property
    def build_dir(self) -> Path:
        return self.data_dir / "build"

    @property
    def build_warehouse(self) -> Path:
        return self.build_dir / "warehouse.duckdb"

    @property
    def build_shared(self) -> Path:
        """The tables of the open build that everybody may read; publishing takes this file as it is."""
        return self.build_dir / "shared.duckdb"

    @property
    def build_restricted(self) -> Path:
        """The tables of the open build that hold identifiers; publishing takes this file as it is."""
        return self.build_dir / "restricted.duckdb"

    @property
    def build_interim(self) -> Path:
        """What only later models of the open build read; neither audited nor published."""
        return self.build_dir / "interim.duckdb"

    @property
    def build_audit(self) -> Path:
        return self.build_dir / "audit.duckdb"

    @property
    def builds_dir(self) -> Path:
        return self.data_dir / "builds"

    @property
    def state_dir(self) -> Path:
        return self.data_dir / "state"

    @property
    def versions_dir(self) -> Path:
        return self.data_dir / "published" / "versions"

    @property
    def current(self) -> Path:
        """The symbolic link that readers open; it may not exist yet."""
        return self.data_dir / "published" / "current"

    @property
    def lock_file(self) -> Path:
        return self.data_dir / "lock"

    @property
    def dagster_home(self) -> Path:
        return self.data_dir / "dagster"

    @property
    def temp_dir(self) -> Path:
        return self.data_dir / "tmp"

    @property
    def sample_dir(self) -> Path:
        return self.data_dir / "sample"

    @property
    def overrides_file(self) -> Path:
        return self.data_dir / "overrides.csv"

    def landing_file(self, source_name: str) -> Path:
        return self.landing_dir / f"{source_name}.duckdb"

    def share_memory(self, engines: int) -> Settings:
        """The same with the part of the memory that one of so many engines gets which work at the same time."""
        limit = MEMORY.fullmatch(self.memory_limit)
        assert limit  # noqa: S101  as `from_environment` has checked
        amount, unit = limit.groups()
        return replace(self, memory_limit=f"{float(amount) / engines:.3f}{unit}")


def _whole_number(environment: Mapping[str, str], name: str) -> int | None:
    text = environment.get(name) or None
    if text is not None and (not text.isdecimal() or int(text) < 1):
        raise ConfigurationError([f"{name} is '{text[:40]}'; it must be a whole number of at least 1."])
    return int(text) if text else None


def _amount_of_memory(environment: Mapping[str, str], name: str) -> str | None:
    text = environment.get(name) or None
    if text is not None and not MEMORY.fullmatch(text):
        raise ConfigurationError([f"{name} is '{text[:40]}'; write an amount of memory like 4GB or 512MB."])
    return text


def _executor(environment: Mapping[str, str], name: str) -> str:
    text = environment.get(name) or EXECUTORS[0]
    if text not in EXECUTORS:
        raise ConfigurationError([f"{name} is '{text[:40]}'; allowed: {', '.join(EXECUTORS)}."])
    return text


def _half_of_the_memory() -> str:
    """Half of the machine: pandas, Splink and the audit work beside DuckDB."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return f"{max(1, total // 2 // 10**9)}GB"
