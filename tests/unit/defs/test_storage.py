"""Dagster's events through connections that stay open: all are there for others, and files do not pile up open."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import dagster as dg
import pytest
from dagster._check import CheckError
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage

from pipelines.defs.launch import prepare_instance
from pipelines.defs.storage import OPEN_FILES, EventLog
from pipelines.settings import Settings


@dg.asset
def table() -> None: ...


@pytest.fixture
def instance(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    for name, value in os.environ.items():  # what the preparation sets is forgotten after the test
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DAGSTER_HOME", str(settings.dagster_home))
    prepare_instance(settings)
    with dg.DagsterInstance.get() as made:
        yield made


def _run(instance: dg.DagsterInstance) -> str:
    return dg.materialize([table], instance=instance).run_id


def _open_files(folder: Path) -> set[str]:
    links = [link for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    targets = [str(link.readlink()) for link in links if link.exists()]
    return {t for t in targets if t.startswith(str(folder)) and t.endswith(".db")}


def test_events_are_at_once_readable_for_dagsters_own_storage(instance: dg.DagsterInstance) -> None:
    run_id = _run(instance)
    assert isinstance(instance.event_log_storage, EventLog)
    own = instance.get_records_for_run(run_id).records
    other = SqliteEventLogStorage(instance.event_log_storage._base_dir)
    assert [r.event_log_entry for r in other.get_records_for_run(run_id).records] == [r.event_log_entry for r in own]
    assert any(r.event_log_entry.dagster_event_type == dg.DagsterEventType.ASSET_MATERIALIZATION for r in own)
    assert instance.get_latest_materialization_event(table.key).run_id == run_id


def test_few_files_are_open_however_many_runs_are_looked_at(instance: dg.DagsterInstance, settings: Settings) -> None:
    runs = [_run(instance) for _ in range(OPEN_FILES + 2)]
    counts = {len(instance.get_records_for_run(run).records) for run in runs}
    assert len(counts) == 1
    assert 1 < len(_open_files(settings.dagster_home / "history" / "runs")) <= OPEN_FILES
    instance.dispose()
    assert _open_files(settings.dagster_home / "history" / "runs") == set()


def test_a_deleted_run_leaves_no_file(instance: dg.DagsterInstance, settings: Settings) -> None:
    kept, deleted = _run(instance), _run(instance)
    instance.delete_run(deleted)
    names = {file.name.split(".")[0] for file in (settings.dagster_home / "history" / "runs").iterdir()}
    assert names == {"index", kept}
    assert instance.get_records_for_run(kept).records


def test_whoever_watches_a_run_hears_of_its_end(instance: dg.DagsterInstance) -> None:
    run_id = _run(instance)
    heard, ended = [], threading.Event()

    def listen(entry: dg.EventLogEntry, _: str) -> None:
        heard.append(entry)
        if entry.dagster_event_type == dg.DagsterEventType.RUN_SUCCESS:
            ended.set()

    instance.event_log_storage.watch(run_id, None, listen)
    assert ended.wait(30)
    instance.event_log_storage.end_watch(run_id, listen)
    assert len(heard) == len(instance.get_records_for_run(run_id).records)


def test_a_batch_of_events_is_stored_whole_or_not_at_all(instance: dg.DagsterInstance) -> None:
    run_id = _run(instance)
    stored = [record.event_log_entry for record in instance.get_records_for_run(run_id).records]
    log = instance.event_log_storage
    assert isinstance(log, EventLog)
    log.store_event_batch(stored)
    assert len(instance.get_records_for_run(run_id).records) == 2 * len(stored)
    with pytest.raises(CheckError):
        log.store_event_batch([*stored, SimpleNamespace(run_id=run_id)])
    assert len(instance.get_records_for_run(run_id).records) == 2 * len(stored)
    _run(instance)  # the files are free again


def test_a_table_that_is_missing_is_looked_for_again(instance: dg.DagsterInstance) -> None:
    log = instance.event_log_storage
    assert isinstance(log, EventLog)
    assert not log.has_table("later")
    with log.index_connection() as connection:
        connection.exec_driver_sql("create table later (id integer)")
    assert log.has_table("later")


def test_what_a_step_says_of_its_outputs_is_stored_in_order_when_it_succeeds_or_somebody_reads(
    instance: dg.DagsterInstance,
) -> None:
    log = instance.event_log_storage
    assert isinstance(log, EventLog)
    entries = [record.event_log_entry for record in instance.get_records_for_run(_run(instance)).records]
    output, success = (
        next(e for e in entries if e.dagster_event_type == kind)
        for kind in (dg.DagsterEventType.STEP_OUTPUT, dg.DagsterEventType.STEP_SUCCESS)
    )
    other = SqliteEventLogStorage(log._base_dir)

    def count() -> int:
        return len(other.get_records_for_run(output.run_id).records)

    log.store_event(output)
    assert count() == len(entries)
    log.store_event(success)
    assert [r.event_log_entry for r in other.get_records_for_run(output.run_id).records][-2:] == [output, success]
    log.store_event(output)
    assert len(instance.get_records_for_run(output.run_id).records) == count() == len(entries) + 3
    log.store_event(output)
    instance.dispose()
    assert count() == len(entries) + 4
