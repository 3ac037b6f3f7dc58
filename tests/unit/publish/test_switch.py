"""Which version is current: switching, pruning, rolling back, and ids that outlive all of it."""

from __future__ import annotations

import dataclasses
import io
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from pipelines import warehouse
from pipelines.build import Build, record_step
from pipelines.cli import app
from pipelines.configuration import Configuration
from pipelines.errors import BuildError, RefusedError, WarehouseError
from pipelines.publish import (
    list_versions,
    open_reader,
    read_status,
    reader_command,
    record_outcome,
    roll_back,
    sync_state,
    write_rows,
)
from pipelines.publish.history import read_outcomes
from pipelines.settings import PROJECT_DIR, Settings
from tests.unit.publish.builds import NOW, publish, publish_new

LATER = NOW + timedelta(days=9)


def history(settings: Settings) -> list[tuple[str, str]]:
    with warehouse.connect(settings.state_dir / "identity.duckdb", settings, read_only=True) as connection:
        return connection.execute(
            "select customer_id, status_version from customer_id_history order by customer_id"
        ).fetchall()


def test_current_is_a_relative_link_so_that_the_folder_can_be_moved(settings: Settings, published: str) -> None:
    assert settings.current.readlink() == Path("versions") / published


def test_an_open_session_stays_on_its_version(settings: Settings, configuration: Configuration, ready: Build) -> None:
    with open_reader(settings) as old:
        publish(settings, configuration, ready)
        with open_reader(settings) as new:
            counts = [c.execute("select count(*) from marts.customers").fetchone() for c in (old, new)]
    assert counts == [(3,), (5,)]


@pytest.mark.usefixtures("published")
def test_a_reader_cannot_write(settings: Settings) -> None:
    with open_reader(settings) as connection, pytest.raises(duckdb.Error, match="read-only"):
        connection.execute("delete from marts.customers")


@pytest.mark.usefixtures("published")
def test_a_session_takes_queries_of_several_lines_and_goes_on_after_a_wrong_one(settings: Settings) -> None:
    typed = "select nothing\nfrom nowhere;\n\nselect count(*)\n  as customers\nfrom marts.customers;\nselect 'last'"
    session = CliRunner().invoke(app, ["sql", "--data", str(settings.data_dir)], input=typed)
    assert session.exit_code == 0
    assert "nowhere does not exist" in session.stdout
    assert re.search(r"customers .* 3 .* last", " ".join(session.stdout.split()))


@pytest.mark.usefixtures("published")
def test_as_csv_every_row_and_column_is_written(settings: Settings) -> None:
    query = "select range as n, range % 2 = 0 as even, 'a, b' as text, null as nothing from range(500); "
    asked = CliRunner().invoke(app, ["sql", query, "--csv", "--data", str(settings.data_dir)])
    assert asked.exit_code == 0
    header, first, *_, last = asked.stdout.splitlines()
    assert (header, first, last) == ("n,even,text,nothing", '0,true,"a, b",', '499,false,"a, b",')
    assert len(asked.stdout.splitlines()) == 501


@pytest.mark.parametrize("query", ["selct 1", "select * from nowhere", "delete from marts.customers"])
@pytest.mark.usefixtures("published")
def test_as_csv_a_wrong_query_is_told_and_writes_nothing(settings: Settings, query: str) -> None:
    file = io.StringIO()
    with pytest.raises(WarehouseError, match=r"(?s)not carried out: .*Error"):
        write_rows(settings, query, file, restricted=False)
    assert not file.getvalue()


@pytest.mark.usefixtures("published")
def test_identifiers_need_the_restricted_file(settings: Settings) -> None:
    with open_reader(settings, restricted=True) as connection:
        assert connection.execute("select count(*) from marts.customer_profiles").fetchone() == (3,)


def test_reading_before_anything_is_published_says_so(settings: Settings) -> None:
    with pytest.raises(BuildError, match="Nothing is published"), open_reader(settings):
        pass


def test_the_command_for_readers_names_a_data_folder_that_is_not_the_usual_one(settings: Settings) -> None:
    usual = dataclasses.replace(settings, data_dir=PROJECT_DIR / ".data")
    assert reader_command(usual).startswith(".venv/bin/kundenstamm sql ")
    assert f'--data "{settings.data_dir}"' in reader_command(settings)


def test_old_versions_are_pruned_but_never_the_current_one(
    settings: Settings, configuration: Configuration, ready: Build
) -> None:
    keeping_two = dataclasses.replace(settings, keep_versions=2)
    publish(keeping_two, configuration, ready)
    names = [ready.base_version, ready.version, publish_new(keeping_two, configuration, run="run-2", day=2)]
    assert [v.version for v in list_versions(settings)] == [names[2], names[1]]

    roll_back(settings, ready.version, reason="wrong prices", now=LATER)
    publish_new(keeping_two, configuration, run="run-3", day=3)
    assert len(list_versions(settings)) == 2
    assert [v.is_current for v in list_versions(settings)] == [True, False]


