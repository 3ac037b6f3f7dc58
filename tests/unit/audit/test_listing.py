"""`kundenstamm rules`: what an owner sees of the rules."""

from __future__ import annotations

import csv
import io

import pytest
from rich.console import Console
from typer.testing import CliRunner

from pipelines.audit import Catalogue, Severity
from pipelines.audit.listing import as_csv, as_table
from pipelines.cli import app


def test_the_table_has_rule_severity_object_text_threshold_and_owner(catalogue: Catalogue) -> None:
    console = Console(record=True, width=300, file=io.StringIO())
    console.print(as_table([catalogue.rule("rev_002"), catalogue.rule("cus_001")]))
    text = console.export_text()
    for expected in (
        "REV-002",
        "critical",
        "mail_order.orders and 3 more",
        "at least 99 %",
        "1 %",
        "finance",
        "CUS-001",
    ):
        assert expected in text


def test_the_csv_has_a_line_per_rule_with_every_text_an_owner_signs(catalogue: Catalogue) -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv(catalogue.rules))))
    assert [row["rule"] for row in rows] == [rule.display_id for rule in catalogue.rules]
    row = next(row for row in rows if row["rule"] == "IDE-010")
    assert (row["suite"], row["threshold"], row["approvable"]) == ("changes", "10 %", "yes")
    assert all(row["protects"] and row["protects_de"] and row["description_de"] and row["reason"] for row in rows)


def test_the_command_lists_a_suite_and_the_critical_ones_alone(catalogue: Catalogue) -> None:
    done = CliRunner().invoke(app, ["rules", "--critical", "--suite", "revenue", "--format", "csv"])
    assert done.exit_code == 0
    found = {row["rule"] for row in csv.DictReader(io.StringIO(done.stdout))}
    assert found == {r.display_id for r in catalogue.select(["revenue"]) if r.severity is Severity.CRITICAL}


@pytest.mark.parametrize(("most", "of"), [(25, "suites"), (10, "dbt")])
def test_few_rules_refuse_a_version(catalogue: Catalogue, most: int, of: str) -> None:
    critical = [
        r.id for r in catalogue.rules if r.severity is Severity.CRITICAL and (r.suite == "dbt") == (of == "dbt")
    ]
    assert len(critical) <= most
    assert 80 <= sum(r.suite != "dbt" for r in catalogue.rules) <= 150
