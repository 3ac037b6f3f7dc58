"""Start a run of a job from the command line so that the Dagster UI sees it and can re-execute it.

The plain ways (`execute_job`, `dagster job execute`) store no origin, and the UI cannot re-execute such runs. Creating
the run with its origin needs names that Dagster does not promise to keep; the tests re-execute such a run.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.execution.api import execute_run_iterator
from dagster._core.remote_origin import ManagedGrpcPythonEnvCodeLocationOrigin, RemoteRepositoryOrigin
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

from pipelines.errors import WarehouseError
from pipelines.settings import QUIET_ENVIRONMENT, Settings

LOCATION, MODULE, REPOSITORY = "kundenstamm", "pipelines.definitions", "__repository__"


def prepare_instance(settings: Settings) -> None:
    """Make DAGSTER_HOME and tell this process and its children where everything is."""
    settings.dagster_home.mkdir(parents=True, exist_ok=True)
    configuration = settings.dagster_home / "dagster.yaml"
    if not configuration.exists():
        shutil.copyfile(Path(__file__).with_name("instance.yaml"), configuration)
    os.environ.update(QUIET_ENVIRONMENT)
    os.environ.update(
        DAGSTER_HOME=str(settings.dagster_home),
        KUNDENSTAMM_DATA_DIR=str(settings.data_dir),
        KUNDENSTAMM_CONFIG_DIR=str(settings.config_dir),
    )


def execute_nightly(
    run_config: Mapping[str, Any],
    on_event: Callable[[dg.DagsterEvent], None],
) -> tuple[str, bool]:
    """Run the nightly job in this process; returns (run id, whether it succeeded).

    Raises:
        WarehouseError: what happens in the run cannot be written down.
    """
    from sqlalchemy.exc import OperationalError

    try:
        return _execute(run_config, on_event)
    except OperationalError as error:
        raise WarehouseError(
            f"Dagster's log of the run in {os.environ['DAGSTER_HOME']} cannot be written ({error.orig}); what is "
            f"published is untouched. Free space there, then start again."
        ) from None


def _execute(run_config: Mapping[str, Any], on_event: Callable[[dg.DagsterEvent], None]) -> tuple[str, bool]:
    from pipelines.definitions import nightly_job

    job = dg.reconstructable(nightly_job)
    origin = RemoteRepositoryOrigin(
        ManagedGrpcPythonEnvCodeLocationOrigin(
            loadable_target_origin=LoadableTargetOrigin(module_name=MODULE), location_name=LOCATION
        ),
        REPOSITORY,
    ).get_job_origin("nightly")
    with dg.DagsterInstance.get() as instance:
        definition = job.get_definition()
        run = instance.create_run_for_job(
            definition,
            run_config=dict(run_config),
            remote_job_origin=origin,
            tags={**definition.run_tags, "dagster/code_location": LOCATION, "started_by": "kundenstamm run"},
        )
        for event in execute_run_iterator(job, run, instance):
            on_event(event)
        finished = instance.get_run_by_id(run.run_id)
        return run.run_id, bool(finished and finished.status == dg.DagsterRunStatus.SUCCESS)
