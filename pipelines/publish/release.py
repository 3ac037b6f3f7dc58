"""The gate, and the way of a build through it: checked, put together, switched to, remembered.

Add here what must be true before anything is published. Nothing may become current by another way.
"""

from __future__ import annotations

import errno
import json
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pipelines.build import Build, is_published, stale_steps, to_utc
from pipelines.errors import KundenstammError, RefusedError, WarehouseError
from pipelines.publish.assemble import assemble_version
from pipelines.publish.history import FAILED, REFUSED, record_outcome
from pipelines.publish.switch import (
    abandon_pending,
    clean_up,
    current_version,
    finish_pending,
    note_pending,
    partial_folder,
    prune_versions,
    reveal,
    switch_to,
    version_names,
)
from pipelines.warehouse import log_privately

if TYPE_CHECKING:
    from pipelines.audit import Verdict
    from pipelines.configuration import Configuration
    from pipelines.settings import Settings

_NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@dataclass(frozen=True)
class PublishReport:
    """What was published.

    Attributes:
        version: its name.
        already_published: nothing was done, because this build was published before.
        table_count: tables in both files.
        row_count: rows in them.
        warehouse_bytes: size of the file for every analyst.
        restricted_bytes: size of the file with identifiers.
        pruned: names of old versions that were removed.
    """

    version: str
    already_published: bool
    table_count: int
    row_count: int
    warehouse_bytes: int
    restricted_bytes: int
    pruned: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        if self.already_published:
            return f"This build is already published as {self.version}; nothing was done."
        return f"Version {self.version} is published: {self.table_count} tables with {self.row_count:,} rows."


def publish_version(
    settings: Settings,
    configuration: Configuration,
    build: Build,
    *,
    dependencies: Mapping[str, Collection[str]],
    now: datetime,
    run_id: str,
) -> PublishReport:
    """Publish the open build as one new version and make it current, when the audit and its steps allow it.

    Args:
        dependencies: for every step of a build, the steps it depends on; without publishing itself.
        now: when the version is published.
        run_id: the run that publishes.

    Raises:
        RefusedError: the audit or a stale step forbids it; the message has one sentence per reason.
        KundenstammError: it could not be written. In both cases what was published is untouched.
    """
    clean_up(settings)
    if is_published(settings):
        _require_unchanged(settings, configuration, build)
        current = current_version(settings)
        if current != build.version:
            raise RefusedError(
                f"This build was published as {build.version}, but {current or 'none'} is current since; start the job "
                f"`nightly` anew, or go back to it with `kundenstamm rollback`."
            )
        return _report(settings, build.version, already_published=True)
    try:
        verdict = pass_gate(settings, configuration, build, dependencies=dependencies)
    except RefusedError as error:
        record_outcome(settings, outcome=REFUSED, reason=str(error), run_id=run_id, now=now)
        raise
    return release_build(settings, configuration, build, verdict=verdict, now=now, run_id=run_id)


def _require_unchanged(settings: Settings, configuration: Configuration, build: Build) -> None:
    """A published build that is still what was published needs nothing; one that was changed cannot become a version.

    Raises:
        RefusedError: it was changed after it had been published.
    """
    from pipelines.audit import verify_verdict

    if reasons := verify_verdict(settings, configuration, build):
        raise RefusedError(
            f"This build was published as {build.version} and was changed since; a version is never changed. "
            f"Start the job `nightly` anew.\n" + "\n".join(reasons)
        )


def pass_gate(
    settings: Settings, configuration: Configuration, build: Build, *, dependencies: Mapping[str, Collection[str]]
) -> Verdict:
    """The verdict that allows publishing exactly this build.

    Raises:
        RefusedError: with every reason why it must not be published.
    """
    from pipelines.audit import load_verdict, verify_verdict

    reasons = verify_verdict(settings, configuration, build) + stale_steps(settings, dependencies)
    current = current_version(settings)
    if build.base_version != current:
        reasons.append(
            f"The build was computed on version {build.base_version or 'none'}, but {current or 'none'} is current "
            f"since; start the job `nightly` anew."
        )
    if reasons:
        raise RefusedError("\n".join(reasons))
    verdict = load_verdict(settings)
    if verdict is None:
        raise RefusedError("This build was not audited. Run the audit.")
    return verdict


