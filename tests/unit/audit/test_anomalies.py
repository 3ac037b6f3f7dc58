"""What leaves its usual band is a warning with a row of its own; without enough versions it is not judged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipelines.audit import Catalogue, RuleResult, Status, Verdict, VerdictStatus, run_audit, run_rules
from pipelines.audit.bands import KNOWN_AFTER
from pipelines.audit.metrics import FAMILIES, HISTORY, day_of, keep_metrics, read_rows, state_file
from pipelines.audit.store import load_sealed_verdict
from pipelines.configuration import Configuration, load_configuration
from pipelines.settings import Settings
from pipelines.transform import load_manifest
from pipelines.warehouse import connect, insert_rows
from tests.unit.audit.conftest import copy_company, settings_in
from tests.unit.audit.small_company import CANARY
from tests.unit.unify.world import AS_OF, BUILD

NIGHTS = 60
FOLLOWING = replace(BUILD, base_version="before")
# By rule: what breaks it in a company with a past, the object, and what the result names.
DEFECTS = {
    "ano_001": (
        "update raw.reconciliation set landed_count = 20 where source_system = 'crm' and entity = 'contacts'",
        "crm.contacts",
        "records 20",
    ),
    "ano_002": (
        "update meta.source_profile set filled_share = 0.5 where entity = 'contacts' and column_name = 'email'",
        "crm.contacts",
        "email 0.5",
    ),
    "ano_003": (
        "update raw.crm_contacts set birth_date = '1800-01-01' where source_record_id = '1'",
        "audit.rule_results",
        "crm_005 crm.contacts 0.5",
    ),
    "ano_004": (
        "update marts.orders set ordered_date = (select as_of::date - 1 from config.build)",
        "marts.orders",
        "orders shop EUR 3",
    ),
    "ano_005": ("update identity.diff set customers_now = 90", "identity.diff", "customers 90"),
    "ano_006": (
        """insert into raw.crm_contacts
        select c.* replace ('r_' || n as record_key, if(n < 5, null, last_name) as last_name)
        from raw.crm_contacts as c, range(200) as numbers (n) where source_record_id = '2'""",
        "audit.rule_results",
        "crm_001 crm.contacts 5, usually 0 to 2.1",
    ),
}
FOLLOWED = ["anomalies", "persons", "identity"]
# The last one adds records, which changes shares that the others are about.
PLANTED_TOGETHER = (tuple(DEFECTS)[:-1], tuple(DEFECTS)[-1:])


def change(settings: Settings, *statements: str) -> None:
    with connect(settings.build_warehouse, settings) as connection:
        for statement in statements:
            connection.execute(statement)


def read(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    with connect(settings.build_audit, settings, read_only=True) as connection:
        return connection.execute(query).fetchall()


def remember(settings: Settings, rows: Sequence[tuple[Any, ...]]) -> None:
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    with connect(state_file(settings), settings) as connection:
        connection.execute(f"create table metrics ({HISTORY})")
        insert_rows(connection, "metrics", rows)


Figures = dict[str, list[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def usual_figures(small_company: Path, tmp_path_factory: pytest.TempPathFactory) -> Figures:
    """The figures and results of the small company."""
    company = copy_company(small_company, settings_in(tmp_path_factory.mktemp("usual")))
    run_audit(company, load_configuration(company), BUILD, suites=FOLLOWED, keep_warm=True)
    results = "select rule_id, object, rule_digest, failed_count from audit.audit.rule_results"
    return {"rows": read(company, "from audit.audit.metrics"), "results": read(company, results)}


@pytest.fixture
def company_with_past(company: Settings, configuration: Configuration, usual_figures: Figures) -> Settings:
    """The small company after sixty nights that were like this one, but with an order a day."""
    return give_past(company, configuration, usual_figures)


def give_past(company: Settings, configuration: Configuration, usual: Figures) -> Settings:
    day = day_of(AS_OF, configuration.company.zone)
    remember(
        company,
        [
            (f"v{back:03}", day - timedelta(days=back), *row[2:6], 1.0 if row[2] == "revenue" else row[6], *row[7:])
            for back in range(NIGHTS, 0, -1)
            for row in usual["rows"]
        ],
    )
    publish_results(company, usual["results"])
    return company


@pytest.fixture(scope="module")
def audited(
    small_company: Path, tmp_path_factory: pytest.TempPathFactory, usual_figures: Figures
) -> Callable[[str], tuple[Settings, Verdict]]:
    """A company with a past in which this and others of `DEFECTS` are planted, and its audit."""
    done: dict[str, tuple[Settings, Verdict]] = {}

    def audit(rule_id: str) -> tuple[Settings, Verdict]:
        if rule_id not in done:
            [group] = [group for group in PLANTED_TOGETHER if rule_id in group]
            company = copy_company(small_company, settings_in(tmp_path_factory.mktemp("unusual")))
            configuration = load_configuration(company)
            give_past(company, configuration, usual_figures)
            change(company, *(DEFECTS[planted][0] for planted in group))
            verdict = run_audit(company, configuration, FOLLOWING, suites=FOLLOWED, keep_warm=True)
            done.update(dict.fromkeys(group, (company, verdict)))
        return done[rule_id]

    return audit


def publish_results(settings: Settings, rows: Sequence[tuple[Any, ...]]) -> None:
    """As if the version before had these results."""
    folder = settings.versions_dir / str(FOLLOWING.base_version)
    folder.mkdir(parents=True)
    with connect(folder / "warehouse.duckdb", settings) as connection:
        connection.execute("create schema audit")
        connection.execute(
            "create table audit.rule_results (rule_id text, object text, rule_digest text, failed_count bigint)"
        )
        insert_rows(connection, "audit.rule_results", rows)


def of_rule(results: Sequence[RuleResult], rule_id: str) -> dict[str, RuleResult]:
    return {r.object: r for r in results if r.rule_id == rule_id}


def test_without_earlier_versions_nothing_is_judged_and_that_is_said(
    company: Settings, configuration: Configuration, catalogue: Catalogue
) -> None:
    verdict = run_audit(company, configuration, BUILD, suites=["anomalies"], keep_warm=True)
    expected = [(rule.id, o.name) for rule in catalogue.rules if rule.metrics for o in rule.objects]
    assert [(r.rule_id, r.object) for r in verdict.results] == sorted(expected)
    assert {r.status for r in verdict.results} == {Status.NOT_APPLICABLE}
    assert {r.note for r in verdict.results} == {
        f"0 of {KNOWN_AFTER} versions of this weekday",
        "no published version with the same rules",
    }
    assert verdict.status is VerdictStatus.PASSED


def test_every_family_of_figures_has_a_rule_with_a_defect(catalogue: Catalogue) -> None:
    rules = {rule.id: rule.metrics for rule in catalogue.rules if rule.metrics}
    assert set(rules.values()) == FAMILIES.keys()
    assert rules.keys() == DEFECTS.keys()


@pytest.mark.parametrize("rule_id", DEFECTS)
def test_what_leaves_its_band_is_told_once_and_by_its_own_rule(
    rule_id: str, audited: Callable[[str], tuple[Settings, Verdict]]
) -> None:
    _, name, said = DEFECTS[rule_id]
    company, verdict = audited(rule_id)
    found = of_rule(verdict.results, rule_id)[name]
    assert found.status is Status.WARNED
    assert said in (found.note or "")
    listed = read(
        company,
        f"select key_name, key from audit.audit.rule_failures where rule_id = '{rule_id}' and object = '{name}'",
    )
    assert {key_name for key_name, _ in listed} == {"metric"}
    assert len(listed) == found.failed_count > 0
    assert CANARY not in str(verdict)
    unusual = read(company, "select distinct object from audit.audit.metrics where is_unusual")
    assert (name,) in unusual


def test_a_check_that_runs_alone_finds_what_the_audit_found(
    audited: Callable[[str], tuple[Settings, Verdict]], configuration: Configuration, catalogue: Catalogue
) -> None:
    company, verdict = audited("ano_003")
    alone = run_rules(company, configuration, BUILD, [catalogue.rule("ano_003")])
    assert [(r.status, r.note) for r in alone] == [
        (r.status, r.note) for r in of_rule(verdict.results, "ano_003").values()
    ]


def test_the_history_is_sealed_with_the_figures_and_a_version_that_is_audited_again_is_in_it_once(
    company_with_past: Settings, configuration: Configuration
) -> None:
    with connect(state_file(company_with_past), company_with_past) as connection:
        connection.execute(f"insert into metrics select * replace ('{BUILD.version}' as version) from metrics")
        connection.execute("update metrics set day = day - interval 399 days where version in ('v001', 'v002')")
    run_audit(company_with_past, configuration, BUILD, suites=["identity"], keep_warm=True)
    versions = "select count(distinct version), min(version) from audit.audit.metrics"
    assert read(company_with_past, versions) == [(NIGHTS, BUILD.version)]  # v002 is more than 400 days old
    twice = "select 1 from audit.audit.metrics group by version, metric, object, part having count(*) > 1"
    assert read(company_with_past, twice) == []
    assert load_sealed_verdict(company_with_past)[1]


def test_figures_of_published_versions_outlive_them_and_are_kept_once(settings: Settings) -> None:
    def publish(version: str, day: date) -> None:
        folder = settings.versions_dir / version
        folder.mkdir(parents=True)
        rows = [*read_rows(settings, date(2020, 1, 1)), (version, day, "records", "crm.contacts", "", "stock", 7.0)]
        with connect(folder / "warehouse.duckdb", settings) as connection:
            connection.execute("create schema audit")
            connection.execute(f"create table audit.metrics ({HISTORY})")
            insert_rows(connection, "audit.metrics", [(*row, *[None] * (11 - len(row))) for row in rows])
        settings.current.unlink(missing_ok=True)
        settings.current.symlink_to(folder)

    for version, day in (("v1", date(2026, 1, 1)), ("v2", date(2026, 1, 2))):
        publish(version, day)
        keep_metrics(settings)
        keep_metrics(settings)
    assert [row[:2] for row in read_rows(settings, date(2020, 1, 1))] == [
        ("v1", date(2026, 1, 1)),
        ("v2", date(2026, 1, 2)),
    ]
    assert [row[0] for row in read_rows(settings, date(2026, 1, 2))] == ["v2"]
    assert state_file(settings).stat().st_mode & 0o077 == 0


def test_the_published_table_is_described_as_it_is_written(company: Settings, configuration: Configuration) -> None:
    run_audit(company, configuration, BUILD, suites=["anomalies"], keep_warm=True)
    described = load_manifest()["sources"]["source.kundenstamm.audit.metrics"]["columns"]
    assert [row[0] for row in read(company, "describe audit.audit.metrics")] == list(described)
