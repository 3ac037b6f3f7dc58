"""Failing rows are listed by their keys: exactly those that plain SQL finds, never a value, capped and counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import duckdb
import pytest

from pipelines.audit import Catalogue, Rule, run_audit
from pipelines.audit.expectation_types import SUPPORTED
from pipelines.audit.failing_rows import CONDITIONS, DUPLICATES, failing_rows, failing_rows_of
from pipelines.audit.naming import is_naming
from pipelines.configuration import Configuration
from pipelines.settings import Settings
from pipelines.transform import compile_data_tests, load_manifest
from pipelines.warehouse import connect
from tests.unit.audit.small_company import ANNA, CANARY
from tests.unit.audit.test_validation import CASES, ROWS, THINGS
from tests.unit.unify.world import BUILD

Rows = Sequence[tuple[Any, ...]]

# Rules about several rows together, or about what has no rows of its own; their failing rows name the group.
JUDGES_ROWS = CONDITIONS.keys() | DUPLICATES | {"unexpected_rows_expectation"}


def read(settings: Settings, query: str) -> Rows:
    with connect(settings.build_audit, settings, read_only=True) as connection:
        return connection.execute(query).fetchall()


def change(settings: Settings, *statements: str) -> None:
    with connect(settings.build_warehouse, settings) as connection:
        for statement in statements:
            connection.execute(statement)


@pytest.mark.parametrize("type_", sorted(SUPPORTED))
def test_the_rows_that_are_found_are_as_many_as_are_counted(type_: str, settings: Settings) -> None:
    kwargs, failing = CASES[type_]
    query = failing_rows(type_, kwargs, ROWS)
    assert (query is None) == (type_ not in JUDGES_ROWS)
    if query is None:
        return
    with connect(None, settings) as connection:
        connection.execute(THINGS)
        [(found,)] = connection.execute(f"select count(*) from ({query})").fetchall()
        [(expected,)] = connection.execute(f"select {failing} from raw.things").fetchall()
    assert found == expected


def test_every_rule_names_the_rows_that_fail(company: Settings, catalogue: Catalogue) -> None:
    tests = compile_data_tests()

    def query(rule: Rule) -> str | None:
        if rule.dbt_test:
            return tests[rule.dbt_test]
        return failing_rows_of(rule, rule.objects[0])

    unnamed, unknown = [], []
    with connect(company.build_warehouse, company, read_only=True) as connection:
        for rule in catalogue.rules:
            if found := query(rule):
                try:
                    columns = [row[0] for row in connection.execute(f"describe {found}").fetchall()]
                except (duckdb.CatalogException, duckdb.BinderException):  # what the small company does not have
                    unknown.append(rule.id)
                    continue
                grain = catalogue.grains.get(".".join(rule.asset_key), ())
                # A test of one column shows its value; the row is found by it.
                if not any(map(is_naming, columns)) and not (grain and len(columns) == 1):
                    unnamed.append(rule.id)
    assert unnamed == []
    assert [rule_id for rule_id in unknown if not rule_id.startswith("dbt_")] == []


def test_failing_records_are_listed_by_key_with_their_customer(company: Settings, configuration: Configuration) -> None:
    change(
        company,
        "update raw.crm_contacts set birth_date = '1800-01-01' where source_record_id = '1'",
        "update raw.shop_orders set ordered_at = '2030-01-01' where source_record_id = '2'",
        "insert into marts.customers from marts.customers where customer_id = 'c_aaaaaaaaaaaaaaaa'",
        "update raw.reconciliation set is_enabled = false where source_system = 'crm' and entity = 'contacts'",
        "update marts.customers set kind = 'Zsigmondy' where customer_id = 'c_bbbbbbbbbbbbbbbb'",
    )
    run_audit(company, configuration, BUILD, suites=["persons", "shop", "sources", "customers", "dbt"], keep_warm=True)
    with connect(company.build_warehouse, company, read_only=True) as connection:
        [(contact,)] = connection.execute(
            "select record_key from raw.crm_contacts where source_record_id = '1'"
        ).fetchall()
        [(order,)] = connection.execute(
            "select record_key from raw.shop_orders where source_record_id = '2'"
        ).fetchall()
    found = read(company, "select rule_id, object, key_name, key, customer_id from audit.audit.rule_failures")
    fields = dict(read(company, "select distinct rule_id, fields from audit.audit.rule_failures"))
    assert fields["crm_005"] == "birth_date, created_at"
    assert fields["sho_003"] == "ordered_at"
    assert fields["dbt_051"] == "kind"
    assert ("crm_005", "crm.contacts", "record_key", contact, ANNA) in found
    assert ("sho_003", "shop.orders", "record_key", order, ANNA) in found
    assert ("cus_001", "identity.members", "customer_id", ANNA, ANNA) in found
    assert ("src_004", "raw.reconciliation", "source_system", "crm", None) in found
    by_value = [(key_name, key) for rule_id, _, key_name, key, _ in found if rule_id == "dbt_051"]
    assert by_value == [("customer_id", "c_bbbbbbbbbbbbbbbb")]
    assert CANARY not in str(found)


def test_at_most_so_many_rows_are_listed_and_always_the_same_ones_and_all_are_counted(
    company: Settings, configuration: Configuration
) -> None:
    change(company, "update raw.crm_contacts set birth_date = '1800-01-01'")
    few = replace(company, kept_failures=1)
    listed = []
    for _ in range(2):
        verdict = run_audit(few, configuration, BUILD, suites=["persons"], keep_warm=True)
        listed.append(read(few, "select key from audit.audit.rule_failures where rule_id = 'crm_005'"))
    with connect(company.build_warehouse, company, read_only=True) as connection:
        first = connection.execute("select min(record_key) from raw.crm_contacts").fetchall()
    assert listed == [first, first]
    assert next(r for r in verdict.results if r.rule_id == "crm_005").failed_count == 2


def test_the_published_table_is_described_as_it_is_written(company: Settings, configuration: Configuration) -> None:
    run_audit(company, configuration, BUILD, suites=["audience"], keep_warm=True)
    described = load_manifest()["sources"]["source.kundenstamm.audit.rule_failures"]["columns"]
    assert [row[0] for row in read(company, "describe audit.audit.rule_failures")] == list(described)