def summarize(verdict: Verdict) -> dict[str, Any]:
    """The verdict as the version keeps it: counts, and the file it was about."""
    return {
        "status": verdict.status.value,
        "status_counts": dict(verdict.status_counts),
        "approvals": [
            {
                "rule": r.display_id,
                "object": r.object,
                "failed": r.failed_count,
                "of": r.element_count,
                "reason": r.approved_because,
            }
            for r in verdict.results
            if r.approved_because is not None
        ],
        "ran_at": verdict.ran_at.isoformat(),
        "warehouse_bytes": verdict.warehouse_bytes,
        "warehouse_sha256": verdict.warehouse_sha256,
    }


def release_build(
    settings: Settings,
    configuration: Configuration,
    build: Build,
    *,
    verdict: Verdict,
    now: datetime,
    run_id: str,
    on_phase: Callable[[str], None] = lambda _: None,
) -> PublishReport:
    """Put the version together, switch to it, bring the state up to date. Only for a build that passed the gate.

    Args:
        verdict: the one that opened the gate.
        on_phase: called when `assembled`, `revealed`, `switched` and `finished` are done.

    Raises:
        RefusedError: the build or the record of its audit was changed since it passed the gate.
        KundenstammError: it could not be written. Before the switch nothing is left of the attempt; after it the
            version is published, and the next run finishes the rest.
    """
    version = build.version
    try:
        note_pending(settings, version=version, run_id=run_id, now=to_utc(now))
        assemble_version(
            settings,
            configuration,
            build,
            partial_folder(settings, version),
            verdict=summarize(verdict),
            now=now,
            run_id=run_id,
        )
        on_phase("assembled")
        _require_what_was_audited(settings, verdict)
        reveal(settings, version)
        on_phase("revealed")
        switch_to(settings, version)
        on_phase("switched")
        finish_pending(settings)
        pruned = prune_versions(settings)
    except BaseException as error:
        if current_version(settings) != version:
            abandon_pending(settings)
        raise _translate(settings, error, version=version, run_id=run_id, now=now) from None
    on_phase("finished")
    return _report(settings, version, already_published=False, pruned=tuple(pruned))


def _require_what_was_audited(settings: Settings, verdict: Verdict) -> None:
    """The copies are of what passed the gate, which nobody changed while they were made."""
    from pipelines.audit import find_changes

    if changes := find_changes(settings, verdict):
        raise RefusedError("\n".join(changes))


def _translate(settings: Settings, error: BaseException, *, version: str, run_id: str, now: datetime) -> BaseException:
    """The error to raise: a sentence for everything a machine can do wrong, all else as it is."""
    is_switched = current_version(settings) == version
    what = f"Version {version} is published; the next run finishes what follows." if is_switched else ""
    if isinstance(error, OSError):
        log_privately(settings, error)
        full = error.errno in _NO_SPACE
        reason = "the disk is full" if full else f"a file could not be written ({error.strerror})"
        remedy = "Free space" if full else "Check the disk"
        what = what or "Nothing was published."
        error = WarehouseError(f"Publishing stopped because {reason}. {what} {remedy}, then start again.")
    elif is_switched and isinstance(error, KundenstammError):
        error = WarehouseError(f"{error} {what}")
    if isinstance(error, KundenstammError):
        outcome = REFUSED if isinstance(error, RefusedError) else FAILED
        with suppress(OSError):  # the disk that is full may also hold the history
            record_outcome(settings, outcome=outcome, reason=str(error), run_id=run_id, now=now)
    return error


def _report(
    settings: Settings, version: str, *, already_published: bool, pruned: tuple[str, ...] = ()
) -> PublishReport:
    if version not in version_names(settings):  # published long ago and pruned since
        return PublishReport(version, already_published, 0, 0, 0, 0)
    folder = settings.versions_dir / version
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return PublishReport(
        version=version,
        already_published=already_published,
        table_count=len(manifest["tables"]),
        row_count=sum(table["row_count"] for table in manifest["tables"].values()),
        warehouse_bytes=(folder / "warehouse.duckdb").stat().st_size,
        restricted_bytes=(folder / "restricted.duckdb").stat().st_size,
        pruned=pruned,
    )
