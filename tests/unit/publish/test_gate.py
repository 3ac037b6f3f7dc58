"""The gate: nothing is published that the audit refuses, that is stale, or that was changed since."""

from __future__ import annotations

import copy
import functools
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines import warehouse
from pipelines.audit import Severity, load_catalogue
from pipelines.audit.rules import Rule
from pipelines.audit.store import write_verdict
from pipelines.build import Build, current_build, record_step
from pipelines.configuration import Configuration, load_configuration
from pipelines.errors import RefusedError
from pipelines.publish import PublishReport, list_versions, publish_version, read_status, roll_back
from pipelines.settings import EXPECTATIONS_DIR, Settings
from pipelines.transform import load_manifest
from tests.unit.publish.builds import NOW, judge_build, make_build, publish_new

DEPENDENCIES = {"meta.columns": {"marts.customers"}, "marts.customers": set[str]()}


def audit(settings: Settings, configuration: Configuration, *, failing: str = "") -> None:
    """Record a verdict in which every critical rule of the catalogue has its result."""
    rules = list_critical_rules(settings.config_dir)
    every = [(rule.id, checked.name) for rule in rules for checked in rule.objects]
    digests = {rule.id: rule.digest for rule in rules}
    build = current_build(settings)
    write_verdict(
        settings, judge_build(settings, configuration, build, every, failing={failing} - {""}, digests=digests)
    )


@functools.cache
def list_critical_rules(config_dir: Path) -> list[Rule]:
    """Every critical rule; the same in every test."""
    configuration = load_configuration(Settings.from_environment({"KUNDENSTAMM_CONFIG_DIR": str(config_dir)}))
    return [rule for rule in load_catalogue(configuration).select() if rule.severity is Severity.CRITICAL]


def run_steps(settings: Settings, *steps: str) -> None:
    for place, step in enumerate(steps):
        at = NOW + timedelta(minutes=place)
        record_step(settings, step=step, run_id="run-2", started_at=at, finished_at=at + timedelta(seconds=1), rows=1)


def publish_open_build(settings: Settings, configuration: Configuration) -> PublishReport:
    return publish_version(
        settings,
        configuration,
        current_build(settings),
        dependencies=DEPENDENCIES,
        now=NOW + timedelta(days=3),
        run_id="run-2",
    )


@pytest.fixture
def build(settings: Settings, configuration: Configuration, ready: Build) -> Build:
    """An audited, fresh build beside a published version."""
    run_steps(settings, "marts.customers", "meta.columns")
    audit(settings, configuration)
    return ready


def test_an_audited_build_is_published_once(settings: Settings, configuration: Configuration, build: Build) -> None:
    report = publish_open_build(settings, configuration)
    assert report.version == build.version == list_versions(settings)[0].version
    assert not report.already_published
    assert report.sentence.startswith(f"Version {build.version} is published: 10 tables with ")
    inode = settings.current.resolve().stat().st_ino

    again = publish_open_build(settings, configuration)
    assert again.already_published
    assert "nothing was done" in again.sentence
    assert settings.current.resolve().stat().st_ino == inode
    assert len(list_versions(settings)) == 2


def fail_a_rule(settings: Settings, configuration: Configuration) -> None:
    audit(settings, configuration, failing="aud_001")


def change_the_build(settings: Settings, _: Configuration) -> None:
    with warehouse.connect(settings.build_warehouse, settings) as connection:
        connection.execute("update marts.customers set country = 'AT'")


def lose_the_verdict(settings: Settings, _: Configuration) -> None:
    settings.build_audit.unlink()


def leave_out_a_rule(settings: Settings, configuration: Configuration) -> None:
    one = [("crm_001", "crm.contacts")]
    write_verdict(settings, judge_build(settings, configuration, current_build(settings), one))


