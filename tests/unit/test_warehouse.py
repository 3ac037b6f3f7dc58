"""Connections obey the limits, and no error repeats a value from a record."""

from __future__ import annotations

import dataclasses
import signal
import stat
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator
from typing import Any

import pytest

from pipelines import warehouse
from pipelines.errors import KundenstammError, WarehouseError
from pipelines.settings import Settings

CANARY = "Kanarienvogel"


def run(settings: Settings, *statements: str, **options: Any) -> None:
    """Carry out statements on one connection to a database in memory."""
    with warehouse.connect(None, settings, **options) as connection:
        for statement in statements:
            connection.execute(statement).fetchall()


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        pytest.param(f"select cast('{CANARY}' as integer)", "does not fit the type", id="a failed cast"),
        pytest.param(f"select strptime('{CANARY}', '%Y')", "has the wrong form", id="a failed parse of a date"),
        pytest.param(f"insert into t values ('{CANARY}')", "constraint", id="a violated constraint"),
        pytest.param(f"insert into n values (null), ('{CANARY}')", "constraint", id="a missing value"),
        pytest.param(f'select "{CANARY}" from t', "table or column is missing", id="a missing column"),
        pytest.param(f"from {CANARY}", "table or column is missing", id="a missing table"),
        pytest.param(f"select {CANARY} from where", "not valid SQL", id="a wrong statement"),
        pytest.param(f"select error('{CANARY}')", "wrong form", id="an error raised in SQL"),
        pytest.param(f"from read_csv('/nowhere/{CANARY}.csv')", "could not be read", id="a missing file"),
        pytest.param(f"select '{CANARY}'::json->'a', json('{{{CANARY}')", "error", id="broken JSON"),
    ],
)
def test_an_error_of_the_engine_is_a_sentence_without_values(settings: Settings, statement: str, expected: str) -> None:
    with pytest.raises(WarehouseError, match=expected) as caught:
        run(
            settings,
            "create table t (name text primary key); create table n (name text not null)",
            f"insert into t values ('{CANARY}')",
            statement,
        )

    assert CANARY not in "".join(traceback.format_exception(caught.value))
    assert caught.value.__suppress_context__
    log = settings.build_dir / "errors.log"
    assert "Error" in log.read_text(), "the engine's own words are kept for the operator"
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_an_error_of_a_python_function_is_a_sentence_without_values(settings: Settings) -> None:
    def fail(value: str) -> str:
        raise ValueError(value)

    def call() -> None:
        with warehouse.connect(None, settings) as connection:
            connection.create_function("fail", fail)
            connection.execute(f"select fail('{CANARY}')").fetchall()

    with pytest.raises(WarehouseError) as caught:
        call()
    assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_a_file_another_process_writes_is_a_sentence(settings: Settings) -> None:
    settings.data_dir.mkdir()
    file = settings.data_dir / "some.duckdb"
    code = f"import duckdb; c = duckdb.connect({str(file)!r}); print('open', flush=True); input()"
    other = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        with (
            pytest.raises(WarehouseError, match=r"some\.duckdb is in use by another process"),
            warehouse.connect(file, settings),
        ):
            pass
    finally:
        other.communicate("\n", timeout=30)


def test_memory_threads_time_zone_and_downloads_are_limited(settings: Settings) -> None:
    small = dataclasses.replace(settings, memory_limit="123MiB", threads=1)
    with warehouse.connect(None, small) as connection:
        names = (
            "memory_limit",
            "threads",
            "TimeZone",
            "autoinstall_known_extensions",
            "autoload_known_extensions",
        )
        found = {name: connection.execute(f"select current_setting('{name}')").fetchone() for name in names}
    assert found == {
        "memory_limit": ("123.0 MiB",),
        "threads": (1,),
        "TimeZone": ("UTC",),
        "autoinstall_known_extensions": (False,),
        "autoload_known_extensions": (False,),
    }


def test_every_connection_spills_into_a_folder_of_its_own_that_goes_with_it(settings: Settings) -> None:
    def folder(connection: object) -> str:
        row = connection.execute("select current_setting('temp_directory')").fetchone()  # type: ignore[attr-defined]
        return str(row[0])

    with warehouse.connect(None, settings) as one, warehouse.connect(None, settings) as two:
        assert folder(one) != folder(two)
        assert folder(one).startswith(str(settings.temp_dir))
    assert list(settings.temp_dir.iterdir()) == []


