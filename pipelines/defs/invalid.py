"""What there is when the configuration is invalid: one asset with the sentences, not a red location.

As long as `company.yml` itself is valid the night still starts, and ends with an alert that holds the sentences.
"""

from __future__ import annotations

import dagster as dg

from pipelines.configuration import CompanyConfig, load_company
from pipelines.defs.executor import one_run_at_a_time
from pipelines.defs.jobs import NIGHTLY
from pipelines.defs.schedules import nightly_schedule
from pipelines.defs.sensors import dead_runs, missed_night
from pipelines.errors import ConfigurationError, KundenstammError
from pipelines.settings import Settings

NAME = "configuration_is_invalid"


def invalid_definitions(error: KundenstammError, settings: Settings | None) -> dg.Definitions:
    sentences = error.sentences if isinstance(error, ConfigurationError) else [str(error)]
    text = "Nothing can run until this is mended:\n\n" + "\n".join(f"- {sentence}" for sentence in sentences)

    @dg.asset(name=NAME, group_name="extract", description=text, owners=["team:data-engineering"])
    def configuration_is_invalid() -> None:
        raise dg.Failure(text, allow_retries=False)

    company = _company(settings)
    return dg.Definitions(
        assets=[configuration_is_invalid],
        jobs=[dg.define_asset_job(NIGHTLY, selection=[configuration_is_invalid])],
        schedules=[nightly_schedule(company)] if company else [],
        sensors=[dead_runs, missed_night(company)] if company else [dead_runs],
        executor=one_run_at_a_time,
    )


def _company(settings: Settings | None) -> CompanyConfig | None:
    """Nobody can be alerted, and nothing be scheduled, when this is what is invalid."""
    try:
        return load_company(settings) if settings else None
    except ConfigurationError:
        return None
