"""`kundenstamm sources check`: what works is said with numbers, what does not with the remedy."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.cli.shared import FAILED
from pipelines.extract import check_sources
from tests.unit.extract.conftest import Source
from tests.unit.extract.connectors.vendors import TOKEN, ZENDESK


def test_files_are_read_as_a_night_would(source: Source) -> None:
    source.mapping = {"columns": {"source_record_id": "id", "birth_date": "born"}}
    source.write(["id,born,shoe", "1,1980-01-02,40", "2,never,41"])
    found = list(check_sources(source.settings, source.configuration()))
    assert [f.sentence for f in found] == ["contacts: 2 records, 1 would be rejected; nobody mapped shoe"]
    assert not source.settings.landing_file("crm").exists()


def test_a_missing_file_and_a_wrong_mapping_are_problems(source: Source) -> None:
    found = list(check_sources(source.settings, source.configuration()))
    assert [f.is_problem for f in found] == [True]
    assert "there is no file contacts.csv" in found[0].sentence
    source.write(["nr,name", "1,Jo"])
    assert "lacks the column 'id'" in next(check_sources(source.settings, source.configuration())).sentence


def test_a_source_that_is_switched_off_is_not_asked(source: Source) -> None:
    found = list(check_sources(source.settings, source.configuration(enabled=False)))
    assert [(f.is_problem, f.sentence) for f in found] == [(False, "switched off; it is not asked")]


def test_a_vendor_says_who_we_are_and_an_expired_token_is_a_sentence(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ZENDESK.running() as (_, server):
        entry = ZENDESK.entry(server.url)
        configuration = source.configuration(**entry, path=".")
        monkeypatch.setenv("VENDOR_TOKEN", TOKEN)
        found = [f.sentence for f in check_sources(source.settings, configuration)]
        assert found[0] == "signed in as admin"
        assert found[-1] == "companies: 0 of the last day can be read"
        monkeypatch.setenv("VENDOR_TOKEN", "old-token")
        (refused,) = check_sources(source.settings, configuration)
    assert refused.is_problem
    assert "was refused (401); it is wrong or has expired" in refused.sentence
    assert "old-token" not in refused.sentence


def test_the_command_ends_with_one_when_something_does_not_work(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.configuration.load_configuration", lambda _: source.configuration())
    monkeypatch.setattr("pipelines.cli.sources.read_settings", lambda *_: source.settings)
    result = CliRunner().invoke(app, ["sources", "check"])
    assert result.exit_code == FAILED
    source.write(["id", "1"])
    result = CliRunner().invoke(app, ["sources", "check", "crm"])
    assert result.exit_code == 0
    result = CliRunner().invoke(app, ["sources", "check", "shop"])
    assert "There is no source shop" in str(result.exception)
