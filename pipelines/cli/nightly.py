"""The nightly job, what it needs, and the Dagster UI.

Heavy imports stay inside the commands.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from pipelines.cli.shared import (
    FAILED,
    REFUSED,
    ConfigOption,
    DataOption,
    become_dagster,
    console,
    errors,
    read_settings,
    short,
)


def run(
    config: ConfigOption = None,
    data: DataOption = None,
    as_of: Annotated[str | None, typer.Option(help="Compute for this moment (ISO 8601, UTC); default now.")] = None,
    full: Annotated[bool, typer.Option(help="Read every file again, also unchanged ones.")] = False,
    approve_shrink: Annotated[
        str | None, typer.Option(help="Take deliveries that shrank beyond their limit; give the reason.")
    ] = None,
    approve: Annotated[
        str | None, typer.Option(metavar="RULE", help="Publish this run although that critical rule fails.")
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Why the rule is approved; it is published.")] = None,
) -> None:
    """Run the nightly job here. Exit: 0 published, 1 failed, 2 refused, 3 another run is active, 4 configuration."""
    from pipelines.audit import load_catalogue, read_approval
    from pipelines.configuration import load_configuration
    from pipelines.extract import assert_something_to_read
    from pipelines.lock import hold

    settings = read_settings(config, data)
    configuration = load_configuration(settings)
    if as_of:
        from pipelines.defs.meta import read_moment

        read_moment(as_of)
    assert_something_to_read(settings, configuration)
    read_approval(approve, reason, load_catalogue(configuration).rules)
    with hold(settings):
        from pipelines.defs.launch import execute_nightly, prepare_instance
        from pipelines.defs.progress import Progress
        from pipelines.summary import print_summary

        prepare_instance(settings)
        progress = Progress(console)
        _, succeeded = execute_nightly(
            _run_config(configuration, as_of, full, approve_shrink, approve, reason), progress.show
        )
    if succeeded:
        print_summary(console, settings)
        return
    errors.print(progress.failure or "The run failed.", style="red", markup=False)
    if progress.refused:
        print_summary(console, settings)
    sys.exit(REFUSED if progress.refused else FAILED)


def _run_config(
    configuration: Any,
    as_of: str | None,
    full: bool,
    approve_shrink: str | None,
    approve: str | None,
    reason: str | None,
) -> dict[str, Any]:
    # Dagster's own console log would repeat every event; progress is shown by us.
    run_config: dict[str, Any] = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}, "ops": {}}
    if as_of:
        run_config["ops"]["open_build"] = {"config": {"as_of": as_of}}
    if full or approve_shrink:
        for source in configuration.sources:
            run_config["ops"][f"extract_{source.name}"] = {"config": {"full": full, "approved_shrink": approve_shrink}}
    if approve:
        run_config["ops"]["audit_verdict"] = {"config": {"approved_rule": approve, "approval_reason": reason}}
    return run_config


def sample(
    out: Annotated[Path, typer.Option(help="Folder to write to.")],
    customers: Annotated[int, typer.Option(min=1, help="How many persons.")] = 10_000,
    seed: Annotated[int, typer.Option(help="Same seed, same company.")] = 1,
    as_of: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The last day; default today.")] = None,
    days: Annotated[
        int,
        typer.Option(min=0, max=60, help="Also write the deliveries of that many days before it, each in day_NN."),
    ] = 0,
    reuse: Annotated[
        bool, typer.Option(help="Keep a sample of the same customers, days and seed, whatever its day.")
    ] = False,
    defect: Annotated[
        list[str] | None, typer.Option(metavar="NAME=RATE", help="Plant a defect into that share of the rows.")
    ] = None,
) -> None:
    """Write the sample company: every system in a folder of its own, and the truth beside them."""
    from pipelines.sample import break_sample, generate_sample, is_sample_of, read_defects

    defects = read_defects(defect or [])

    if reuse and not defects and is_sample_of(out, customers=customers, seed=seed, days=days):
        console.print(f"The sample company is in {short(out)}.")
        return
    moment = as_of or datetime.now(UTC).replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0)
    report = generate_sample(out.expanduser().absolute(), customers=customers, seed=seed, as_of=moment, days=days)
    console.print(f"Wrote the sample company to {short(out)}: {report.sentence}")
    for name, rate in defects.items():
        changed = break_sample(out.expanduser().absolute(), name, rate)
        console.print(f"Planted the defect {name} into {changed:,} rows.")


def validate(config: ConfigOption = None, data: DataOption = None) -> None:
    """Check the configuration and overrides.csv, and load Dagster's code location."""
    settings = read_settings(config, data)
    from pipelines.audit import load_catalogue
    from pipelines.configuration import load_configuration

    load_catalogue(load_configuration(settings))
    console.print("The configuration is valid.")
    from pipelines.defs.launch import prepare_instance

    prepare_instance(settings)
    become_dagster("definitions", "validate", "-w", "workspace.yaml", "--log-level", "warning")


def ui(
    config: ConfigOption = None,
    data: DataOption = None,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 3000,
) -> None:
    """Serve the Dagster UI and its daemon on 127.0.0.1, with the schedule."""
    from pipelines.defs.launch import prepare_instance
    from pipelines.transform import parsed_project

    prepare_instance(read_settings(config, data))
    parsed_project()  # once here, not in each of Dagster's processes
    console.print(f"Dagster is starting on http://127.0.0.1:{port} (stop with Ctrl-C).")
    become_dagster("dev", "-w", "workspace.yaml", "-h", "127.0.0.1", "-p", str(port))
