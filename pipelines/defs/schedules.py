"""When the nightly job starts by itself."""

import dagster as dg

from pipelines.configuration import CompanyConfig
from pipelines.defs.jobs import NIGHTLY
from pipelines.lock import is_held
from pipelines.settings import Settings


def nightly_schedule(company: CompanyConfig) -> dg.ScheduleDefinition:
    """Every night in the company's time zone, on by default; a tick while another run is active is skipped."""
    hour, minute = company.nightly_at.split(":")

    @dg.schedule(
        name="nightly_schedule",
        job_name=NIGHTLY,
        cron_schedule=f"{int(minute)} {int(hour)} * * *",
        execution_timezone=company.time_zone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"The nightly job at {company.nightly_at} ({company.time_zone}).",
    )
    def nightly(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        if is_held(Settings.from_environment()):
            return dg.SkipReason("Another run is active in this data folder; this night's tick is skipped.")
        return dg.RunRequest(tags={"night": context.scheduled_execution_time.date().isoformat()})

    return nightly
