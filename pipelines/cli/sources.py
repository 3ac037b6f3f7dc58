"""Commands about the sources of sources.yml: `kundenstamm sources ...`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.shared import FAILED, ConfigOption, DataOption, console, errors, read_settings
from pipelines.errors import ConfigurationError

sources_app = typer.Typer(no_args_is_help=True, help="What concerns the sources of sources.yml.")


@sources_app.command("check")
def check_sources(
    names: Annotated[list[str] | None, typer.Argument(help="Names of sources; all when none is named.")] = None,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Can every source be reached, may it be read, does its mapping fit? Nothing is landed, no secret is shown."""
    from pipelines.configuration import load_configuration
    from pipelines.extract import check_sources as look_at_sources

    settings = read_settings(config, data)
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
    from pipelines.configuration import load_company
    from pipelines.extract import profile_file, write_entry

    settings = read_settings(config, data)
    controller = load_company(settings).controllers[0]  # sources.yml is what is being written: it need not be valid yet
    proposal = profile_file(settings, path.expanduser(), controller=controller, entity_name=entity)
    first = next(iter(proposal.entry["entities"]))
    console.print(write_entry(proposal.entry, {first: proposal.doubts}, {first: proposal.notes}), markup=False, end="")
