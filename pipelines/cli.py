"""The `kundenstamm` command: what a person types, and the exit codes a scheduler reads.

Add a command here; what it does lives in the stage packages. Heavy imports stay inside the commands.
"""

from __future__ import annotations

import atexit
import gc
import logging
import os
import sys
import warnings
from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from pipelines.errors import ConfigurationError, KundenstammError, LockedError
from pipelines.settings import PROJECT_DIR, QUIET_ENVIRONMENT, Settings

if TYPE_CHECKING:
    from pipelines.publish import VersionInfo

PUBLISHED, FAILED, REFUSED, ACTIVE, CONFIGURATION = 0, 1, 2, 3, 4

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__.split(":")[0]
)
console = Console(highlight=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, soft_wrap=True)


class ListFormat(StrEnum):
    TABLE = "table"
    CSV = "csv"


ConfigOption = Annotated[Path | None, typer.Option("--config", help="Configuration folder; default ./config.")]
DataOption = Annotated[Path | None, typer.Option("--data", help="Data folder; default ./.data.")]


def main() -> None:
    """Run the command; a user's mistake ends with a sentence and an exit code, never with a stack trace."""
    os.environ.update(QUIET_ENVIRONMENT)
    atexit.register(gc.freeze)  # a last collection through all imported libraries would take two seconds
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # libraries warn those who call them
    try:
        app()
    except KundenstammError as error:
        errors.print(str(error), style="red", markup=False)
        sys.exit(_exit_code(error))
    except OSError as error:
        where = error.filename or "A file"
        errors.print(f"{where} cannot be used ({error.strerror}); check permissions and free space.", markup=False)
        sys.exit(FAILED)
    except KeyboardInterrupt:
        errors.print("Interrupted; what is published is whole.")
        sys.exit(130)


def _exit_code(error: KundenstammError) -> int:
    if isinstance(error, ConfigurationError):
        return CONFIGURATION
    return ACTIVE if isinstance(error, LockedError) else FAILED


def _settings(config: Path | None = None, data: Path | None = None) -> Settings:
    """The settings of this call; also what every child process and Dagster will read."""
    if config is not None:
        os.environ["KUNDENSTAMM_CONFIG_DIR"] = str(config.expanduser().absolute())
    if data is not None:
        os.environ["KUNDENSTAMM_DATA_DIR"] = str(data.expanduser().absolute())
    return Settings.from_environment()


@app.command()
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
    from pipelines.lock import hold

    settings = _settings(config, data)
    configuration = load_configuration(settings)
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


@app.command()
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
        console.print(f"The sample company is in {_short(out)}.")
        return
    moment = as_of or datetime.now(UTC).replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0)
    report = generate_sample(out.expanduser().absolute(), customers=customers, seed=seed, as_of=moment, days=days)
    console.print(f"Wrote the sample company to {_short(out)}: {report.sentence}")
    for name, rate in defects.items():
        changed = break_sample(out.expanduser().absolute(), name, rate)
        console.print(f"Planted the defect {name} into {changed:,} rows.")


@app.command()
def status(data: DataOption = None) -> None:
    """Say what is published, since when, on which audit, and why something newer is not."""
    from pipelines.publish import read_status

    for line in read_status(_settings(data=data)).lines():
        console.print(line, markup=False)


@app.command()
def versions(data: DataOption = None) -> None:
    """List the published versions that are kept."""
    from pipelines.publish import list_versions

    listed = [_version_line(version) for version in list_versions(_settings(data=data))]
    for line in listed or ["Nothing is published yet."]:
        console.print(line, markup=False)


@app.command()
def rollback(
    version: Annotated[str, typer.Argument(help="A version that `kundenstamm versions` lists.")],
    reason: Annotated[str, typer.Option(help="Why; it is kept.")],
    data: DataOption = None,
) -> None:
    """Make a kept version current again and withdraw audiences until the next audited build."""
    from pipelines.lock import hold
    from pipelines.publish import roll_back

    settings = _settings(data=data)
    with hold(settings):
        roll_back(settings, version, reason=reason, now=datetime.now(UTC).replace(tzinfo=None))
    console.print(f"{version} is current again; its audiences are withdrawn until the next audited build.")


