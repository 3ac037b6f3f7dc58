"""Which rule finds which defect, and which rules speak where nothing is wrong.

Every night is computed on a copy of one data folder in which a clean night was published, as a defect arrives in
practice: in the next delivery.
"""

from __future__ import annotations

import filecmp
import json
import os
import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.audit.night import check_night, prepare_night, publish_night
from benchmarks.results import digest_files
from pipelines.audit import Status, load_catalogue
from pipelines.configuration import load_configuration
from pipelines.sample import break_sample, generate_sample
from pipelines.settings import Settings

AS_OF = datetime.fromisoformat("2026-11-01")
UNMET = {Status.FAILED, Status.WARNED, Status.NOT_RUN}
STOPPED = "stopped at landing"
CLEAN = "clean"
LAST_DAY = "day_01"
# What a computed night depends on, beside the rules that set records aside; and what is checked on it.
CODE = ("pipelines", "dbt_project", "config", "uv.lock")
RULES = ("expectations",)


class Nights:
    """A clean company with one published night, and what its next night finds. Everything is kept in `folder`.

    Results are kept as well, so that a measurement that was interrupted goes on. One counts as long as code,
    configuration and rules are those it was measured with. With `keep_builds` the computed nights stay, and when
    nothing but rules changed, only these are checked again.
    """

    def __init__(self, folder: Path, customers: int, seed: int = 1, *, keep_builds: bool = False) -> None:
        self._folder = folder / f"{customers}_{seed}"
        self._customers, self._seed, self._keep_builds = customers, seed, keep_builds
        self._kept = self._folder / "results.json"
        self._code, self._rules = _digest_code(), digest_files(RULES)

    def find_clean(self) -> list[str]:
        """Rules that are not met on a night without any defect."""
        return self._find(CLEAN, None, 0)

    def find(self, defect: str, rate: float) -> list[str]:
        """Rules that are not met when that defect is in the delivery, and STOPPED when landing refused it."""
        return self._find(f"{defect}={rate}", defect, rate)

    def _find(self, name: str, defect: str | None, rate: float) -> list[str]:
        kept = self._read_kept().get(name, {})
        if (kept.get("code"), kept.get("rules")) != (self._code, self._rules):
            found = self._measure(name, defect, rate, is_computed=kept.get("code") == self._code)
            kept = {"code": self._code, "rules": self._rules, "found": found}
            self._kept.write_text(json.dumps(self._read_kept() | {name: kept}, indent=1))
        return list(kept["found"])

    def _read_kept(self) -> dict[str, dict[str, Any]]:
        known: dict[str, dict[str, Any]] = json.loads(self._kept.read_text()) if self._kept.exists() else {}
        return known

    def _measure(self, name: str, defect: str | None, rate: float, *, is_computed: bool) -> list[str]:
        data, published = self._night(name), self.publish_first_night()
        told = data / "stopped.json"
        if is_computed and told.exists():
            _remove(data / "published")  # what these rules found there is compared with
            shutil.copytree(published / "published", data / "published", symlinks=True)
        else:
            if defect:
                self.find_clean()
            told.write_text(json.dumps(self._compute(data, defect, rate)))
        results = check_night(_settings(data))
        is_stopped = bool(json.loads(told.read_text()))
        if defect and not self._keep_builds:
            _remove(data)
        return sorted({r.rule_id for r in results if r.status in UNMET}) + ([STOPPED] if is_stopped else [])

    def _compute(self, data: Path, defect: str | None, rate: float) -> list[str]:
        """Compute the night into `data`; returns why sources could not be landed.

        What a defect does not touch was landed by the clean night, and is taken from there.
        """
        sample = self._folder / "broken"
        for old in (data, sample):
            _remove(old)
        shutil.copytree(self._folder / "published", data, symlinks=True)
        shutil.copytree(self._sample, sample)
        landed: set[str] = set()
        if defect:
            break_sample(sample, defect, rate)
            landed = _unchanged_sources(self._sample / LAST_DAY, sample / LAST_DAY)
            for source in landed:
                shutil.copy(self._night(CLEAN) / "landing" / f"{source}.duckdb", data / "landing")
        return prepare_night(_settings(data), sample / LAST_DAY, AS_OF, landed)

    def _night(self, name: str) -> Path:
        return self._folder / "nights" / name

    @property
    def _sample(self) -> Path:
        return self._folder / "sample"

    def publish_first_night(self) -> Path:
        """The data folder in which a clean night was published; made when it is not there yet."""
        published, made_by = self._folder / "published", self._folder / "published.txt"
        made_of = f"{self._code} {self._rules}"
        if published.exists() and made_by.exists() and made_by.read_text() == made_of:
            return published
        for old in (published, self._sample):
            _remove(old)
        generate_sample(self._sample, customers=self._customers, seed=self._seed, as_of=AS_OF, days=1)
        partial = self._folder / "partial"
        _remove(partial)
        settings = _settings(partial)
        prepare_night(settings, self._sample / "day_00", AS_OF - timedelta(days=1))
        publish_night(settings, AS_OF - timedelta(days=1))
        partial.rename(published)
        made_by.write_text(made_of)
        return published


def _digest_code() -> str:
    rules = load_catalogue(load_configuration(Settings.from_environment())).rules
    return " ".join([digest_files(CODE), *(rule.digest[:8] for rule in rules if rule.quarantines)])


def _unchanged_sources(clean: Path, broken: Path) -> set[str]:
    """Folders of the sample, which are called like their sources, in which every file is the same."""
    return {
        folder.name
        for folder in clean.iterdir()
        if folder.is_dir()
        and all(
            filecmp.cmp(file, broken / file.relative_to(clean), shallow=False)
            for file in folder.rglob("*")
            if file.is_file()
        )
    }


def _remove(folder: Path) -> None:
    """Delete a data folder; its published versions are read-only."""
    for path in folder.rglob("*"):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)


def _settings(data: Path) -> Settings:
    os.environ["KUNDENSTAMM_DATA_DIR"] = str(data)
    return Settings.from_environment({**os.environ, "KUNDENSTAMM_DATA_DIR": str(data)})
