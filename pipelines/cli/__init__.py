"""The `kundenstamm` command: what a person types, and the exit codes a scheduler reads.

Add a command to the module of its subject and to the list below; what it does lives in the stage packages.
"""

from __future__ import annotations

import atexit
import gc
import logging
import os
import sys
import warnings
from pathlib import Path

import typer

from pipelines.cli.audit import findings, list_rules, write_docs
from pipelines.cli.identity import explain, review
from pipelines.cli.nightly import run, sample, ui, validate
from pipelines.cli.shared import ACTIVE, CONFIGURATION, FAILED, errors
from pipelines.cli.sources import sources_app
from pipelines.cli.start import init
from pipelines.cli.versions import rollback, sql, status, versions
from pipelines.errors import ConfigurationError, KundenstammError, LockedError
from pipelines.settings import QUIET_ENVIRONMENT

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__.split(":")[0]
)
for command in (init, run, sample, status, versions, rollback, sql, explain, review, findings):
    app.command()(command)
app.command("data-docs")(write_docs)
app.command()(validate)
app.command("rules")(list_rules)
app.command()(ui)
app.add_typer(sources_app, name="sources")
logging.getLogger("pipelines").addHandler(logging.NullHandler())

# Look for garbage once in so many new objects, not in 700: of a small run that took 2.8 s, it takes 1.1 s, and the
# memory is the same, because there is little garbage and what is large is not Python's.
COLLECTION = (50_000, 20, 50)

# What a mistyped command raises; typer exports no name for it. Its own exit code is 2, here that of a refusal.
_UsageError = typer.BadParameter.__mro__[1]


def main() -> None:
    """Run the command; a user's mistake ends with a sentence and an exit code, never with a stack trace."""
    os.environ.update(QUIET_ENVIRONMENT)
    gc.set_threshold(*COLLECTION)
    _UsageError.exit_code = CONFIGURATION  # type: ignore[attr-defined]
    atexit.register(gc.freeze)  # a last collection through all imported libraries would take two seconds
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # libraries warn those who call them
    try:
        app()
    except KundenstammError as error:
        errors.print(str(error), style="red", markup=False)
        sys.exit(_exit_code(error))
    except FileNotFoundError as error:
        errors.print(_what_is_missing(error), markup=False)
        sys.exit(FAILED)
    except OSError as error:
        where = error.filename or "A file"
        errors.print(f"{where} cannot be used ({error.strerror}); check permissions and free space.", markup=False)
        sys.exit(FAILED)
    except KeyboardInterrupt:
        errors.print("Interrupted; what is published is whole.")
        sys.exit(130)


def _what_is_missing(error: FileNotFoundError) -> str:
    if not error.filename:
        return "A file that is needed is not there."
    folder = Path(os.fsdecode(error.filename)).absolute().parent
    return f"There is no {error.filename}." if folder.is_dir() else f"There is no folder {folder}."


def _exit_code(error: KundenstammError) -> int:
    if isinstance(error, ConfigurationError):
        return CONFIGURATION
    return ACTIVE if isinstance(error, LockedError) else FAILED
