"""The first command of a new company: `kundenstamm init`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.shared import console, read_settings, short


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the configuration is written.")],
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="FILE", help="Files that you have, or folders of files.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Of the company; the name of the folder when left out.")] = None,
) -> None:
    """Write a configuration to start from; for files, with the entries that they may be. Nothing is overwritten."""
    from pipelines.publish.reader import shown_program
    from pipelines.start import write_configuration

    folder = folder.expanduser()
    started = write_configuration(read_settings(), folder, files or [], name=name or folder.absolute().name)
    shown = short(folder)
    console.print(f"Wrote {', '.join(started.files)} to {shown}.", markup=False)
    for reason in started.left_out:
        console.print(reason, style="yellow", markup=False)
    data = short(folder.absolute().with_name(f"{folder.absolute().name}-data"))
    if started.source_count:
        console.print(
            f"sources.yml has {_count(started.source_count, 'source')} with {_count(started.entity_count, 'kind')} of "
            f"records; decide {_count(started.doubt_count, 'doubt')} there (lines that begin with `# Doubt:`)."
        )
    else:
        console.print("sources.yml has an example that is switched off; put your own sources in its place.")
    console.print("company.yml has the name of the company, which cannot be changed once something was landed, and the")
    console.print("time zone, currency and country that are meant where a file names none.")
    console.print("Then, in this order:")
    for command in (
        f"validate --config {shown}",
        f"sources check --config {shown}",
        f"run --config {shown} --data {data}",
    ):
        console.print(f"  {shown_program()} {command}", markup=False)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
