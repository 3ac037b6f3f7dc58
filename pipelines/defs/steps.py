"""What every step of a run does around its work: find the open build, translate errors, record that it was done.

Add here what must hold for every step. The work itself is in the stage packages.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from pipelines.build import Build, record_step, require_build
from pipelines.configuration import Configuration, load_configuration
from pipelines.defs.outcomes import OUTCOME, STOPPED_RUN, outcome_of, was_stopped
from pipelines.errors import KundenstammError
from pipelines.lock import join
from pipelines.publish.history import CANCELED, FAILED
from pipelines.settings import Settings
from pipelines.warehouse import log_privately

BUILD = dg.AssetKey(["meta", "build"])
WAREHOUSE_POOL = "warehouse"  # one writer per DuckDB file, also with one process per step
REMEDY = "Look there, mend the cause and re-run from failure."


@dataclass
class Step:
    """One step at work.

    Attributes:
        settings: of this process.
        configuration: valid, and the one the build was opened under.
        build: the open build.
        run_id: Dagster's id of the run.
        started_at: UTC, for the duration of every asset made in this step.
        done: rows per asset key, filled by `materialized`.
    """

    settings: Settings
    configuration: Configuration
    build: Build
    run_id: str
    started_at: datetime
    done: dict[dg.AssetKey, int | None] = field(default_factory=dict)

    def materialized(
        self,
        key: dg.AssetKey,
        *,
        rows: int | None,
        seconds: float | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> dg.MaterializeResult[Any]:
        """The result to yield for one asset; without `seconds`, the time since the step began."""
        self.done[key] = rows
        facts: dict[str, Any] = dict(metadata or {})
        if rows is not None:
            facts["dagster/row_count"] = rows
        elapsed = (datetime.now(UTC) - self.started_at).total_seconds() if seconds is None else seconds
        facts["seconds"] = dg.FloatMetadataValue(round(elapsed, 2))
        return dg.MaterializeResult(asset_key=key, metadata=facts)

    def record(self, key: dg.AssetKey, *, finished_at: datetime | None) -> None:
        """Note in the build that the step of an asset has begun, or is done."""
        record_step(
            self.settings,
            step=step_name(key),
            run_id=self.run_id,
            started_at=self.started_at,
            finished_at=finished_at,
            rows=self.done.get(key),
        )


@contextmanager
def step(context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext) -> Iterator[Step]:
    """Open the step on the open build, and record every asset it made when it ended well."""
    with sentences(str(context.op_execution_context.op.name)):
        settings = Settings.from_environment()
        configuration = load_configuration(settings)
        run = context.run
        build = require_build(settings, configuration, run_id=run.run_id, root_run_id=run.root_run_id)
        working = Step(settings, configuration, build, run.run_id, datetime.now(UTC))
        selected = [] if isinstance(context, dg.AssetCheckExecutionContext) else sorted(context.selected_asset_keys)
        for key in selected:  # a step that is killed from here on is known to be unfinished
            working.record(key, finished_at=None)
        yield working
        for key in working.done:
            working.record(key, finished_at=datetime.now(UTC))


def step_name(key: dg.AssetKey) -> str:
    return ".".join(key.path)


@contextmanager
def sentences(name: str) -> Iterator[None]:
    """Let only sentences out: an unexpected error keeps its words to `build/errors.log`."""
    try:
        join(Settings.from_environment())  # with one process per step, each has its share of the lock
        yield
    except (dg.Failure, dg.RetryRequested, GeneratorExit):
        raise
    except BaseException as error:
        raise _failure(name, error) from None


def _failure(name: str, error: BaseException) -> dg.Failure:
    """The failure of a step. One that was stopped is not tried again, whatever its retries."""
    if was_stopped(error):
        return dg.Failure(STOPPED_RUN, metadata={OUTCOME: CANCELED}, allow_retries=False)
    if isinstance(error, KundenstammError):
        return dg.Failure(str(error), metadata={OUTCOME: outcome_of(error)}, allow_retries=False)
    log_privately(Settings.from_environment(), error)
    return dg.Failure(
        f"The step {name} ended with an unexpected {type(error).__name__}. Its own words are in build/errors.log. "
        f"{REMEDY}",
        metadata={OUTCOME: FAILED},
        allow_retries=isinstance(error, OSError),
    )


def build_dependencies(assets: Iterable[dg.AssetsDefinition]) -> dict[str, set[str]]:
    """Per step of the build the steps it depends on, from the asset graph; landing is not part of a build."""
    found: dict[str, set[str]] = {}
    for definition in assets:
        for spec in definition.specs:
            if spec.group_name != "extract" or spec.key == BUILD:
                found[step_name(spec.key)] = {step_name(dependency.asset_key) for dependency in spec.deps}
    return {name: needs & found.keys() for name, needs in found.items()}
