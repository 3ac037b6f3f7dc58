"""What is published: status, versions, rollback, and a safe way to query."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli.shared import DataOption, console, read_settings

if TYPE_CHECKING:
    from pipelines.publish import VersionInfo


def status(data: DataOption = None) -> None:
    """Say what is published, since when, on which audit, and why something newer is not."""
    from pipelines.publish import read_status

    for line in read_status(read_settings(data=data)).lines():
        console.print(line, markup=False)


def versions(
    verify: Annotated[
        bool, typer.Option("--verify", help="Read every file, and say whether it is still what was published.")
    ] = False,
    data: DataOption = None,
) -> None:
    """List the published versions that are kept."""
    from pipelines.publish import list_versions, verify_versions

    settings = read_settings(data=data)
    listed = list_versions(settings)
    for line in [_version_line(version) for version in listed] or [f"Nothing is published in {settings.data_dir} yet."]:
        console.print(line, markup=False)
    if not verify or not listed:
        return
    found = verify_versions(settings)
    differences = [sentence for sentences in found.values() for sentence in sentences]
    for sentence in differences or [f"All files of {len(found)} versions are what was published."]:
        console.print(sentence, markup=False)
    if differences:
        raise typer.Exit(1)


def rollback(
    version: Annotated[str, typer.Argument(help="A version that `kundenstamm versions` lists.")],
    reason: Annotated[str, typer.Option(help="Why; it is kept.")],
    data: DataOption = None,
) -> None:
    """Make a kept version current again and withdraw audiences until the next audited build."""
    from pipelines.lock import hold
    from pipelines.publish import roll_back

    settings = read_settings(data=data)
    with hold(settings):
        roll_back(settings, version, reason=reason, now=datetime.now(UTC).replace(tzinfo=None))
    console.print(f"{version} is current again; its audiences are withdrawn until the next audited build.")


def sql(
    query: Annotated[str | None, typer.Argument(help="One query; without it, an interactive session.")] = None,
    restricted: Annotated[bool, typer.Option(help="Read the file with the identifiers.")] = False,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="All rows and columns as CSV; a table shows what fits.")
    ] = False,
    data: DataOption = None,
) -> None:
    """Query the published version: read-only, and the same version as long as the session lasts."""
    from pipelines.publish import run_reader, write_rows

    settings = read_settings(data=data)
    if not as_csv:
        run_reader(settings, query, restricted=restricted, console=console)
    elif query is None:
        raise typer.BadParameter("--csv is for one query; name it.")
    else:
        write_rows(settings, query, sys.stdout, restricted=restricted)


def _version_line(version: VersionInfo) -> str:
    """One line that no terminal cuts: the name is typed again for a rollback."""
    return (
        f"{version.version}  published {version.published_at:%Y-%m-%d %H:%M} UTC  as of {version.as_of:%Y-%m-%d}  "
        f"{version.verdict.replace('_', ' '):20}  {version.customer_count:,} customers"
        f"{'  current' if version.is_current else ''}"
    )
