"""Every rule of the suites is met by the small company, and broken by its own defect and no other rule's."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.audit import Catalogue, Rule, RuleResult, Severity, Status, run_rules
from pipelines.audit.expectation_types import OWN
from pipelines.audit.failing_rows import failing_rows_of
from pipelines.configuration import Configuration, load_configuration
from pipelines.configuration.documents import parse
from pipelines.settings import EXPECTATIONS_DIR, PROJECT_DIR, Settings
from pipelines.warehouse import connect
from tests.unit.audit.conftest import copy_company, settings_in
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


def plant(connection: DuckDBPyConnection, *rule_ids: str) -> None:
    for rule_id in rule_ids:
        for statement in DEFECTS[rule_id]["sql"]:
            connection.execute(statement)


@contextmanager
def taken_back(connection: DuckDBPyConnection) -> Iterator[None]:
    """Whatever is changed within is as before afterwards."""
    connection.begin()
    try:
        yield
    finally:
        connection.rollback()


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
    text = text_of(rule)
    return any(table in text for table in tables)


def text_of(rule: Rule) -> str:
    return f"{rule.expectation} " + " ".join(str(checked.query) for checked in rule.objects)


def put_together(connection: DuckDBPyConnection, catalogue: Catalogue) -> list[list[str]]:
    """All defects in groups of which none changes what another one changes, or what the other's rule reads."""
    changed = {rule_id: tables_changed_by(connection, rule_id) for rule_id in DEFECTS}
    texts = {rule_id: f"{text_of(catalogue.rule(rule_id))} {DEFECTS[rule_id]['sql']}" for rule_id in DEFECTS}

    def is_apart(one: str, other: str) -> bool:
        return not any(table in texts[other] for table in changed[one])

    groups: list[list[str]] = []
    for rule_id in DEFECTS:
        for group in groups:
            if all(is_apart(rule_id, other) and is_apart(other, rule_id) for other in group):
                group.append(rule_id)
                break
        else:
            groups.append([rule_id])
    return groups


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


@pytest.fixture(scope="module")
def own_company(small_company: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Settings]:
    """Copies of the small company that tests of this file share."""
    return lambda name: copy_company(small_company, settings_in(tmp_path_factory.mktemp(name)))


@pytest.fixture(scope="module")
def connection(own_company: Callable[[str], Settings]) -> Iterator[DuckDBPyConnection]:
    """To a small company in which every rule is met; whoever changes it takes that back."""
    company = own_company("met")
    with connect(company.build_warehouse, company) as connection:
        yield connection


@pytest.fixture(scope="module")
def audited(
    own_company: Callable[[str], Settings], connection: DuckDBPyConnection, catalogue: Catalogue
) -> Callable[[str], list[RuleResult]]:
    """What Great Expectations finds of a rule in a company with its defect, and with others that it cannot see."""
    group_of = {rule_id: group for group in put_together(connection, catalogue) for rule_id in group}
    found: dict[str, list[RuleResult]] = {}

    def audit(rule_id: str) -> list[RuleResult]:
        if rule_id not in found:
            group, company = group_of[rule_id], own_company("broken")
            with connect(company.build_warehouse, company) as broken:
                plant(broken, *group)
            rules = [catalogue.rule(member) for member in group]
            results = run_rules(company, load_configuration(company), BUILD, rules)
            found.update({member: [r for r in results if r.rule_id == member] for member in group})
        return found[rule_id]

    return audit


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
    rule_id: str,
    connection: DuckDBPyConnection,
    audited: Callable[[str], list[RuleResult]],
    catalogue: Catalogue,
) -> None:
    """The rule itself inside Great Expectations; all others by their SQL, which takes a fiftieth of the time."""
    rule = catalogue.rule(rule_id)
    with taken_back(connection):
        plant(connection, rule_id)
        changed = tables_changed_by(connection, rule_id)
        by_sql = counted_by_sql(connection, [other for other in rules_of_suites(catalogue) if reads(other, changed)])
    results = audited(rule_id)
    unmet = [r for r in results if r.status in UNMET]
    assert {r.status for r in unmet} == {Status.FAILED if rule.severity is Severity.CRITICAL else Status.WARNED}
    assert by_sql.keys() | {rule_id} == expected_failures(rule_id)
    found = sum(r.failed_count or 0 for r in unmet)
    assert found == by_sql.get(rule_id, found) > 0


@pytest.mark.parametrize(
    ("rule_id", "statement"), [(rule, statement) for rule, d in DEFECTS.items() for statement in d.get("other", ())]
)
def test_a_further_defect_is_found_by_its_rule(
    rule_id: str, statement: str, connection: DuckDBPyConnection, catalogue: Catalogue
) -> None:
    """By the SQL of the rule: that it is run and counted is tested with its first defect."""
    rule = catalogue.rule(rule_id)
    assert counted_by_sql(connection, [rule]) == {}
    with taken_back(connection):
        connection.execute(statement)
        assert counted_by_sql(connection, [rule]).keys() == {rule_id}


def test_a_run_that_is_repeated_on_the_same_day_expects_nothing_newer(
    company: Settings, configuration: Configuration, catalogue: Catalogue
) -> None:
    with connect(company.build_warehouse, company) as connection:
        plant(connection, "src_014")
        connection.execute("update meta.figures set base_value = value where figure = 'as_of'")
    [result] = run_rules(company, configuration, BUILD, [catalogue.rule("src_014")])
    assert result.status is Status.NOT_APPLICABLE


def test_ids_of_a_version_that_was_rolled_back_may_end(connection: DuckDBPyConnection, catalogue: Catalogue) -> None:
    rule = catalogue.rule("ide_006")
    with taken_back(connection):
        connection.execute(
            "update identity.customer_id_history set status_version = (select version from config.build) "
            "where status = 'merged'"
        )
        assert counted_by_sql(connection, [rule]) == {}
        plant(connection, "ide_006")
        assert counted_by_sql(connection, [rule]) == {"ide_006": 1}


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
