"""What is watched between runs: runs that died, nights that did not start, and files that arrive."""

import json
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import dagster as dg
from dagster import RunsFilter

from pipelines.alerts import Event, EventKind, tell
from pipelines.configuration import CompanyConfig, Configuration
from pipelines.defs.executor import mark_dead_runs
from pipelines.defs.extract import entities_of
from pipelines.defs.jobs import NIGHTLY, REFRESH
from pipelines.defs.outcomes import tell_dead_runs
from pipelines.lock import is_held
from pipelines.settings import Settings

# A run says that it started a moment before its process takes the lock.
SILENT_SECONDS = 60


@dg.sensor(
    name="dead_runs",
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Marks runs failed whose process is gone, so that the queue moves on, and alerts.",
)
def dead_runs(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    settings = Settings.from_environment()
    if is_held(settings):
        return dg.SkipReason("A run is at work.")
    dead = mark_dead_runs(context.instance, except_run=None, silent_seconds=SILENT_SECONDS)
    tell_dead_runs(settings, dead)
    return dg.SkipReason(f"{len(dead)} dead runs were marked failed." if dead else "No run is at work.")


def night_is_missing(now: datetime, start: time, start_by: time, last_start: datetime | None) -> bool:
    """True when the night's run should have started by now and has not; all times in the company's zone."""
    due = datetime.combine(now.date(), start, now.tzinfo)
    limit = datetime.combine(now.date(), start_by, now.tzinfo)
    if limit <= due:  # the run starts before midnight and is due after it
        due -= timedelta(days=1)
    return limit <= now < limit + timedelta(hours=12) and (last_start is None or last_start < due)


def _last_start(instance: dg.DagsterInstance, zone: ZoneInfo) -> datetime | None:
    """When a nightly run last began to work; one that waits in the queue has not."""
    records = instance.get_run_records(RunsFilter(job_name=NIGHTLY))
    moment = max((record.start_time for record in records if record.start_time), default=None)
    return datetime.fromtimestamp(moment, zone) if moment else None


def missed_night(company: CompanyConfig) -> dg.SensorDefinition:
    """Alert once when the nightly run has not started by `alerts.start_by`."""
    start, start_by = time.fromisoformat(company.nightly_at), time.fromisoformat(company.alerts.start_by)

    @dg.sensor(
        name="missed_night",
        minimum_interval_seconds=300,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Alerts when the nightly run has not started by {company.alerts.start_by}.",
    )
    def missed(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        now = datetime.now(company.zone)
        if not night_is_missing(now, start, start_by, _last_start(context.instance, company.zone)):
            return dg.SkipReason("The night's run is not missing.")
        if context.cursor == now.date().isoformat():
            return dg.SkipReason("The night's run is missing; an alert was sent before.")
        event = Event(
            EventKind.NIGHT_MISSED,
            now.date().isoformat(),
            "nightly did not start",
            f"The nightly run due at {company.nightly_at} has not started by {company.alerts.start_by}. "
            f"Look at the schedule and the queue in the Dagster UI.",
        )
        tell(Settings.from_environment(), [event], now=now.astimezone(UTC).replace(tzinfo=None))
        context.update_cursor(now.date().isoformat())
        return dg.SkipReason("The night's run is missing; an alert was sent.")

    return missed


def stale_sources(configuration: Configuration) -> dg.SensorDefinition:
    """Alert when a source was not loaded for longer than its `max_age_days`, once a day while it stays so."""

    @dg.sensor(
        name="stale_sources",
        minimum_interval_seconds=900,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Alerts when a source was not loaded for longer than it may be old (`max_age_days`).",
    )
    def stale(_: dg.SensorEvaluationContext) -> dg.SkipReason:
        from pipelines.extract import find_stale_sources

        settings, now = Settings.from_environment(), datetime.now(UTC).replace(tzinfo=None)
        if is_held(settings):
            return dg.SkipReason("A run is at work; sources are looked at when it has ended.")
        found = find_stale_sources(settings, configuration, now)
        events = [
            Event(
                EventKind.SOURCE_STALE,
                source.name,
                f"{source.name} is stale",
                f"{source.name} was last loaded at {source.loaded_at:%Y-%m-%d %H:%M} UTC and may be "
                f"{source.max_age_days} days old. Ask `kundenstamm sources check {source.name}` what keeps it, and "
                f"start refresh_source for it.",
            )
            for source in found
        ]
        tell(settings, events, now=now)
        return dg.SkipReason(f"Stale: {', '.join(s.name for s in found)}." if found else "Every source is fresh.")

    return stale


def arrived_files(configuration: Configuration) -> dg.SensorDefinition:
    """Start `refresh_source` for the sources of files whose delivery is new and has stopped changing."""

    @dg.sensor(
        name="arrived_files",
        job_name=REFRESH,
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.STOPPED,
        description="Lands files as they arrive, one run per source; the nightly run reads them too. Off by default.",
    )
    def arrived(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        from pipelines.extract import find_arrivals, look_at_files

        settings = Settings.from_environment()
        if is_held(settings):
            return dg.SkipReason("A run is at work; files are looked at when it has ended.")
        state = json.loads(context.cursor) if context.cursor else None
        now = look_at_files(settings, configuration)
        names, after = find_arrivals(now, state)
        if not names:
            context.update_cursor(json.dumps(after))
            return dg.SkipReason("No delivery is new.")
        requests = [
            dg.RunRequest(
                run_key=f"{name}-{now[name]}",
                asset_selection=[
                    dg.AssetKey([name, entity.name]) for entity in entities_of(configuration.source(name))
                ],
                tags={"arrived": name},
            )
            for name in names
        ]
        return dg.SensorResult(run_requests=requests, cursor=json.dumps(after))

    return arrived
