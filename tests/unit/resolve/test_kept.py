"""What is kept of a run is there as a whole or not at all, and is no reason to fail."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from duckdb import DuckDBPyConnection

from pipelines.resolve.kept import Keeper, attached, cache_file
from pipelines.resolve.records import open_scratch
from pipelines.settings import Settings
from pipelines.warehouse import connect


@pytest.fixture
def scratch(settings: Settings) -> Iterator[DuckDBPyConnection]:
    settings.build_dir.mkdir(parents=True)
    with connect(settings.build_warehouse, settings) as connection, open_scratch(connection):
        connection.execute("create table accepted as select range as n, 'a' || range as word from range(1000)")
        yield connection


def _keep(scratch: DuckDBPyConnection, settings: Settings, *tables: str) -> None:
    keeper = Keeper(scratch, settings)
    try:
        keeper.open()
        keeper.keep(*tables)
        keeper.finish("all of it", "the model", "the ids")
    finally:
        keeper.close()


def test_tables_are_there_when_all_are_written(scratch: DuckDBPyConnection, settings: Settings) -> None:
    _keep(scratch, settings, "accepted")
    assert [file.name for file in cache_file(settings).parent.iterdir()] == [cache_file(settings).name]
    assert cache_file(settings).stat().st_mode & 0o077 == 0
    with attached(scratch, settings, read_only=True):
        assert scratch.execute("select count(*), max(word) from kept.accepted").fetchone() == (1000, "a999")
        assert scratch.execute("from kept.mark").fetchall() == [("all of it", "the model", "the ids")]


def test_what_was_kept_is_as_it_was_until_all_is_renewed(scratch: DuckDBPyConnection, settings: Settings) -> None:
    _keep(scratch, settings, "accepted")
    at_a_kill = settings.data_dir / "at_a_kill.duckdb"
    with attached(scratch, settings, read_only=False):
        scratch.execute("drop table kept.mark; delete from kept.accepted where n < 500")
        for _ in range(15):  # more than the engine changes before it looks to the disk
            scratch.execute("insert into kept.accepted select n, 'a' || hash(n) from range(1000, 101000) as t(n)")
        shutil.copy(cache_file(settings), at_a_kill)
        assert not list(cache_file(settings).parent.glob("*.wal"))
        scratch.execute("create table kept.mark as select 'renewed' as digest")
    for file, count in ((at_a_kill, 1000), (cache_file(settings), 1_500_500)):
        with connect(file, settings, read_only=True) as connection:
            assert connection.execute("select count(*), (select digest from mark) from accepted").fetchall() == [
                (count, "all of it" if count == 1000 else "renewed")
            ]


def test_nothing_is_kept_when_a_table_cannot_be_written(scratch: DuckDBPyConnection, settings: Settings) -> None:
    _keep(scratch, settings, "accepted", "not_there", "accepted")
    assert list(cache_file(settings).parent.iterdir()) == []
    assert "not_there" in (settings.build_dir / "errors.log").read_text()


def test_nothing_is_kept_where_there_is_no_room(scratch: DuckDBPyConnection, settings: Settings) -> None:
    cache_file(settings).parent.write_text("a file where the folder should be")
    _keep(scratch, settings, "accepted")
    assert not cache_file(settings).exists()
    assert scratch.execute("select count(*) from accepted").fetchone() == (1000,)


def test_nothing_is_left_of_a_run_that_ended_early(scratch: DuckDBPyConnection, settings: Settings) -> None:
    keeper = Keeper(scratch, settings)
    keeper.open()
    keeper.keep("accepted", "accepted")
    keeper.close()
    assert list(cache_file(settings).parent.iterdir()) == []
    assert scratch.execute("select 1 from duckdb_databases() where database_name = 'kept'").fetchone() is None
