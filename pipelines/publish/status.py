"""What is published, since when, on which audit, and why nothing newer is: read from the data folder alone.

Add here what an operator asks first. Nothing here opens a database or changes anything.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pipelines import lock
from pipelines.build import Build, current_build, is_published, read_steps, tell_last_step
from pipelines.errors import BuildError
from pipelines.publish.history import CANCELED, FAILED, REFUSED, ROLLED_BACK, Outcome, read_outcomes
from pipelines.publish.switch import current_version, version_names

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.settings import Settings


@dataclass(frozen=True)
class VersionInfo:
    """One kept version, from its manifest. Moments are UTC.

    Attributes:
        verdict: the audit's word: `passed` or `passed_with_warnings`.
        has_audiences: False when they were withdrawn.
        approvals: critical rules it was published against, each with what failed and why that was intended.
    """

    version: str
    published_at: datetime
    as_of: datetime
    verdict: str
    customer_count: int
    configuration_digest: str
    is_current: bool
    has_audiences: bool
    approvals: tuple[str, ...] = ()


@dataclass(frozen=True)
class DeadRun:
    """A run whose process ended without a word.

    Attributes:
        started_at: when it took the data folder (UTC).
        where: it was, as the end of a sentence that begins with `it died`.
    """

    started_at: datetime
    where: str


@dataclass(frozen=True)
class Status:
    """The state of one data folder.

    Attributes:
        data_dir: the data folder.
        current: what readers see, or None.
        rolled_back: the rollback that made it current, or None.
        last_failure: the latest refused, failed or canceled run since the last one that published, or None.
        failing_since: the first of them, or None.
        open_build: the open build, or None.
        is_open_build_published: whether it is one of the versions.
        is_running: whether a run is active.
        dead_run: the latest run, when it died and nobody has recorded that yet, or None.
    """

    data_dir: Path
    current: VersionInfo | None
    rolled_back: Outcome | None
    last_failure: Outcome | None
    failing_since: datetime | None
    open_build: Build | None
    is_open_build_published: bool
    is_running: bool
    dead_run: DeadRun | None = None

    def lines(self) -> list[str]:
        """The status in sentences, most important first."""
        if self.current is None:
            found = [f"Nothing is published in {self.data_dir} yet."]
        else:
            c = self.current
            found = [
                f"Published: version {c.version} since {_moment(c.published_at)}, as of {_moment(c.as_of)}, "
                f"audit {c.verdict.replace('_', ' ')}, {c.customer_count:,} customers.",
                *c.approvals,
            ]
        if self.rolled_back is not None:
            found.append(
                f"Rolled back to it at {_moment(self.rolled_back.at)}: {_as_sentence(self.rolled_back.reason)} "
                f"Audiences are withdrawn until the next audited build is published."
            )
        if self.failing_since is not None:
            found.append(f"Nothing newer is published since {_moment(self.failing_since)}.{self._latest_failure}")
        if self.dead_run is not None:
            found.append(
                f"The run that began at {_moment(self.dead_run.started_at)} died {self.dead_run.where} (killed, or the "
                f"machine was restarted). What is published is whole; start it again with `kundenstamm run`."
            )
        elif self.open_build is not None and not self.is_open_build_published:
            found.append(
                f"Open build: {self.open_build.build_id}, opened {_moment(self.open_build.started_at)}, not published."
            )
        if self.is_running:
            found.append("A run is active.")
        return found

    @property
    def _latest_failure(self) -> str:
        if self.last_failure is None or self.dead_run is not None:
            return ""
        outcome = self.last_failure.outcome
        ended = outcome if outcome == FAILED else f"was {outcome}"
        return f" The latest run {ended} at {_moment(self.last_failure.at)}: {self.last_failure.reason}"


def list_versions(settings: Settings) -> list[VersionInfo]:
    """The kept versions, newest first."""
    current = current_version(settings)
    return [_read_version(settings, name, current) for name in reversed(version_names(settings))]


def read_status(settings: Settings) -> Status:
    """The state of the data folder; also of an empty or missing one."""
    versions = {v.version: v for v in list_versions(settings)}
    outcomes = read_outcomes(settings)
    since_success = _after_last_success(outcomes)
    failures = [o for o in since_success if o.outcome in {REFUSED, FAILED, CANCELED}]
    decisive = next((o for o in reversed(outcomes) if o.version is not None), None)
    build = _open_build(settings)
    return Status(
        data_dir=settings.data_dir,
        current=versions.get(current_version(settings) or ""),
        rolled_back=decisive if decisive is not None and decisive.outcome == ROLLED_BACK else None,
        last_failure=failures[-1] if failures else None,
        failing_since=failures[0].at if failures else None,
        open_build=build,
        is_open_build_published=is_published(settings),
        is_running=lock.is_held(settings) or lock.held_by_this_process(settings),
        dead_run=_dead_run(settings, build, outcomes),
    )


def read_watermarks(settings: Settings) -> dict[str, datetime]:
    """Per source, when the newest load in the current version was landed (UTC); empty when nothing is published."""
    current = current_version(settings)
    manifest = read_manifest(settings, current) if current else {}
    return {name: datetime.fromisoformat(moment) for name, moment in manifest.get("watermarks", {}).items()}


def _after_last_success(outcomes: list[Outcome]) -> list[Outcome]:
    for index in range(len(outcomes) - 1, -1, -1):
        if outcomes[index].version is not None:
            return outcomes[index + 1 :]
    return outcomes


def _read_version(settings: Settings, name: str, current: str | None) -> VersionInfo:
    manifest = read_manifest(settings, name)
    return VersionInfo(
        version=name,
        published_at=datetime.fromisoformat(manifest["created_at"]),
        as_of=datetime.fromisoformat(manifest["as_of"]),
        verdict=str(manifest["verdict"].get("status", "unknown")),
        customer_count=int(manifest["tables"].get("marts.customers", {}).get("row_count", 0)),
        configuration_digest=manifest["configuration_digest"],
        is_current=name == current,
        approvals=tuple(map(_approval, manifest["verdict"].get("approvals", ()))),
        has_audiences=(settings.versions_dir / name / "audiences").is_dir(),
    )


def _approval(approval: Mapping[str, Any]) -> str:
    failed = f"{approval['failed']:,} of {approval['of']:,} failed" if approval.get("of") else "it failed"
    return f"Approved although {approval['rule']} refuses ({approval['object']}, {failed}): {approval['reason']}"


def read_manifest(settings: Settings, version: str) -> dict[str, Any]:
    """What the version says of itself.

    Raises:
        BuildError: somebody damaged the version's folder.
    """
    folder = settings.versions_dir / version
    try:
        manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise BuildError(
            f"The published version {version} is damaged: {folder / 'manifest.json'} cannot be read. Restore the "
            f"folder from a backup, or remove it if another version is current."
        ) from None
    return manifest


def _dead_run(settings: Settings, build: Build | None, outcomes: list[Outcome]) -> DeadRun | None:
    """The run that held the data folder last, when nobody said how it ended."""
    since = lock.died_since(settings)
    if since is None:
        return None
    begun = {step.started_at: step.run_id for step in read_steps(settings).values() if step.started_at >= since}
    if build is not None and build.started_at >= since:
        begun.setdefault(build.started_at, build.build_id)
    run_id = begun[max(begun)] if begun else ""
    if any(outcome.run_id == run_id for outcome in outcomes):
        return None
    return DeadRun(since, tell_last_step(settings, run_id))


def _open_build(settings: Settings) -> Build | None:
    try:
        return current_build(settings)
    except BuildError:
        return None


def _as_sentence(typed: str) -> str:
    return typed if typed.endswith((".", "!", "?")) else f"{typed}."


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
