"""The rules as a list that an owner reads or opens in a spreadsheet.

Add a column here when owners ask for it. Which rules there are is said by `catalogue`; what they found, by the report.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

    from pipelines.audit.rules import Rule

COLUMNS = ("rule", "severity", "object", "what it says", "threshold", "owner")
# What a spreadsheet has room for and a terminal has not.
FURTHER = (
    "suite",
    "dimension",
    "description_de",
    "reason",
    "protects",
    "protects_de",
    "remedy",
    "remedy_de",
    "approvable",
)


def as_table(rules: Sequence[Rule]) -> Table:
    """The list for a terminal, ordered as the catalogue is; names of objects are as long as a sentence may be wide."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in COLUMNS:
        if name != "object":
            table.add_column(name, overflow="fold", no_wrap=name in ("rule", "severity"))
    for rule in rules:
        number, severity, _, said, threshold, owner = _cells(rule)
        first, *others = (checked.name for checked in rule.objects)
        about = f"{first} and {len(others)} more" if others else first
        table.add_row(number, severity, Text(f"{said}\n").append(about, style="dim"), threshold, owner)
    return table


def as_csv(rules: Sequence[Rule]) -> str:
    """The list as CSV with everything an owner signs; the objects of a rule are separated by blanks."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((*COLUMNS, *FURTHER))
    for rule in rules:
        writer.writerow((*_cells(rule), *_further(rule)))
    return text.getvalue()


def _cells(rule: Rule) -> tuple[str, ...]:
    return (
        rule.display_id,
        rule.severity.value,
        " ".join(checked.name for checked in rule.objects),
        rule.description,
        "" if rule.threshold is None else f"{100 * rule.threshold:g} %",
        rule.owner,
    )


def _further(rule: Rule) -> tuple[str, ...]:
    return (
        rule.suite,
        rule.dimension,
        rule.description_de,
        rule.reason,
        rule.protects,
        rule.protects_de,
        rule.remedy,
        rule.remedy_de,
        "yes" if rule.is_approvable else "no",
    )