@pytest.fixture
def _interruptible() -> Iterator[None]:
    """Python's own handler: what a shell starts in the background inherits that interrupts are ignored."""
    inherited = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, inherited)


@pytest.mark.usefixtures("_interruptible")
def test_an_interrupt_in_a_query_stays_an_interrupt(settings: Settings) -> None:
    threading.Timer(0.3, signal.raise_signal, [signal.SIGINT]).start()
    with pytest.raises(KeyboardInterrupt):
        run(settings, "select sum(a.range * b.range) from range(100_000) a, range(2_000) b")


def test_the_file_is_free_after_an_error(settings: Settings) -> None:
    settings.data_dir.mkdir()
    file = settings.data_dir / "some.duckdb"
    with pytest.raises(ZeroDivisionError), warehouse.connect(file, settings):
        raise ZeroDivisionError
    with warehouse.connect(file, settings, read_only=True) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_attached_files_cannot_be_written(settings: Settings) -> None:
    settings.data_dir.mkdir()
    file = settings.data_dir / "it's.duckdb"
    with warehouse.connect(file, settings) as connection:
        connection.execute("create table t as select 1 as a")
    run(settings, "from other.t", attach={"other": file})
    with pytest.raises(WarehouseError):
        run(settings, "delete from other.t", attach={"other": file})


def test_a_temp_folder_that_cannot_be_made_is_a_sentence(settings: Settings) -> None:
    settings.data_dir.write_text("a file is in its place")
    with pytest.raises(KundenstammError, match="cannot be written"), warehouse.connect(None, settings):
        pass


def test_an_error_that_cannot_be_logged_is_still_a_sentence(settings: Settings) -> None:
    settings.data_dir.mkdir()
    settings.build_dir.write_text("a file is in its place")
    with pytest.raises(WarehouseError, match="does not fit"):
        run(settings, "select cast('x' as integer)")


def test_tables_of_the_open_build_are_found_in_all_of_its_files_and_made_in_its_own(settings: Settings) -> None:
    settings.build_dir.mkdir(parents=True)
    with warehouse.connect(settings.build_shared, settings) as connection:
        connection.execute("create schema marts; create table marts.customers as select 1 as figure")
    with warehouse.connect(settings.build_restricted, settings) as connection:
        connection.execute("create schema marts; create table marts.free_texts as select 3 as figure")
    with warehouse.connect(settings.build_warehouse, settings) as connection:
        connection.execute("create schema marts")
    with warehouse.connect(settings.build_warehouse, settings) as connection:
        connection.execute("create table marts.customer_profiles as select 2 as figure")
        held = "select database_name, table_name from duckdb_tables() order by all"
        assert connection.execute(held).fetchall() == [
            ("restricted", "free_texts"),
            ("shared", "customers"),
            ("warehouse", "customer_profiles"),
        ]
    with warehouse.connect(settings.build_warehouse, settings, read_only=True) as connection:
        assert connection.execute("from marts.customers, marts.customer_profiles, marts.free_texts").fetchall() == [
            (1, 2, 3)
        ]
        with pytest.raises(Exception, match="read-only"):
            connection.execute("update marts.customers set figure = 3")


def test_the_open_build_keeps_no_log_and_is_complete_when_it_is_closed(settings: Settings) -> None:
    settings.build_dir.mkdir(parents=True)
    with warehouse.connect(settings.build_warehouse, settings, storage=warehouse.OWN_STORAGE) as connection:
        warehouse.create_parts(connection, settings)
    with warehouse.connect(settings.build_warehouse, settings) as connection:
        connection.execute("create table own (n integer); insert into own values (1)")
        connection.execute("create table interim.intermediate.later (n integer); insert into later values (2)")
        assert not list(settings.build_dir.glob("*.wal"))

    with warehouse.connect(settings.build_warehouse, settings, read_only=True) as connection:
        assert connection.execute("select own.n, later.n from own cross join later").fetchall() == [(1, 2)]
