"""Suites are checked when they are loaded: every problem at once, as sentences."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.audit import Catalogue, Rule, load_catalogue
from pipelines.configuration import Configuration
from pipelines.errors import ConfigurationError
from pipelines.settings import PROJECT_DIR

EMPTY_MANIFEST: dict[str, Any] = {"nodes": {}, "sources": {}}


def entry(**changes: Any) -> dict[str, Any]:
    """One valid rule; `meta` is merged, everything else replaced."""
    meta = {
        "id": "crm_001",
        "name": "contacts_have_names",
        "object": "crm.contacts",
        "dimension": "completeness",
        "description": "Every contact has a name.",
        "description_de": "Jeder Kontakt hat einen Namen.",
        "remedy": "Add it.",
        "remedy_de": "Ergänzen.",
        "reason": "None may lack.",
        "protects": "Letters.",
        "protects_de": "Briefe.",
    }
    rule = {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "last_name"}, "severity": "critical"}
    return {**rule, **changes, "meta": {**meta, **changes.get("meta", {})}}


def load(folder: Path, configuration: Configuration, *entries: dict[str, Any], **changes: Any) -> Catalogue:
    suite = {"name": "sources", "meta": {"description": "Sources.", "owner": "CRM team"}, "expectations": entries}
    (folder / "sources.yml").write_text(yaml.safe_dump({**suite, **changes}, allow_unicode=True))
    return load_catalogue(configuration, directory=folder, manifest=EMPTY_MANIFEST)


def sentences(folder: Path, configuration: Configuration, *entries: dict[str, Any], **changes: Any) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load(folder, configuration, *entries, **changes)
    return str(caught.value)


def only(catalogue: Catalogue) -> Rule:
    [rule] = catalogue.rules
    return rule


def test_a_rule_knows_its_owner_its_table_and_its_threshold(tmp_path: Path, configuration: Configuration) -> None:
    rule = only(load(tmp_path, configuration, entry(kwargs={"column": "last_name", "mostly": 0.95})))
    assert (rule.display_id, rule.owner, rule.asset_key) == ("CRM-001", "CRM team", ("raw", "crm_contacts"))
    assert rule.threshold == pytest.approx(0.05)


def test_an_entity_is_checked_for_every_source_that_delivers_it(tmp_path: Path, configuration: Configuration) -> None:
    crm = configuration.source("crm")
    second = crm.model_copy(update={"name": "crm_at"})
    file = configuration.sources_file.model_copy(update={"sources": [second, *configuration.sources]})
    rule = only(load(tmp_path, replace(configuration, sources_file=file), entry()))
    assert [checked.name for checked in rule.objects] == ["crm.contacts", "crm_at.contacts"]
    assert "source_system = 'crm_at'" in (rule.objects[1].query or "")


def test_a_rule_of_several_entities_is_checked_for_every_source_of_each(
    tmp_path: Path, configuration: Configuration
) -> None:
    several = entry(meta={"object": ["crm.contacts", "support.users"]})
    rule = only(load(tmp_path, configuration, several))
    assert [checked.name for checked in rule.objects] == ["crm.contacts", "support.users"]
    assert rule.asset_key == ("raw", "crm_contacts")
    broken = entry(meta={"object": ["crm.contacts", "support.tickets"]})
    assert "'last_name' is not a column of support.tickets" in sentences(tmp_path, configuration, broken)


def test_an_entity_that_nobody_delivers_keeps_its_rule_without_rows(
    tmp_path: Path, configuration: Configuration
) -> None:
    file = configuration.sources_file.model_copy(update={"sources": [configuration.source("shop")]})
    rule = only(load(tmp_path, replace(configuration, sources_file=file), entry()))
    assert [(checked.name, checked.query) for checked in rule.objects] == [("crm.contacts", None)]


@pytest.mark.parametrize(
    ("broken", "expected"),
    [
        ({"type": "expect_column_values_to_be_fine"}, "'expect_column_values_to_be_fine' is not an expectation"),
        ({"type": "expect_column_values_to_be_increasing"}, "does not work on DuckDB"),
        ({"kwargs": {}}, "needs the argument 'column'"),
        ({"kwargs": {"column": "last_name", "colour": 1}}, "has no argument 'colour'"),
        ({"kwargs": {"column": "last_name", "row_condition": "id > 3"}}, "write the condition into meta.rows"),
        ({"kwargs": {"column": "surname"}}, "'surname' is not a column of crm.contacts"),
        ({"kwargs": {"column": "last_name", "mostly": 95}}, "'mostly' is 95"),
        ({"severity": "fatal"}, "severity"),
        ({"meta": {"name": "a name with blanks"}}, "meta.name"),
        ({"meta": {"name": "a_name_that_is_longer_than_it_may_be"}}, "meta.name"),
        ({"meta": {"id": "4"}}, "meta.id"),
        ({"meta": {"remedy": ""}}, "meta.remedy"),
        ({"meta": {"dimension": "beauty"}}, "meta.dimension"),
        ({"meta": {"objct": "crm.contacts"}}, "'expectations[0].meta.objct' is not a known key"),
        ({"meta": {"object": "crm.contract"}}, "neither an entity"),
        ({"meta": {"tolerated_share": 0.1}}, "use the argument 'mostly'"),
        (
            {"type": "expect_column_values_to_match_regex", "kwargs": {"column": "email", "regex": "("}},
            "the regular expression '(' is not valid",
        ),
        (
            {
                "type": "unexpected_rows_expectation",
                "kwargs": {"unexpected_rows_query": "select 1 from raw.crm_contacts"},
            },
            "must select from {batch}",
        ),
        (
            {
                "type": "unexpected_rows_expectation",
                "kwargs": {"unexpected_rows_query": "from {batch} where 'x{2}' = ''"},
            },
            "double the braces",
        ),
        (
            {
                "type": "expect_column_pair_values_a_to_be_greater_than_b",
                "kwargs": {"column_A": "updated_at", "column_B": "created_at"},
            },
            "write ignore_row_if: either_value_is_missing",
        ),
        ({"meta": {"object": "marts.customers", "quarantine": True}}, "name an entity such as shop.orders"),
        ({"meta": {"object": "crm.permissions", "quarantine": True}}, "may forbid to contact somebody"),
        ({"type": "expect_column_max_to_be_between", "meta": {"quarantine": True}}, "a rule about each record"),
        (
            {
                "type": "unexpected_rows_expectation",
                "kwargs": {"unexpected_rows_query": "select email from {batch}"},
                "meta": {"quarantine": True},
            },
            "select record_key in the SQL",
        ),
        (
            {
                "type": "unexpected_rows_expectation",
                "kwargs": {
                    "unexpected_rows_query": "select record_key from {batch} join marts.customers using (email)"
                },
                "meta": {"quarantine": True},
            },
            "runs before 'marts' is made",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_mistake_is_reported_with_a_sentence(
    tmp_path: Path, configuration: Configuration, broken: dict[str, Any], expected: str
) -> None:
    assert expected in sentences(tmp_path, configuration, entry(**broken))


def test_all_problems_of_all_files_are_reported_at_once(tmp_path: Path, configuration: Configuration) -> None:
    (tmp_path / "audience.yml").write_text("name: ]")
    (tmp_path / "empty.yml").write_text("")
    text = sentences(
        tmp_path,
        configuration,
        entry(kwargs={}),
        entry(meta={"id": "crm_001", "name": "another"}),
        entry(meta={"id": "crm_002"}),
    )
    for expected in (
        "audience.yml, line 1: not valid YAML",
        "empty.yml",
        "needs the argument 'column'",
        "2 rules have the id 'crm_001'",
        "2 rules have the name 'contacts_have_names'",
    ):
        assert expected in text


def test_a_missing_key_is_named(tmp_path: Path, configuration: Configuration) -> None:
    rule = entry()
    del rule["meta"]["remedy_de"], rule["severity"]
    text = sentences(tmp_path, configuration, rule)
    assert "'expectations[0].meta.remedy_de' is missing" in text
    assert "'expectations[0].severity' is missing" in text


def test_a_suite_is_named_like_its_file(tmp_path: Path, configuration: Configuration) -> None:
    assert "name it 'sources'" in sentences(tmp_path, configuration, entry(), name="other")


def test_no_suite_at_all_is_a_problem(tmp_path: Path, configuration: Configuration) -> None:
    with pytest.raises(ConfigurationError, match="there is no suite"):
        load_catalogue(configuration, directory=tmp_path, manifest=EMPTY_MANIFEST)


def test_a_suite_that_does_not_exist_is_refused(catalogue: Catalogue) -> None:
    with pytest.raises(ConfigurationError, match="There is no suite 'nonsense'"):
        catalogue.select(["nonsense"])


def test_ids_and_check_names_of_all_rules_are_unique_and_fit(catalogue: Catalogue) -> None:
    ids, names = [r.id for r in catalogue.rules], [r.check_name for r in catalogue.rules]
    assert len(set(ids)) == len(ids)
    assert len(set(names)) == len(names)
    assert max(map(len, names)) <= 25


def test_data_tests_of_dbt_are_rules_with_the_severity_their_description_gives(catalogue: Catalogue) -> None:
    unique_contact = catalogue.rule("dbt_001")
    assert (unique_contact.suite, unique_contact.asset_key) == ("dbt", ("staging", "stg_crm__contacts"))
    assert (unique_contact.severity, catalogue.rule("dbt_050").severity) == ("warning", "critical")
    assert unique_contact.description_de != unique_contact.description


def test_a_data_test_without_an_id_is_named_after_itself_and_only_warns(
    tmp_path: Path, configuration: Configuration
) -> None:
    name = "not_null_a_model_with_quite_a_long_name_some_column"
    model = {
        "resource_type": "model",
        "schema": "marts",
        "name": "things",
        "alias": "things",
        "columns": {"some_column": {}},
        "config": {"meta": {}},
    }
    test = {
        "unique_id": f"test.kundenstamm.{name}.123",
        "resource_type": "test",
        "name": name,
        "column_name": "some_column",
        "test_metadata": {"name": "not_null"},
        "attached_node": "model.kundenstamm.things",
        "depends_on": {"nodes": ["model.kundenstamm.things"], "macros": []},
        "original_file_path": "models/things.yml",
        "config": {"enabled": True, "meta": {}},
    }
    (tmp_path / "sources.yml").write_text(
        yaml.safe_dump(
            {"name": "sources", "meta": {"description": "S.", "owner": "CRM team"}, "expectations": [entry()]}
        )
    )
    manifest = {"nodes": {"model.kundenstamm.things": model, "test": test}, "sources": {}}
    rule = load_catalogue(configuration, directory=tmp_path, manifest=manifest).rule(f"dbt_{name}")
    assert (rule.severity, rule.asset_key) == ("warning", ("marts", "things"))
    assert len(rule.check_name) <= 25
    test["config"]["meta"] = {"severity": "fatal", "rule_id": "12", "name": "no blanks allowed"}
    with pytest.raises(ConfigurationError) as caught:
        load_catalogue(configuration, directory=tmp_path, manifest=manifest)
    assert len(caught.value.sentences) == 3


def test_listing_the_rules_imports_no_heavy_library() -> None:
    code = (
        "import sys, pipelines.audit; from pipelines.settings import Settings;"
        "from pipelines.configuration import load_configuration;"
        "pipelines.audit.load_catalogue(load_configuration(Settings.from_environment()), "
        "manifest={'nodes': {}, 'sources': {}});"
        "print(sorted({'great_expectations', 'pandas', 'duckdb', 'dbt', 'dagster'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=PROJECT_DIR, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"
