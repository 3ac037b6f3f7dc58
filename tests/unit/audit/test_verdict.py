"""The verdict on a build, the gate that reads it, and the report. All on the small company."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipelines.audit import (
    Catalogue,
    Severity,
    Status,
    Verdict,
    VerdictStatus,
    load_verdict,
    read_approval,
    refusal_sentences,
    run_audit,
    run_rules,
    verify_verdict,
)
from pipelines.audit.approvals import approve
from pipelines.audit.results import judge
from pipelines.configuration import Configuration
from pipelines.errors import ConfigurationError
from pipelines.publish.columns import describe_tables
from pipelines.publish.copying import AUDIT_TABLES
from pipelines.publish.release import summarize
from pipelines.settings import Settings
from pipelines.transform import load_manifest
from pipelines.warehouse import connect
from tests.unit.audit.small_company import CANARY
from tests.unit.unify.world import BUILD


@pytest.fixture
def audit(company: Settings, configuration: Configuration) -> Any:
    """Run some suites on the company, by default those that take least time."""

    def run(*suites: str) -> Verdict:
        return run_audit(company, configuration, BUILD, suites=suites or ("identity", "audience"), keep_warm=True)

    return run


def change(settings: Settings, *statements: str, audit_file: bool = False) -> None:
    with connect(settings.build_audit if audit_file else settings.build_warehouse, settings) as connection:
        for statement in statements:
            connection.execute(statement)


@pytest.fixture
def passed(company: Settings, configuration: Configuration) -> Verdict:
    """All suites on the small company, which meets them."""
    return run_audit(company, configuration, BUILD, keep_warm=True)


def test_a_build_that_meets_every_rule_may_be_published_until_anything_changes(
    passed: Verdict, company: Settings, configuration: Configuration, catalogue: Catalogue
) -> None:
    def reasons(**changes: Any) -> str:
        return "\n".join(verify_verdict(company, configuration, replace(BUILD, **changes)))

    assert passed.status is VerdictStatus.PASSED, passed.status_counts
    assert passed.version == BUILD.version
    assert {r.rule_id for r in passed.results} == {rule.id for rule in catalogue.rules}
    files = (company.build_warehouse, company.build_shared, company.build_restricted)
    listed = "".join(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files)
    assert passed.warehouse_sha256 == hashlib.sha256(listed.encode()).hexdigest()
    assert load_verdict(company) == passed
    assert reasons() == ""

    assert "of build build" in reasons(build_id="another")
    assert "contradicts itself" in reasons(version="another")
    other = replace(configuration, value=configuration.value.model_copy(update={"top_share": 0.5}))
    assert any("configuration was changed" in s for s in verify_verdict(company, other, BUILD))

    honest = company.build_audit.read_bytes()
    for statement, expected in (
        ("delete from audit.audit.rule_results where rule_id = 'aud_001'", "AUD-001 is critical but has no result"),
        (
            "delete from audit.audit.rule_results where object = 'shop.customers'",
            "CRM-004 is critical but has no result",
        ),
        ("insert into audit.audit.rule_results from audit.audit.rule_results where rule_id = 'ide_001'", "2 results"),
        ("update audit.audit.rule_results set status = 'failed' where rule_id = 'ide_001'", "IDE-001"),
        ("update audit.audit.rule_results set status = 'not_run' where rule_id = 'dbt_063'", "could not be checked"),
        ("update audit.audit.rule_results set status = 'fine' where rule_id = 'ide_001'", "cannot be read"),
        ("update audit.audit.rule_results set threshold = 1 where rule_id = 'crm_004'", "was changed"),
        ("update audit.audit.rule_results set rule_digest = null where rule_id = 'crm_004'", "the rule as it is now"),
        ("update audit.audit.rule_results set build_id = 'stale' where rule_id = 'crm_001'", "was changed"),
        ("update audit.audit.rule_results set status = 'passed' where rule_id = 'dbt_026'", "was changed"),
        ("update audit.audit.rule_results set failed_count = 7 where rule_id = 'crm_001'", "was changed"),
        ("update audit.audit.verdict set warehouse_bytes = 1", "was changed"),
        ("delete from audit.audit.verdict", "was not audited"),
        ("drop table audit.audit.verdict", "cannot be read"),
    ):
        change(company, statement, audit_file=True)
        assert expected in reasons(), statement
        company.build_audit.write_bytes(honest)
    assert reasons() == ""

    change(company, "update marts.orders set revenue_amount = revenue_amount + 0.01")
    assert "warehouse file was changed after the audit" in reasons()
    company.build_audit.unlink()
    assert "was not audited" in reasons()


def test_a_refused_build_names_rule_counts_owner_and_remedy(
    audit: Any, company: Settings, configuration: Configuration
) -> None:
    change(company, "update raw.crm_contacts set email = 'ben(at)example.org' where source_record_id = '2'")
    verdict = audit("persons")
    assert (verdict.status, verdict.version) == (VerdictStatus.REFUSED, None)
    [sentence] = refusal_sentences(verdict)
    for expected in ("CRM-004", "e-mail", "1 of 2 fail (50.0%, allowed 5.0%)", "Owner: CRM team", "sources.yml"):
        assert expected in sentence
    assert sentence in verify_verdict(company, configuration, BUILD)
    with connect(company.build_audit, company, read_only=True) as connection:
        assert connection.execute(
            "select count(*) from audit.audit.rule_results where version is not null"
        ).fetchall() == [(0,)]


def test_a_verdict_over_some_suites_never_opens_the_gate(
    audit: Any, company: Settings, configuration: Configuration
) -> None:
    assert audit("identity").status is VerdictStatus.PASSED
    reasons = verify_verdict(company, configuration, BUILD)
    assert any(reason.startswith("AUD-001 is critical but has no result") for reason in reasons)
    assert not any(reason.startswith("IDE-001") for reason in reasons)


def test_a_rule_that_could_not_run_refuses(audit: Any, company: Settings) -> None:
    change(company, "drop table activation.exclusions")
    verdict = audit("audience")
    broken = {r.rule_id: r.status for r in verdict.results if r.status is Status.NOT_RUN}
    assert broken == {"aud_001": Status.NOT_RUN}
    assert verdict.status is VerdictStatus.REFUSED
    assert "could not be checked" in "".join(refusal_sentences(verdict))


def test_a_warning_is_published_with_a_warning(audit: Any, company: Settings) -> None:
    change(company, "update raw.crm_contacts set last_name = null where source_record_id = '2'")
    verdict = audit("persons")
    assert (verdict.status, verdict.version) == (VerdictStatus.PASSED_WITH_WARNINGS, BUILD.version)
    assert verdict.status_counts["warned"] == 1
    assert refusal_sentences(verdict) == []


def test_a_rule_on_an_empty_object_is_not_applicable_and_not_passed(audit: Any, company: Settings) -> None:
    change(company, "delete from raw.support_tickets", "update raw.shop_customers set email = null")
    found = {(r.rule_id, r.object): r.status for r in audit("support", "persons").results}
    assert found["sup_002", "support.tickets"] is Status.NOT_APPLICABLE
    assert found["crm_004", "shop.customers"] is Status.NOT_APPLICABLE  # there are customers, but no address to judge


def test_a_data_test_that_was_not_compiled_was_not_run(
    company: Settings, configuration: Configuration, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.audit.run.compile_data_tests", dict)
    [result] = run_rules(company, configuration, BUILD, [catalogue.rule("dbt_050")])
    assert (result.status, result.refuses) == (Status.NOT_RUN, True)


def test_every_rule_leaves_one_row_per_object_also_when_hardly_anything_can_run(
    company: Settings, configuration: Configuration, catalogue: Catalogue
) -> None:
    """Without the tables of a stage, rules that read them are not run; none of them is gone or passed."""
    change(
        company, "drop schema shared.marts cascade", "drop schema identity cascade", "drop table meta.source_profile"
    )
    verdict = run_audit(company, configuration, BUILD, keep_warm=True)
    with connect(company.build_audit, company, read_only=True) as connection:
        rows = connection.execute("select rule_id, object, status from audit.audit.rule_results").fetchall()
    expected = [(rule.id, checked.name) for rule in catalogue.rules for checked in rule.objects]
    assert sorted((rule, name) for rule, name, _ in rows) == sorted(expected)
    assert {status for *_, status in rows} <= {status.value for status in Status}
    by_rule = {rule: status for rule, _, status in rows}
    assert {by_rule[rule] for rule in ("cus_001", "ide_001", "src_006", "rev_013", "dbt_050")} == {"not_run"}
    assert verdict.status is VerdictStatus.REFUSED


def test_data_tests_of_dbt_are_results_and_a_critical_one_refuses(audit: Any, company: Settings) -> None:
    change(company, "insert into marts.customers from marts.customers", "drop table marts.ratings")
    verdict = audit("dbt")
    results = {r.rule_id: r for r in verdict.results}
    key = results["dbt_050"]
    assert (key.object, key.severity, key.status) == ("marts.customers", Severity.CRITICAL, Status.FAILED)
    assert key.failed_count
    assert key.element_count == 4
    assert results["dbt_060"].status is Status.PASSED
    assert results["dbt_130"].status is Status.NOT_APPLICABLE  # there is no household
    assert results["dbt_078"].status is Status.NOT_RUN  # there is no table of ratings
    assert verdict.status is VerdictStatus.REFUSED


def test_some_rules_alone_leave_the_verdict_alone(
    audit: Any, company: Settings, configuration: Configuration, catalogue: Catalogue
) -> None:
    before = audit("identity")
    found = run_rules(company, configuration, BUILD, [catalogue.rule("aud_001"), catalogue.rule("dbt_050")])
    assert [(r.rule_id, r.status) for r in found] == [("aud_001", Status.PASSED), ("dbt_050", Status.PASSED)]
    assert load_verdict(company) == before


def test_an_unknown_suite_is_refused_with_a_sentence(audit: Any) -> None:
    with pytest.raises(
        ConfigurationError, match="There is no suite 'nonsense'; allowed: accounts, anomalies, audience"
    ):
        audit("nonsense")


def test_a_company_without_orders_and_tickets_is_judged_on_what_it_has(company: Settings, audit: Any) -> None:
    change(company, *(f"delete from {t}" for t in ("raw.shop_orders", "raw.shop_order_lines", "raw.shop_returns")))
    change(
        company,
        *(f"delete from marts.{t}" for t in ("orders", "order_lines", "returns", "invoices", "order_discounts")),
    )
    change(company, "update raw.reconciliation set control_amounts = '{}'")
    statuses = {r.rule_id: r.status for r in audit("revenue").results}
    assert statuses.pop("rev_001") is Status.PASSED
    assert set(statuses.values()) == {Status.NOT_APPLICABLE}


def test_the_published_audit_tables_are_what_their_description_says(audit: Any, company: Settings) -> None:
    audit()
    described = {
        table.name: [(column.name, (column.data_type or "").upper()) for column in table.columns]
        for table in describe_tables(load_manifest())
        if table.schema == "audit"
    }
    built = _columns(company, company.build_audit)
    of_the_build = _columns(company, company.build_warehouse)
    for table, (schema, name, left_out) in AUDIT_TABLES.items():
        built["audit", table] = [c for c in of_the_build[schema, name] if c[0] not in left_out]
    assert {table: columns for (_, table), columns in built.items()} == described


def _columns(settings: Settings, file: Path) -> dict[tuple[str, str], list[tuple[str, str]]]:
    """(name, type) of every column in order, by schema and table."""
    with connect(file, settings, read_only=True) as connection:
        rows = connection.execute(
            "select schema_name, table_name, column_name, data_type from duckdb_columns() where not internal "
            "order by schema_name, table_name, column_index"
        ).fetchall()
    found: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for schema, table, column, data_type in rows:
        found.setdefault((schema, table), []).append((column, data_type.removesuffix('("value" VARCHAR)')))
    return found


def test_no_value_is_in_verdict_results_and_report(audit: Any, company: Settings) -> None:
    change(company, f"update clean.corrections set before = '{CANARY}'")
    verdict = audit()
    assert CANARY not in repr(verdict)
    assert CANARY not in (company.build_dir / "report" / "index.html").read_text()
    with connect(company.build_audit, company, read_only=True) as connection:
        tables = [name for (name,) in connection.execute("select table_name from duckdb_tables()").fetchall()]
        assert set(tables) == {"findings", "metrics", "rule_failures", "rule_results", "scorecard", "verdict"}
        for table in tables:
            assert CANARY not in str(connection.execute(f"from audit.audit.{table}").fetchall())


def test_a_critical_rule_that_was_not_run_refuses_and_an_information_does_not_even_warn(
    company: Settings, configuration: Configuration, catalogue: Catalogue
) -> None:
    [met] = run_rules(company, configuration, BUILD, [catalogue.rule("cus_001")])

    def judged(severity: Severity, status: Status) -> VerdictStatus:
        return judge([replace(met, severity=severity, status=status)])

    assert judged(Severity.CRITICAL, Status.NOT_RUN) is VerdictStatus.REFUSED
    assert judged(Severity.CRITICAL, Status.NOT_APPLICABLE) is VerdictStatus.PASSED
    assert judged(Severity.WARNING, Status.NOT_RUN) is VerdictStatus.PASSED_WITH_WARNINGS
    assert judged(Severity.INFO, Status.WARNED) is VerdictStatus.PASSED
    assert judge([]) is VerdictStatus.REFUSED


SPLIT = "update identity.id_changes set change = 'split'"


def test_a_rule_is_approved_for_one_run_with_its_reason_kept_and_shown(
    company: Settings, configuration: Configuration, audit: Any
) -> None:
    run_audit(company, configuration, BUILD, keep_warm=True)
    change(company, SPLIT)
    assert run_audit(company, configuration, BUILD, keep_warm=True).status is VerdictStatus.REFUSED
    approval = {"approved_rule": "IDE-010", "approval_reason": "The new model was agreed on."}
    verdict = run_audit(company, configuration, BUILD, keep_warm=True, **approval)
    assert verdict.status is VerdictStatus.PASSED_WITH_WARNINGS
    assert verify_verdict(company, configuration, BUILD) == []
    [result] = [r for r in verdict.results if r.rule_id == "ide_010"]
    assert (result.status, result.approved_because) == (Status.FAILED, "The new model was agreed on.")
    [kept] = (company.state_dir / "approvals.jsonl").read_text().splitlines()
    assert json.loads(kept)["rule"] == "IDE-010"
    page = (company.build_dir / "report" / "index.html").read_text(encoding="utf-8")
    assert "<b>IDE-010</b> (identity.id_changes): The new model was agreed on." in page
    assert summarize(verdict)["approvals"] == [
        {
            "rule": "IDE-010",
            "object": "identity.id_changes",
            "failed": 2,
            "of": 2,
            "reason": "The new model was agreed on.",
        }
    ]
    change(
        company, "update audit.audit.rule_results set approved_because = 'x' where rule_id = 'ide_010'", audit_file=True
    )
    assert verify_verdict(company, configuration, BUILD) == [
        "The audit record was changed after the audit wrote it. Run the audit again."
    ]
    assert audit("changes").status is VerdictStatus.REFUSED  # it was for one run


def test_an_approval_forgives_no_other_rule_and_no_check_that_broke(catalogue: Catalogue, passed: Verdict) -> None:
    approval = read_approval("ide_010", "Agreed.", catalogue.rules)
    broken = [
        replace(r, status=Status.NOT_RUN if r.rule_id == "ide_010" else Status.FAILED)
        for r in passed.results
        if r.rule_id in ("ide_010", "ide_001")
    ]
    assert all(r.refuses for r in approve(broken, approval))


@pytest.mark.parametrize(
    ("rule", "reason", "sentence"),
    [
        ("pri_001", "Agreed.", "can be approved by nobody; one that may be approved for one run: IDE-006"),
        ("ide_999", "Agreed.", "there is no such rule"),
        ("ide_010", " ", "say why"),
        ("ide_010", "As somebody@mail.example asked.", "name nobody"),
        ("ide_010", "Agreed with +49 171 2345678.", "name nobody"),
        (None, "Agreed.", "there is no such rule"),
    ],
)
def test_what_cannot_be_approved_is_said_before_anything_runs(
    rule: str | None, reason: str, sentence: str, catalogue: Catalogue
) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        read_approval(rule, reason, catalogue.rules)
