"""The one open build: opening it, finding it, and the record of the steps that ran on it.

Add here what is true of a build as a whole. What a step writes belongs to its stage; what may leave the build is
decided in `pipelines.publish`.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines import keys, lock, policies, warehouse
from pipelines.errors import BuildError
from pipelines.files import write_atomically
from pipelines.overrides import FILE

if TYPE_CHECKING:
    from pipelines.configuration import Configuration
    from pipelines.settings import Settings

KEPT_BUILDS = 2  # refused or failed builds kept for inspection beside the open one


@dataclass(frozen=True)
class Build:
    """One build. All moments are UTC without zone.

    Attributes:
        build_id: id of the run that opened it.
        version: the name it gets when it is published.
        as_of: the moment that everything is computed for.
        config_digest: `Configuration.digest` it was opened with.
        base_version: the version that was published when it was opened, or None.
        company: name of the company whose data it holds.
        started_at: when it was opened.
    """

    build_id: str
    version: str
    as_of: datetime
    config_digest: str
    base_version: str | None
    company: str
    started_at: datetime


@dataclass(frozen=True)
class StepRecord:
    """The latest run of one step on the open build; `finished_at` is None when it started and never finished."""

    step: str
    run_id: str
    started_at: datetime
    finished_at: datetime | None
    rows: int | None


def open_build(
    settings: Settings, configuration: Configuration, *, build_id: str, as_of: datetime, now: datetime
) -> Build:
    """Move the previous build away and open an empty one: all schemas, the policies, no steps.

    `build.json` is written last, so a build that was killed while it was opened counts as none.

    Raises:
        BuildError: the data folder belongs to another company or cannot be written, or the secret of its keys is
            gone; nothing was touched.
    """
    claim_data_folder(settings, configuration)
    keys.load_secret(settings)
    started_at = to_utc(now)
    build = Build(
        build_id=build_id,
        version=f"{started_at:%Y%m%dT%H%M%SZ}-{build_id[:8]}",
        as_of=to_utc(as_of),
        config_digest=configuration.digest,
        base_version=settings.current.readlink().name if settings.current.is_symlink() else None,
        company=configuration.company.name,
        started_at=started_at,
    )
    _move_previous_away(settings)
    settings.build_dir.mkdir(mode=0o700)
    with warehouse.connect(settings.build_warehouse, settings, storage=warehouse.OWN_STORAGE) as connection:
        keys.use_secret(connection, settings)
        for schema in warehouse.SCHEMAS:
            connection.execute(f"create schema {warehouse.identifier(schema)}")
        policies.write_policies(connection, configuration, build)
        warehouse.create_parts(connection, settings)
    _write_record(settings, {**asdict(build), "published_at": None})
    return build


def current_build(settings: Settings) -> Build:
    """The open build.

    Raises:
        BuildError: none is open.
    """
    record = _read_record(settings.build_dir)
    if record is None:
        raise BuildError(f"No build is open in {settings.data_dir}. Start the job `nightly`, or run `kundenstamm run`.")
    return _as_build(record)


def require_build(settings: Settings, configuration: Configuration, *, run_id: str, root_run_id: str | None) -> Build:
    """The open build, when this run may work on it.

    A run of its own may; a re-run only when the run it repeats opened this build or worked on it.

    Raises:
        BuildError: no build is open, the build is another company's, was replaced since, or was opened with another
            configuration.
        LockedError: this is a step of a run that was killed, and another run took its place.
    """
    lock.join(settings)
    claim_data_folder(settings, configuration)
    build = current_build(settings)
    if root_run_id is not None and root_run_id != run_id:
        workers = {build.build_id, *(r.run_id for r in _step_lines(settings))}
        if root_run_id not in workers:
            raise BuildError(
                f"This repeats run {root_run_id[:8]}, whose build was replaced by the build of run "
                f"{build.build_id[:8]}; nothing was changed. Start the job `nightly` anew."
            )
    if build.config_digest != configuration.digest:
        raise BuildError(
            f"The configuration was changed since the build of run {build.build_id[:8]} was opened "
            f"(config/ or {FILE}; digest {build.config_digest}, now {configuration.digest}); nothing was changed. "
            f"Start the job `nightly` anew, or restore the configuration."
        )
    return build


def claim_data_folder(settings: Settings, configuration: Configuration) -> None:
    """Stamp a new data folder with the company's name, and check the stamp of an old one.

    Call it before anything is written, also before landing a single source.

    Raises:
        BuildError: the folder holds another company's data, or cannot be written. Nothing was touched.
    """
    company = configuration.company.name
    owner = _owner(settings)
    if owner is not None and owner != company:
        raise BuildError(
            f"The data folder {settings.data_dir} holds the data of '{owner}', but the configuration is that of "
            f"'{company}'; nothing was touched. Name another folder with --data, or use the configuration of '{owner}'."
        )
    try:
        for folder in (settings.state_dir, settings.builds_dir, settings.landing_dir, settings.temp_dir):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if owner is None or not _stamp_file(settings).exists():
            write_atomically(_stamp_file(settings), json.dumps({"company": company}, ensure_ascii=False))
        probe = settings.data_dir / f".probe-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise BuildError(
            f"The data folder {settings.data_dir} cannot be written ({error.strerror}); make it a folder that this "
            f"user may write, or name another one with --data."
        ) from None


def record_step(
    settings: Settings,
    *,
    step: str,
    run_id: str,
    started_at: datetime,
    finished_at: datetime | None,
    rows: int | None,
) -> None:
    """Append one line to `steps.jsonl`. Call it with `finished_at=None` when a step starts and again when it is done.

    A step that was started and killed is then known to be unfinished, however often it had finished before.
    """
    line = json.dumps(
        {
            "step": step,
            "run_id": run_id,
            "started_at": to_utc(started_at).isoformat(),
            "finished_at": to_utc(finished_at).isoformat() if finished_at else None,
            "rows": rows,
        }
    )
    with _steps_file(settings).open("ab+") as file:
        size = file.seek(0, os.SEEK_END)
        if size:
            file.seek(size - 1)
            if file.read(1) != b"\n":  # the last writer was killed in the middle of its line
                line = "\n" + line
        file.write(line.encode() + b"\n")


def read_steps(settings: Settings) -> dict[str, StepRecord]:
    """The latest record of every step of the open build, by step."""
    return {record.step: record for record in _step_lines(settings)}


def tell_last_step(settings: Settings, run_id: str) -> str:
    """Where a run was on the open build, as the end of a sentence that begins with `it died`."""
    records = [record for record in read_steps(settings).values() if record.run_id == run_id]
    begun = sorted(record.step for record in records if record.finished_at is None)
    if begun:
        return f"while it made {begun[0]}{f' and {len(begun) - 1} more' if len(begun) > 1 else ''}"
    if records:
        return f"after it had made {max(records, key=lambda record: record.started_at).step}"
    return "before it had made anything"


def was_repeated(settings: Settings, schemas: Collection[str], steps: Collection[str] = ()) -> bool:
    """Whether a table of these schemas, or of these steps, was made more than once in this build.

    One whose step was started and killed, and then started again, counts.
    """
    begun: dict[str, set[datetime]] = {}
    for record in _step_lines(settings):
        if record.step in steps or record.step.split(".")[0] in schemas:
            begun.setdefault(record.step, set()).add(record.started_at)
    return any(len(moments) > 1 for moments in begun.values())


def stale_steps(settings: Settings, dependencies: Mapping[str, Collection[str]]) -> list[str]:
    """Say which steps cannot be relied on: not run, not finished, or older than a step they depend on.

    Args:
        settings: names the open build.
        dependencies: for every step that must have run, the steps that must have finished before it started.

    Returns:
        One sentence per problem, in the order of `dependencies`; empty when all is fresh.
    """
    steps = read_steps(settings)
    problems = []
    for step, needed in dependencies.items():
        record = steps.get(step)
        if record is None:
            problems.append(f"Step {step} has not run on this build; run it.")
            continue
        if record.finished_at is None:
            problems.append(f"Step {step} was started by run {record.run_id[:8]} and did not finish; run it again.")
            continue
        for name in sorted(needed):
            other = steps.get(name)
            if other is None:
                if name not in dependencies:
                    problems.append(f"Step {name}, which {step} depends on, has not run on this build; run it.")
            elif _is_older(record, other):
                problems.append(f"Step {step} is older than {name}, which it depends on; run {step} again.")
    return problems


def _is_older(step: StepRecord, needed: StepRecord) -> bool:
    """Whether a finished step did not see the last work of a step it depends on."""
    if needed.finished_at is None:
        return True
    # Tables that one step makes together share its moments; their order is the step's own matter.
    together = (needed.run_id, needed.started_at) == (step.run_id, step.started_at)
    return not together and needed.finished_at > step.started_at


def mark_published(settings: Settings, *, now: datetime) -> None:
    """Note in `build.json` that the open build was published; it is then not kept for inspection."""
    record = _read_record(settings.build_dir)
    if record is not None:
        _write_record(settings, {**record, "published_at": to_utc(now)})


def is_published(settings: Settings) -> bool:
    """Whether the open build was published."""
    record = _read_record(settings.build_dir)
    return record is not None and record["published_at"] is not None


def to_utc(moment: datetime) -> datetime:
    """UTC without zone; a moment without zone is taken as UTC."""
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _move_previous_away(settings: Settings) -> None:
    """Keep a refused or failed build for inspection; remove published, never opened and old ones."""
    if settings.build_dir.exists():
        record = _read_record(settings.build_dir)
        kept = settings.builds_dir / (record["build_id"] if record else "never-opened")
        if kept.exists():
            shutil.rmtree(kept)
        settings.build_dir.rename(kept)
    records = {folder: _read_record(folder) for folder in settings.builds_dir.iterdir() if folder.is_dir()}
    failed = {folder: r["started_at"] for folder, r in records.items() if r and r["published_at"] is None}
    kept_builds = sorted(failed, key=lambda folder: (failed[folder], folder.name), reverse=True)[:KEPT_BUILDS]
    for folder in records.keys() - set(kept_builds):
        shutil.rmtree(folder)


def _owner(settings: Settings) -> str | None:
    """The company whose data the folder holds: by its stamp, else by what was built or published in it."""
    for file in (
        _stamp_file(settings),
        settings.current / "manifest.json",
        settings.build_dir / "build.json",
    ):
        record = _read_json(file)
        if record is not None and "company" in record:
            return str(record["company"])
    return None


def _stamp_file(settings: Settings) -> Path:
    return settings.state_dir / "company.json"


def _steps_file(settings: Settings) -> Path:
    return settings.build_dir / "steps.jsonl"


def _step_lines(settings: Settings) -> list[StepRecord]:
    try:
        lines = _steps_file(settings).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    records = []
    for line in lines:
        try:
            data = json.loads(line)
        except ValueError:  # a writer was killed in the middle of its line
            continue
        data["started_at"] = datetime.fromisoformat(data["started_at"])
        data["finished_at"] = datetime.fromisoformat(data["finished_at"]) if data["finished_at"] else None
        records.append(StepRecord(**data))
    return records


def _as_build(record: Mapping[str, Any]) -> Build:
    moments = {name: datetime.fromisoformat(record[name]) for name in ("as_of", "started_at")}
    return Build(**{name: moments.get(name, record[name]) for name in Build.__dataclass_fields__})


def _read_record(folder: Path) -> dict[str, Any] | None:
    return _read_json(folder / "build.json")


def _write_record(settings: Settings, record: Mapping[str, Any]) -> None:
    plain = {k: v.isoformat() if isinstance(v, datetime) else v for k, v in record.items()}
    write_atomically(settings.build_dir / "build.json", json.dumps(plain, indent=2, ensure_ascii=False))


def _read_json(file: Path) -> dict[str, Any] | None:
    try:
        data: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return data