@app.command()
def sql(
    query: Annotated[str | None, typer.Argument(help="One query; without it, an interactive session.")] = None,
    restricted: Annotated[bool, typer.Option(help="Read the file with the identifiers.")] = False,
    data: DataOption = None,
) -> None:
    """Query the published version: read-only, and the same version as long as the session lasts."""
    from pipelines.publish import run_reader

    run_reader(_settings(data=data), query, restricted=restricted, console=console)


@app.command()
def explain(
    customer: Annotated[
        str | None,
        typer.Argument(help="A customer or account id, also one that was merged away, or a record of it."),
    ] = None,
    why_not: Annotated[
        tuple[str, str] | None,
        typer.Option(
            metavar="A B", help="Two records (source:entity:id, or record_key) or customers that are not one."
        ),
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write a page that only you may read.")] = None,
    data: DataOption = None,
) -> None:
    """Say why records are one customer and where each value comes from, or why two are not one."""
    from pipelines.explain import (
        explain_account,
        explain_customer,
        explain_pair,
        is_account,
        tell_account,
        tell_customer,
        tell_pair,
        write_page,
    )

    if (customer is None) == (why_not is None) or (why_not and html):
        raise typer.BadParameter("name one customer, or two records with --why-not; --html is for a customer.")
    settings = _settings(data=data)
    if why_not is not None:
        _print_lines(tell_pair(explain_pair(settings, *why_not)))
        return
    if customer and is_account(customer):
        if html:
            raise typer.BadParameter("--html is for a customer; an account is told in the terminal.")
        _print_lines(tell_account(explain_account(settings, customer)))
        return
    told = explain_customer(settings, str(customer))
    if html is None:
        _print_lines(tell_customer(told))
        return
    write_page(told, html)
    console.print(f"Wrote {_short(html)}; it holds personal data, and only you may read it.", markup=False)


@app.command()
def review(
    export: Annotated[Path | None, typer.Option(help="Write the queue as a sheet (.xlsx or .csv) to fill in.")] = None,
    decided: Annotated[Path | None, typer.Option(help="Take a filled-in sheet into overrides.csv.")] = None,
    author: Annotated[str | None, typer.Option(help="Who decided, for rows of the sheet that do not say so.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many pairs are shown.")] = 20,
    data: DataOption = None,
) -> None:
    """Show the pairs that people should decide about, hand them out as a sheet, or take decisions back."""
    from pipelines.lock import hold
    from pipelines.review import export_pairs, import_decisions, list_pairs, tell_pairs

    if export and decided:
        raise typer.BadParameter("--export and --decided are two steps; name one.")
    settings, today = _settings(data=data), datetime.now(UTC).date()
    if decided:
        with hold(settings):  # a run would find another configuration at its next step, and fail
            report = import_decisions(settings, decided, author=author, today=today)
        console.print(
            f"{report.added_count} decisions added to overrides.csv, {report.known_count} were there already, "
            f"{report.undecided_count} rows are undecided; they hold from the next run on."
        )
        return
    pairs = list_pairs(settings, today)
    if export:
        export_pairs(pairs, export, settings.overrides_file)
        console.print(f"Wrote {len(pairs)} pairs to {_short(export)}; it holds personal data.", markup=False)
    else:
        _print_lines(tell_pairs(pairs[:limit], len(pairs)))


@app.command()
def findings(
    everything: Annotated[bool, typer.Option("--all", help="Also those that are closed.")] = False,
    owner: Annotated[str | None, typer.Option(help="Only those of this team.")] = None,
    accept: Annotated[
        str | None, typer.Option(metavar="FINDING", help="Live with it until a day; the gate stays as it is.")
    ] = None,
    take_back: Annotated[str | None, typer.Option(metavar="FINDING", help="It is not accepted any more.")] = None,
    author: Annotated[str | None, typer.Option(help="Who decides; kept, not published.")] = None,
    reason: Annotated[str | None, typer.Option(help="Why; it is published.")] = None,
    until: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day of the acceptance.")] = None,
    worklist: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write what there is to mend, one CSV file per owner.")
    ] = None,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Show what the audit found and since when, accept a finding for a time, or list the records to mend."""
    from pipelines.audit import decide, list_findings, tell_findings, write_worklists_of
    from pipelines.configuration import load_configuration

    if sum(option is not None for option in (accept, take_back, worklist)) > 1:
        raise typer.BadParameter("--accept, --take-back and --worklist are steps of their own; name one.")
    settings, now = _settings(config, data), datetime.now(UTC).replace(tzinfo=None)
    configuration = load_configuration(settings)
    found = list_findings(settings, now)
    if accept or take_back:
        day = until.date() if until else None
        name = str(accept or take_back)
        decision = decide(
            settings, found, name, author=author, reason=reason, until=day, now=now, takes_back=accept is None
        )
        how = f"is accepted until {decision.until}" if decision.until else "is not accepted any more"
        console.print(f"{decision.finding_id} {how}; published with the next run.", markup=False)
        return
    if worklist:
        written = write_worklists_of(settings, configuration, found, worklist)
        for name, (file, count) in written.items():
            console.print(f"{name}: {count:,} rows in {_short(file)}", markup=False)
        console.print(
            "They hold personal data, and only you may read them." if written else "There is nothing to mend."
        )
        return
    shown = [f for f in found if (everything or f.closed_at is None) and owner in (None, f.text.owner)]
    _print_lines(tell_findings(shown, configuration.company.base_currency))
    if not shown:
        console.print("No finding is open.")


@app.command("data-docs")
def write_docs(
    folder: Annotated[Path, typer.Argument(help="Where the pages are written.")],
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Write the last audit as Great Expectations' Data Docs, one page per suite; their style comes from the network."""
    from pipelines.audit import write_data_docs
    from pipelines.configuration import load_configuration

    settings = _settings(config, data)
    files = write_data_docs(settings, load_configuration(settings), folder)
    console.print(f"Wrote {len(files)} pages to {_short(folder)}.", markup=False)


@app.command()
def validate(config: ConfigOption = None, data: DataOption = None) -> None:
    """Check the configuration and overrides.csv, and load Dagster's code location."""
    settings = _settings(config, data)
    from pipelines.audit import load_catalogue
    from pipelines.configuration import load_configuration

    load_catalogue(load_configuration(settings))
    console.print("The configuration is valid.")
    from pipelines.defs.launch import prepare_instance

    prepare_instance(settings)
    _become_dagster("definitions", "validate", "-w", "workspace.yaml", "--log-level", "warning")


@app.command("rules")
def list_rules(
    suite: Annotated[list[str] | None, typer.Option(help="Only this suite; may be given several times.")] = None,
    critical: Annotated[bool, typer.Option("--critical", help="Only rules that refuse a version.")] = False,
    format_: Annotated[ListFormat, typer.Option("--format", help="A table to read, or CSV with all texts.")] = (
        ListFormat.TABLE
    ),
    config: ConfigOption = None,
) -> None:
    """List the rules of the audit: what each says, about what, with which threshold, and whose it is."""
    from pipelines.audit import Severity, load_catalogue
    from pipelines.audit.listing import as_csv, as_table
    from pipelines.configuration import load_configuration

    catalogue = load_catalogue(load_configuration(_settings(config)))
    rules = [r for r in catalogue.select(suite or None) if r.severity is Severity.CRITICAL or not critical]
    if format_ is ListFormat.CSV:
        sys.stdout.write(as_csv(rules))
        return
    console.print(as_table(rules))
    refusing = sum(r.severity is Severity.CRITICAL for r in rules)
    console.print(f"{len(rules)} rules, {refusing} of them critical, in {len({r.suite for r in rules})} suites.")


sources_app = typer.Typer(no_args_is_help=True, help="What concerns the sources of sources.yml.")
app.add_typer(sources_app, name="sources")


@sources_app.command("check")
def check_sources(
    names: Annotated[list[str] | None, typer.Argument(help="Names of sources; all when none is named.")] = None,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Can every source be reached, may it be read, does its mapping fit? Nothing is landed, no secret is shown."""
    from pipelines.configuration import load_configuration
    from pipelines.extract import check_sources as look_at_sources

    settings = _settings(config, data)
    configuration = load_configuration(settings)
    known = [source.name for source in configuration.sources]
    if unknown := sorted(set(names or ()) - set(known)):
        raise ConfigurationError([f"There is no source {', '.join(unknown)}; sources.yml has {', '.join(known)}."])
    problem_count = 0
    for finding in look_at_sources(settings, configuration, names):
        problem_count += finding.is_problem
        style = "red" if finding.is_problem else None
        console.print(f"{finding.source:<16}  {finding.sentence}", style=style, markup=False)
    if problem_count:
        errors.print(f"{problem_count} problem{'s' if problem_count > 1 else ''} found; nothing was landed.")
        sys.exit(FAILED)


@sources_app.command("profile")
def profile_source(
    path: Annotated[Path, typer.Argument(help="A file that no source names yet.")],
    entity: Annotated[
        str | None, typer.Option(help="What its records are, e.g. contacts; guessed when left out.")
    ] = None,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Read an unknown file and print its entry for sources.yml, with the doubts to decide. No value is shown."""
    import yaml

    from pipelines.configuration import load_configuration
    from pipelines.extract import profile_file

    settings = _settings(config, data)
    controller = load_configuration(settings).company.controllers[0]
    proposal = profile_file(settings, path.expanduser(), controller=controller, entity_name=entity)
    console.print(yaml.safe_dump([proposal.entry], sort_keys=False, allow_unicode=True), markup=False, end="")
    for doubt in proposal.doubts:
        console.print(f"# Doubt: {doubt}.", markup=False)


@app.command()
def ui(
    config: ConfigOption = None,
    data: DataOption = None,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 3000,
) -> None:
    """Serve the Dagster UI and its daemon on 127.0.0.1, with the schedule."""
    from pipelines.defs.launch import prepare_instance
    from pipelines.transform import parsed_project

    prepare_instance(_settings(config, data))
    parsed_project()  # once here, not in each of Dagster's processes
    console.print(f"Dagster is starting on http://127.0.0.1:{port} (stop with Ctrl-C).")
    _become_dagster("dev", "-w", "workspace.yaml", "-h", "127.0.0.1", "-p", str(port))


def _become_dagster(*arguments: str) -> None:
    """Replace this process by Dagster's own command, started where workspace.yaml is."""
    os.chdir(PROJECT_DIR)
    os.environ.setdefault("PYTHONWARNINGS", "ignore")  # as in `main`: libraries warn those who call them
    os.execv(Path(sys.executable).with_name("dagster"), ["dagster", *arguments])  # noqa: S606


def _version_line(version: VersionInfo) -> str:
    """One line that no terminal cuts: the name is typed again for a rollback."""
    return (
        f"{version.version}  published {version.published_at:%Y-%m-%d %H:%M} UTC  as of {version.as_of:%Y-%m-%d}  "
        f"{version.verdict.replace('_', ' '):20}  {version.customer_count:,} customers"
        f"{'  current' if version.is_current else ''}"
    )


def _print_lines(lines: Iterable[str]) -> None:
    for line in lines:
        console.print(line, markup=False)


def _short(path: Path) -> str:
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


logging.getLogger("pipelines").addHandler(logging.NullHandler())

if __name__ == "__main__":
    main()
