"""Every rule of the suites is met by the small company, and broken by its own defect and no other rule's."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.audit import Catalogue, Rule, RuleResult, Severity, Status, run_rules
from pipelines.audit.expectation_types import OWN
from pipelines.audit.failing_rows import failing_rows_of
from pipelines.configuration import Configuration
from pipelines.configuration.documents import parse
from pipelines.settings import EXPECTATIONS_DIR, PROJECT_DIR, Settings
from pipelines.warehouse import connect
from tests.unit.unify.world import BUILD

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

DEFECTS: dict[str, dict[str, Any]] = parse((PROJECT_DIR / "tests/fixtures/audit/defects.yml").read_text())
UNMET = {Status.FAILED, Status.WARNED, Status.NOT_RUN}


def written_rules(directory: Path = EXPECTATIONS_DIR) -> list[str]:
    """Those that are broken by one defect; rules about figures need a past, see `test_anomalies`."""
    suites = [parse(file.read_text()) for file in sorted(directory.glob("*.yml"))]
    return [rule["meta"]["id"] for suite in suites for rule in suite["expectations"] if rule["type"] not in OWN]


def rules_of_suites(catalogue: Catalogue) -> list[Rule]:
    return [rule for rule in catalogue.rules if rule.expectation]


def unmet_rules(results: Sequence[RuleResult]) -> set[str]:
    return {result.rule_id for result in results if result.status in UNMET}


def break_company(company: Settings, rule_id: str, rules: Sequence[Rule]) -> dict[str, int]:
    """Plant the defect of a rule; returns what the SQL rules among `rules` find that read what it changed."""
    with connect(company.build_warehouse, company) as connection:
        for statement in DEFECTS[rule_id]["sql"]:
            connection.execute(statement)
        changed = tables_changed_by(connection, rule_id)
        return counted_by_sql(connection, [rule for rule in rules if reads(rule, changed)])


def tables_changed_by(connection: DuckDBPyConnection, rule_id: str) -> set[str]:
    """The tables that a defect writes, and all views over them."""
    statements = " ".join(DEFECTS[rule_id]["sql"])
    changed = set(re.findall(r"(?:update|insert into|delete from|table|view)\s+(\w+\.\w+)", statements, re.IGNORECASE))
    assert changed, rule_id
    views = connection.execute("select schema_name || '.' || view_name, sql from duckdb_views()").fetchall()
    while over := {name for name, text in views if name not in changed and any(t in text for t in changed)}:
        changed |= over
    return changed


def reads(rule: Rule, tables: Collection[str]) -> bool:
    text = f"{rule.expectation} " + " ".join(str(checked.query) for checked in rule.objects)
    return any(table in text for table in tables)


def counted_by_sql(connection: DuckDBPyConnection, rules: Sequence[Rule]) -> dict[str, int]:
    """Rows that SQL rules beyond their tolerance find, counted without Great Expectations."""
    found: dict[str, int] = {}
    for rule in rules:
        assert rule.expectation
        query = rule.expectation["kwargs"].get("unexpected_rows_query")
        for checked in rule.objects if query else ():
            if checked.query is None:
                continue
            batch = f"({checked.query})"
            [(failed, elements)] = connection.execute(
                f"with batch as (from {batch}) select (select count(*) from ({query.format(batch='batch')})), "
                "(select count(*) from batch)"
            ).fetchall()
            if failed > rule.tolerated_share * elements and elements:
                found[rule.id] = found.get(rule.id, 0) + failed
    return found


def expected_failures(rule_id: str) -> set[str]:
    return {rule_id, *DEFECTS[rule_id].get("also", [])}


def test_every_rule_has_a_defect_and_every_defect_a_rule() -> None:
    assert sorted(DEFECTS) == sorted(written_rules())


def test_every_rule_is_met_by_the_small_company_and_leaves_one_result_per_object(
    company: Settings, configuration: Configuration, catalogue: Catalogue
) -> None:
    rules = rules_of_suites(catalogue)
    results = run_rules(company, configuration, BUILD, rules)
    assert unmet_rules(results) == set()
    assert {r.rule_id for r in results if r.status is Status.PASSED} == {rule.id for rule in rules}
    expected = [(rule.id, checked.name) for rule in rules for checked in rule.objects]
    assert sorted((r.rule_id, r.object) for r in results) == sorted(expected)


@pytest.mark.parametrize("rule_id", written_rules())
def test_a_defect_is_found_by_its_rule_and_by_no_other(
    rule_id: str, company: Settings, configuration: Configuration, catalogue: Catalogue
) -> None:
    """The rule itself inside Great Expectations; all others by their SQL, which takes a fiftieth of the time."""
    rule = catalogue.rule(rule_id)
    by_sql = break_company(company, rule_id, rules_of_suites(catalogue))
    results = run_rules(company, configuration, BUILD, [rule])
    assert unmet_rules(results) == {rule_id}
    unmet = [r for r in results if r.status in UNMET]
    assert {r.status for r in unmet} == {Status.FAILED if rule.severity is Severity.CRITICAL else Status.WARNED}
    assert by_sql.keys() | {rule_id} == expected_failures(rule_id)
    found = sum(r.failed_count or 0 for r in unmet)
    assert found == by_sql.get(rule_id, found) > 0


@pytest.mark.parametrize(
    ("rule_id", "statement"), [(rule, statement) for rule, d in DEFECTS.items() for statement in d.get("other", ())]
)
def test_a_further_defect_is_found_by_its_rule(
    rule_id: str, statement: str, company: Settings, catalogue: Catalogue
) -> None:
    """By the SQL of the rule: that it is run and counted is tested with its first defect."""
    rule = catalogue.rule(rule_id)
    with connect(company.build_warehouse, company) as connection:
        assert counted_by_sql(connection, [rule]) == {}
        connection.execute(statement)
        assert counted_by_sql(connection, [rule]).keys() == {rule_id}


def test_a_run_that_is_repeated_on_the_same_day_expects_nothing_newer(
    company: Settings, configuration: Configuration, catalogue: Catalogue
) -> None:
    break_company(company, "src_014", [])
    with connect(company.build_warehouse, company) as connection:
        connection.execute("update meta.figures set base_value = value where figure = 'as_of'")
    [result] = run_rules(company, configuration, BUILD, [catalogue.rule("src_014")])
    assert result.status is Status.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("rule_id", "table", "field"), [("cle_001", "emails", "email"), ("cle_002", "phones", "mobile")]
)
def test_what_no_record_holds_any_more_is_not_counted(
    company: Settings, configuration: Configuration, catalogue: Catalogue, rule_id: str, table: str, field: str
) -> None:
    rule = catalogue.rule(rule_id)
    with connect(company.build_warehouse, company) as connection:
        connection.execute(
            f"insert into clean.{table} (raw_value, is_valid) select 'n. a.' || i, false from range(9) as n (i)"
        )
        assert counted_by_sql(connection, [rule]) == {rule_id: 9}
        connection.execute(f"insert into raw.person_history ({field}) select 'n. a.' || i from range(9) as n (i)")
    [result] = run_rules(company, configuration, BUILD, [rule])
    assert (result.status, result.failed_count) == (Status.PASSED, 0)


@pytest.mark.parametrize(
    ("rule_id", "table", "field"), [("cle_001", "emails", "email"), ("cle_002", "phones", "mobile")]
)
def test_what_cannot_be_used_is_named_by_a_record_that_holds_it(
    company: Settings, catalogue: Catalogue, rule_id: str, table: str, field: str
) -> None:
    rule = catalogue.rule(rule_id)
    [checked] = rule.objects
    with connect(company.build_warehouse, company) as connection:
        connection.execute(f"insert into clean.{table} (raw_value, is_valid) values ('n/a', false)")
        connection.execute(
            "insert into clean.corrections (record_key, field, before) values ('r_2', $1, 'n/a'), ('r_1', $1, 'n/a')",
            [field],
        )
        assert connection.execute(str(failing_rows_of(rule, checked))).fetchall() == [("r_1",)]


def test_a_missing_amount_is_published_as_zero_and_that_is_the_same_sale(
    company: Settings, catalogue: Catalogue
) -> None:
    rule = catalogue.rule("rev_004")
    with connect(company.build_warehouse, company) as connection:
        [(line, order, discount)] = connection.execute(
            "select order_line_key, order_key, discount_amount from marts.order_lines where discount_amount > 0 limit 1"
        ).fetchall()
        connection.execute("update raw.shop_order_lines set discount_amount = null where record_key = ?", [line])
        assert counted_by_sql(connection, [rule]).keys() == {"rev_004"}
        connection.execute("update marts.order_lines set discount_amount = 0 where order_line_key = ?", [line])
        connection.execute(
            "update marts.orders set gross_amount = gross_amount + ? where order_key = ?", [discount, order]
        )
        assert counted_by_sql(connection, [rule]) == {}