def test_the_list_of_versions_is_whole_in_a_narrow_terminal(
    settings: Settings, published: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    [version] = list_versions(settings)
    listed = CliRunner().invoke(app, ["versions", "--data", str(settings.data_dir)])
    assert listed.exit_code == 0
    [line] = listed.stdout.splitlines()
    assert line.startswith(f"{published}  published {version.published_at:%Y-%m-%d %H:%M} UTC  as of ")
    assert line.endswith(f"{version.customer_count:,} customers  current")


def test_the_list_of_versions_of_an_empty_folder_says_so(settings: Settings) -> None:
    listed = CliRunner().invoke(app, ["versions", "--data", str(settings.data_dir)])
    assert listed.stdout == f"Nothing is published in {settings.data_dir} yet.\n"


def test_a_rollback_makes_a_kept_version_current_and_withdraws_every_audience(
    settings: Settings, configuration: Configuration, published: str, ready: Build
) -> None:
    publish(settings, configuration, ready)
    assert (settings.current / "audiences").is_dir()

    roll_back(settings, published, reason="wrong prices", now=LATER)

    assert settings.current.readlink().name == published
    assert not any((settings.versions_dir / v / "audiences").exists() for v in (published, ready.version))
    assert (settings.versions_dir / published).stat().st_mode & 0o222 == 0
    assert [v.has_audiences for v in list_versions(settings)] == [False, False]
    assert "Rolled back to it at 2026-11-30 02:00 UTC: wrong prices" in "\n".join(read_status(settings).lines())

    publish_new(settings, configuration, run="run-3", day=2)
    assert (settings.current / "audiences").is_dir()
    assert read_status(settings).rolled_back is None


@pytest.mark.parametrize(
    ("version", "reason", "expected"),
    [
        pytest.param("20200101T000000Z-gone", "x", "no version '20200101T000000Z-gone'", id="not kept"),
        pytest.param("../../state", "x", "no version", id="not a version"),
        pytest.param("20261121T020000Z-run-1", "x", "is current already", id="current"),
        pytest.param("20261121T020000Z-run-1", " ", "needs a reason", id="no reason"),
    ],
)
@pytest.mark.usefixtures("published")
def test_a_rollback_that_makes_no_sense_is_refused(
    settings: Settings, version: str, reason: str, expected: str
) -> None:
    with pytest.raises(RefusedError, match=expected):
        roll_back(settings, version, reason=reason, now=LATER)
    assert (settings.current / "audiences").is_dir()


def test_ids_ever_issued_outlive_a_rollback(
    settings: Settings, configuration: Configuration, published: str, ready: Build
) -> None:
    assert history(settings) == [(f"c_{i}", published) for i in range(3)]
    publish(settings, configuration, ready)
    everything = [(f"c_{i}", ready.version) for i in range(5)]
    assert history(settings) == everything

    roll_back(settings, published, reason="wrong prices", now=LATER)
    sync_state(settings)
    sync_state(settings)
    assert history(settings) == everything


@pytest.mark.parametrize(
    "query",
    [
        "select record_key, customer_id, version from members order by all",
        "select record_key, account_id, version from account_records order by all",
    ],
    ids=["customer", "account"],
)
def test_the_last_id_of_every_record_outlives_its_version(
    settings: Settings, configuration: Configuration, published: str, ready: Build, query: str
) -> None:
    def members() -> list[tuple[str, str, str]]:
        with warehouse.connect(settings.state_dir / "identity.duckdb", settings, read_only=True) as connection:
            return connection.execute(query).fetchall()

    first = members()
    assert {version for _, _, version in first} == {published}
    publish(settings, configuration, ready)
    second = members()
    assert {version for _, _, version in second} == {ready.version}
    assert {record for record, _, _ in first} < {record for record, _, _ in second}

    publish_new(settings, configuration, run="run-3", day=2, customers=1)
    third = members()
    assert [(record, customer) for record, customer, _ in third] == [(r, c) for r, c, _ in second]
    assert {version for _, _, version in third} == {ready.version, settings.current.readlink().name}
    roll_back(settings, published, reason="wrong prices", now=LATER)
    assert members() == third


def test_the_model_learned_last_is_kept_with_its_frequencies(
    settings: Settings, configuration: Configuration, published: str
) -> None:
    def kept() -> tuple[list[tuple[str]], list[tuple[str]]]:
        with warehouse.connect(settings.state_dir / "identity.duckdb", settings, read_only=True) as connection:
            return (
                connection.execute("select model_version from model").fetchall(),
                connection.execute("select value from model_frequencies").fetchall(),
            )

    assert kept() == ([(published,)], [(published,)])
    second = publish_new(settings, configuration, run="run-2", day=1)
    assert kept() == ([(second,)], [(second,)])
    publish_new(settings, configuration, run="run-3", day=2, model=published)
    assert kept() == ([(second,)], [(second,)])
    roll_back(settings, published, reason="wrong prices", now=LATER)
    assert kept() == ([(second,)], [(second,)])


def test_a_version_from_before_models_and_accounts_were_kept_is_synced(settings: Settings, published: str) -> None:
    file = settings.versions_dir / published / "state.duckdb"
    file.chmod(0o600)
    with warehouse.connect(file, settings) as connection:
        connection.execute(
            "drop table model; drop table model_frequencies; drop table account_records; drop table account_id_history"
        )
    (settings.state_dir / "identity.duckdb").unlink()
    sync_state(settings)
    assert history(settings) == [(f"c_{i}", published) for i in range(3)]


def test_a_lost_state_comes_back_from_the_version(settings: Settings, published: str) -> None:
    (settings.state_dir / "identity.duckdb").unlink()
    sync_state(settings)
    assert history(settings) == [(f"c_{i}", published) for i in range(3)]


def test_the_status_says_since_when_and_why_nothing_newer_is_published(
    settings: Settings, configuration: Configuration, ready: Build
) -> None:
    for day, run in enumerate(("a", "b"), start=1):
        moment = NOW + timedelta(days=day)
        record_outcome(settings, outcome="refused", reason=f"CRM-004 failed on day {day}.", run_id=run, now=moment)
        record_outcome(settings, outcome="refused", reason="The same again.", run_id=run, now=moment)
    status = read_status(settings)
    assert len(read_outcomes(settings)) == 3
    assert status.failing_since == NOW + timedelta(days=1)
    assert status.last_failure is not None
    assert status.last_failure.reason == "CRM-004 failed on day 2."
    assert status.current is not None
    assert status.current.customer_count == 3
    assert "Open build: run-2" in "\n".join(status.lines())

    publish(settings, configuration, ready)
    assert read_status(settings).last_failure is None


def test_the_status_says_that_a_run_died_and_where_until_somebody_records_it(settings: Settings, ready: Build) -> None:
    record_outcome(settings, outcome="failed", reason="The disk is full.", run_id="before", now=LATER)
    leave_lock_as_a_dead_run_does(settings, LATER)
    told = "\n".join(read_status(settings).lines())
    assert "2026-11-30 02:00 UTC died before it had made anything" in told
    assert "The latest run" not in told

    begin_step(settings, "marts.orders", run="again")
    begin_step(settings, "marts.customers", run="again")
    told = "\n".join(read_status(settings).lines())
    assert "died while it made marts.customers and 1 more" in told
    assert "`kundenstamm run`" in told
    assert f"Open build: {ready.build_id}" not in told

    record_outcome(settings, outcome="failed", reason="It died.", run_id="again", now=LATER)
    assert read_status(settings).dead_run is None
    assert f"Open build: {ready.build_id}" in "\n".join(read_status(settings).lines())


def leave_lock_as_a_dead_run_does(settings: Settings, since: datetime) -> None:
    holder = {"pid": 1, "token": "of a run that is gone", "since": since.replace(tzinfo=UTC).isoformat()}
    settings.lock_file.write_text(json.dumps(holder))


def begin_step(settings: Settings, step: str, *, run: str) -> None:
    record_step(settings, step=step, run_id=run, started_at=LATER, finished_at=None, rows=None)


@pytest.mark.usefixtures("published")
def test_an_outcome_that_was_cut_off_within_a_letter_does_not_hide_the_others(settings: Settings) -> None:
    history_file = settings.state_dir / "runs.jsonl"
    history_file.write_bytes(history_file.read_bytes() + '{"reason": "Größ'.encode()[:-1])
    record_outcome(settings, outcome="refused", reason="CRM-004 failed.", run_id="b", now=LATER)
    assert [o.outcome for o in read_outcomes(settings)] == ["published", "refused"]


@pytest.mark.parametrize("content", [None, "{"], ids=["missing", "cut"])
def test_a_version_damaged_by_hand_is_a_sentence(settings: Settings, published: str, content: str | None) -> None:
    folder = settings.versions_dir / published
    folder.chmod(0o755)
    (folder / "manifest.json").unlink()
    if content is not None:
        (folder / "manifest.json").write_text(content)
    with pytest.raises(BuildError, match=rf"version {published} is damaged.*Restore"):
        read_status(settings)


def test_the_status_of_a_folder_that_does_not_exist_creates_nothing(settings: Settings) -> None:
    assert read_status(settings).lines() == [f"Nothing is published in {settings.data_dir} yet."]
    assert list_versions(settings) == []
    assert not settings.data_dir.exists()
