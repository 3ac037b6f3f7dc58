"""The report of one audit: a self-contained page for owners, in English and German, with counts and never a value.

Add a section in `templates/page.html.j2`, what it needs in `page`, what it reads of the build in `facts`. What figures
mean is decided where they are made; what an owner should do next in `tasks`, what changed in `changes`.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.audit.details import audit_of_base
from pipelines.audit.report.changes import find_changes
from pipelines.audit.report.facts import Facts, read_facts
from pipelines.audit.report.page import Content, prepare_page, render_page
from pipelines.audit.report.tasks import Waiting, rank_tasks, read_waiting, tasks_of_corrections, tasks_of_results
from pipelines.audit.rules import owners_of_objects
from pipelines.audit.scorecard import measure_results
from pipelines.warehouse import connect

if TYPE_CHECKING:
    from pipelines.audit.details import Details
    from pipelines.audit.results import Verdict
    from pipelines.audit.rules import Rule
    from pipelines.build import Build
    from pipelines.configuration import Configuration
    from pipelines.settings import Settings


@dataclass(frozen=True)
class Gathered:
    """What the page shows of the build itself, whatever the rules find."""

    facts: Facts
    waiting: Sequence[Waiting]


def prepare_report() -> None:
    """Load what a page is drawn with, which takes a second, while something else is waited for."""
    prepare_page()


def gather_facts(settings: Settings) -> Gathered:
    """Read of the build what needs no result, while the rules still run."""
    with connect(settings.build_warehouse, settings, read_only=True) as connection:
        return Gathered(read_facts(connection), read_waiting(connection))


def write_report(
    settings: Settings,
    configuration: Configuration,
    build: Build,
    verdict: Verdict,
    rules: Sequence[Rule],
    details: Details,
    gathered: Gathered,
) -> Path:
    """Write `build/report/index.html` from the verdict and the build; returns the file."""
    content = gather_content(settings, configuration, build, verdict, rules, details, gathered)
    folder = settings.build_dir / "report"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    file = folder / "index.html"
    file.write_text(render_page(content), encoding="utf-8")
    return file


def gather_content(
    settings: Settings,
    configuration: Configuration,
    build: Build,
    verdict: Verdict,
    rules: Sequence[Rule],
    details: Details,
    gathered: Gathered,
) -> Content:
    """Everything the page shows."""
    failing = measure_results([r for r in verdict.results if r.failed_count], {rule.id: rule for rule in rules})
    seen = {f"{m.scope}.{m.entity}.{m.field}" for m in failing if m.field}
    tasks = tasks_of_corrections(gathered.waiting, owners_of_objects(rules), seen)
    base = audit_of_base(build, details.history)
    return Content(
        build=build,
        verdict=verdict,
        rules=rules,
        details=details,
        facts=gathered.facts,
        changes=find_changes(settings, configuration, build, verdict, details, gathered.facts, base),
        tasks=rank_tasks([*tasks_of_results(verdict, details, settings.kept_failures), *tasks]),
        base=base,
        currency=configuration.company.base_currency,
        kept_failures=settings.kept_failures,
    )


__all__ = ["Content", "Gathered", "gather_content", "gather_facts", "prepare_report", "render_page", "write_report"]
