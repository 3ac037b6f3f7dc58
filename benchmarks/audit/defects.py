"""Which rule finds which defect, and which rules speak where nothing is wrong.

Every night is computed on a copy of one data folder in which a clean night was published, as a defect arrives in
practice: in the next delivery.
"""

from __future__ import annotations

import json
import os
import shutil
from datetime import datetime, timedelta
from pathlib import Path

from benchmarks.audit.night import prepare_night, publish_night, run_night
from pipelines.audit import Status
from pipelines.sample import break_sample, generate_sample
from pipelines.settings import Settings

AS_OF = datetime.fromisoformat("2026-11-01")
UNMET = {Status.FAILED, Status.WARNED, Status.NOT_RUN}
STOPPED = "stopped at landing"


class Nights:
    """A clean company with one published night, and what its next night finds. Everything is kept in `folder`.

    Results are kept as well, so that a measurement that was interrupted goes on.
    """

    def __init__(self, folder: Path, customers: int, seed: int = 1) -> None:
        self._folder = folder / f"{customers}_{seed}"
        self._customers, self._seed = customers, seed
        self._kept = self._folder / "results.json"

    def find_clean(self) -> list[str]:
        """Rules that are not met on a night without any defect."""
        return self._find("clean", None, 0)

    def find(self, defect: str, rate: float) -> list[str]:
        """Rules that are not met when that defect is in the delivery, and STOPPED when landing refused it."""
        return self._find(f"{defect}={rate}", defect, rate)

    def _find(self, name: str, defect: str | None, rate: float) -> list[str]:
        known = json.loads(self._kept.read_text()) if self._kept.exists() else {}
        if name not in known:
            known[name] = self._measure(defect, rate)
            self._folder.mkdir(parents=True, exist_ok=True)
            self._kept.write_text(json.dumps(known, indent=1))
        found: list[str] = known[name]
        return found

    def _measure(self, defect: str | None, rate: float) -> list[str]:
        published = self.publish_first_night()
        data, sample = self._folder / "night", self._folder / "broken"
        for old in (data, sample):
            _remove(old)
        shutil.copytree(published, data, symlinks=True)
        shutil.copytree(self._sample, sample)
        if defect:
            break_sample(sample, defect, rate)
        results, stopped = run_night(_settings(data), sample / "day_01", AS_OF)
        return sorted({r.rule_id for r in results if r.status in UNMET}) + ([STOPPED] if stopped else [])

    @property
    def _sample(self) -> Path:
        return self._folder / "sample"

    def publish_first_night(self) -> Path:
        """The data folder in which a clean night was published; made when it is not there yet."""
        published = self._folder / "published"
        if published.exists():
            return published
        generate_sample(self._sample, customers=self._customers, seed=self._seed, as_of=AS_OF, days=1)
        partial = self._folder / "partial"
        _remove(partial)
        settings = _settings(partial)
        prepare_night(settings, self._sample / "day_00", AS_OF - timedelta(days=1))
        publish_night(settings, AS_OF - timedelta(days=1))
        partial.rename(published)
        return published


def _remove(folder: Path) -> None:
    """Delete a data folder; its published versions are read-only."""
    for path in folder.rglob("*"):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)


def _settings(data: Path) -> Settings:
    os.environ["KUNDENSTAMM_DATA_DIR"] = str(data)
    return Settings.from_environment({**os.environ, "KUNDENSTAMM_DATA_DIR": str(data)})
