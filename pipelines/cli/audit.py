"""The audit's rules, findings and pages."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.shared import ConfigOption, DataOption, console, print_lines, read_settings, short
from pipelines.errors import BuildError


class ListFormat(StrEnum):
    TABLE = "table"
    CSV = "csv"


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
    from pipelines.audit import (
        decide,
        list_findings,
        tell_findings,
        tell_none_open,
        was_audited,
        write_worklists_of,
    )
    from pipelines.configuration import load_configuration

    if sum(option is not None for option in (accept, take_back, worklist)) > 1:
        raise typer.BadParameter("--accept, --take-back and --worklist are steps of their own; name one.")
    settings, now = read_settings(config, data), datetime.now(UTC).replace(tzinfo=None)
    configuration = load_configuration(settings)
    if not was_audited(settings):
        raise BuildError(f"Nothing was audited in {settings.data_dir}; run `kundenstamm run` first.")
    found = list_findings(settings, now)
    if accept or take_back:
        day = until.date() if until else None
        name = str(accept or take_back)
        decision = decide(
            settings, found, name, author=author, reason=reason, until=day, now=now, takes_back=accept is None
        )
        how = f"is accepted until {decision.until}" if decision.until else "is not accepted any more"
        console.print(
            f"{decision.finding_id} {how}; audit.findings shows it from the next published version on.", markup=False
        )
        return
    if worklist:
        written = write_worklists_of(settings, configuration, found, worklist)
        for name, (file, count) in written.items():
            console.print(f"{name}: {count:,} rows in {short(file)}", markup=False)
        console.print(
            "They hold personal data, and only you may read them." if written else "There is nothing to mend."
        )
        return
    shown = [f for f in found if (everything or f.closed_at is None) and owner in (None, f.text.owner)]
    print_lines(tell_findings(shown, configuration.company.base_currency))
    if not shown:
        console.print(tell_none_open(found, owner), markup=False)


def write_docs(
    folder: Annotated[Path, typer.Argument(help="Where the pages are written.")],
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Write the last audit as Great Expectations' Data Docs, one page per suite; their style comes from the network."""
    from pipelines.audit import write_data_docs
    from pipelines.configuration import load_configuration

    settings = read_settings(config, data)
    files = write_data_docs(settings, load_configuration(settings), folder)
    console.print(f"Wrote {len(files)} pages to {short(folder)}.", markup=False)


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

    catalogue = load_catalogue(load_configuration(read_settings(config)))
    rules = [r for r in catalogue.select(suite or None) if r.severity is Severity.CRITICAL or not critical]
    if format_ is ListFormat.CSV:
        sys.stdout.write(as_csv(rules))
        return
    console.print(as_table(rules))
    refusing = sum(r.severity is Severity.CRITICAL for r in rules)
    counts = _count(len(rules), "rule"), _count(len({r.suite for r in rules}), "suite")
    console.print(f"{counts[0]}, {refusing} of them critical, in {counts[1]}.")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
