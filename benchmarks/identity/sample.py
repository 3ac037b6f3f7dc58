"""Take the sample company through extract and clean, the stages before resolve, in a data folder of its own.

Add nothing here that changes a record: what is measured is what the nightly job would resolve.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pipelines.build import Build, open_build
from pipelines.settings import Settings
from pipelines.warehouse import connect

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pipelines.configuration import Configuration

AS_OF = datetime.fromisoformat("2026-11-01")


def build_clean_sample(
    settings: Settings, configuration: Configuration, sample: Path, customers: int, seed: int
) -> Build:
    """Generate the sample in `sample` and fill the build of `settings` up to schema `clean`; returns the open build."""
    from pipelines.clean import clean_records

    build = build_staged_sample(settings, configuration, sample, customers, seed)
    with connect(settings.build_warehouse, settings) as connection:
        clean_records(connection, settings, configuration, build)
    return build


def build_staged_sample(
    settings: Settings,
    configuration: Configuration,
    sample: Path,
    customers: int,
    seed: int,
    rates: Mapping[str, float] | None = None,
) -> Build:
    """Generate the sample, with other rates of its noises, and fill the build up to schema `staging`."""
    from pipelines.extract import build_raw, load_source
    from pipelines.policies import write_policies
    from pipelines.sample import generate_sample
    from pipelines.transform import run_dbt

    generate_sample(sample, customers=customers, seed=seed, as_of=AS_OF, rates=rates)
    now = datetime.now(UTC).replace(tzinfo=None)
    build = open_build(settings, configuration, build_id="benchmark", as_of=AS_OF, now=now)
    for source in configuration.sources:
        load_source(settings, configuration, source, run_id="benchmark", now=now)
    with connect(settings.build_warehouse, settings) as connection:
        write_policies(connection, configuration, build)
        build_raw(connection, settings, configuration)
    run_dbt(settings, "run", ["path:models/staging"])
    return build
