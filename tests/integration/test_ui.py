"""What a person does in the Dagster UI, through its GraphQL API."""

from __future__ import annotations

import pytest

from tests.integration.company import Company, said
from tests.integration.ui import serving, until

pytestmark = pytest.mark.slow


def _open_build(company: Company) -> str:
    try:
        return (company.data / "build" / "build.json").read_text()
    except OSError:
        return ""


def _cut_power_in_extract(company: Company) -> str:
    """Start a run in the UI and kill it with the daemon and everything else, as a reboot does. Returns its id."""
    with serving(company) as (ui, cut_power):
        run_id = ui.launch("nightly")
        until(lambda: _open_build(company), lambda build: run_id in build)
        cut_power()
    return run_id


def _run_without_a_file(company: Company) -> None:
    file = company.sample / "support" / "tickets.jsonl"
    kept = file.read_bytes()
    file.unlink()
    failed = company.run()
    assert failed.returncode == 1, said(failed)
    assert "tickets.jsonl" in said(failed)
    assert "Traceback" not in said(failed)
    file.write_bytes(kept)


def test_after_a_power_cut_runs_of_the_command_line_are_re_executed_in_the_ui_and_an_asset_alone(
    published: Company,
) -> None:
    members = "select record_key, customer_id from marts.customer_source_records order by all"
    version, before = published.version, published.query(members)
    dead = _cut_power_in_extract(published)
    with serving(published) as (ui, _):
        assert ui.status(dead) == "STARTED"
        _run_without_a_file(published)
        assert ui.status(dead) == "FAILURE"
        assert published.version == version

        runs = ui.ask("{ runsOrError(limit: 1) { ... on Runs { results { id status } } } }")
        [failed] = runs["runsOrError"]["results"]
        assert failed["id"] != dead
        assert failed["status"] == "FAILURE"
        again = ui.rerun_from_failure(failed["id"])
        assert ui.wait(again) == "SUCCESS", ui.failures(again)
        assert published.version != version
        assert published.query(members) == before

        alone = ui.launch("nightly", assets=[["marts", "customers"]])
        assert ui.wait(alone) == "SUCCESS", ui.failures(alone)

        early = ui.launch("publish_only")
        assert ui.wait(early) == "FAILURE"
        assert "was changed since" in ui.failures(early)

        stale = ui.rerun_from_failure(early)
        assert ui.wait(stale) == "FAILURE"