def change_rule(directory: Path, change: Callable[[Any], object]) -> None:
    """Change REV-002 in a copy of the suites."""
    shutil.copytree(EXPECTATIONS_DIR, directory)
    file = directory / "revenue.yml"
    suite = yaml.safe_load(file.read_text(encoding="utf-8"))
    change(next(e for e in suite["expectations"] if e["meta"]["id"] == "rev_002"))
    file.write_text(yaml.safe_dump(suite, allow_unicode=True), encoding="utf-8")


def run_an_earlier_step_again(settings: Settings, _: Configuration) -> None:
    run_steps(settings, "x", "x", "marts.customers")


def start_a_step_that_never_ends(settings: Settings, _: Configuration) -> None:
    record_step(settings, step="marts.customers", run_id="run-3", started_at=NOW, finished_at=None, rows=None)


def roll_back_meanwhile(settings: Settings, configuration: Configuration) -> None:
    first = list_versions(settings)[0].version
    publish_new(settings, configuration, run="run-4", day=2)
    make_build(settings, configuration, run="run-5", day=2)
    run_steps(settings, "marts.customers", "meta.columns")
    audit(settings, configuration)
    roll_back(settings, first, reason="wrong prices", now=NOW + timedelta(days=3))


@pytest.mark.parametrize(
    "change",
    [
        lambda rule: rule["kwargs"].update(unexpected_rows_query="select record_key from {batch} where false"),
        lambda rule: rule["meta"].update(rows="items_amount > 0"),
        lambda rule: rule["meta"].update(tolerated_share=0.02),
        lambda rule: rule["meta"].update(object="shop.returns"),
    ],
    ids=["what it asks", "which rows", "how much is tolerated", "which object"],
)
@pytest.mark.usefixtures("build")
def test_a_verdict_made_under_another_rule_is_stale(
    settings: Settings,
    configuration: Configuration,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Any], object],
) -> None:
    change_rule(tmp_path / "suites", change)
    changed = functools.partial(load_catalogue, directory=tmp_path / "suites")
    monkeypatch.setattr("pipelines.audit.gate.load_catalogue", changed)
    with pytest.raises(RefusedError, match="REV-002 is critical but has no result of the rule as it is now"):
        publish_open_build(settings, configuration)


def test_a_data_test_whose_macro_was_changed_is_another_rule(configuration: Configuration) -> None:
    manifest = copy.deepcopy(load_manifest())

    def digests() -> dict[str, str]:
        return {rule.id: rule.digest for rule in load_catalogue(configuration, manifest=manifest).rules}

    before = digests()
    macro = next(m for m in manifest["macros"].values() if m["name"] == "test_key_is_unique")
    macro["macro_sql"] += " and false"
    changed = {rule for rule, digest in digests().items() if digest != before[rule]}
    assert "dbt_050" in changed  # customers are unique
    assert all(rule.startswith("dbt_") for rule in changed)


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (fail_a_rule, r"AUD-001 .* 3 of 10 fail.* Owner: crm team\. Correct them in the CRM\."),
        (change_the_build, "warehouse file was changed after the audit"),
        (lose_the_verdict, "was not audited"),
        (leave_out_a_rule, "is critical but has no result"),
        (run_an_earlier_step_again, r"Step meta\.columns is older than marts\.customers"),
        (start_a_step_that_never_ends, r"Step marts\.customers was started by run run-3 and did not finish"),
        (roll_back_meanwhile, "start the job `nightly` anew"),
    ],
    ids=lambda value: value.__name__.replace("_", " ") if callable(value) else "",
)
@pytest.mark.usefixtures("build")
def test_what_the_gate_refuses_changes_nothing(
    settings: Settings,
    configuration: Configuration,
    spoil: Callable[[Settings, Configuration], None],
    expected: str,
) -> None:
    spoil(settings, configuration)
    before = list_versions(settings)

    with pytest.raises(RefusedError, match=expected):
        publish_open_build(settings, configuration)

    assert list_versions(settings) == before
    status = read_status(settings)
    assert status.last_failure is not None
    assert status.last_failure.outcome == "refused"
    assert not status.is_open_build_published
