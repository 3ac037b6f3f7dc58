"""Tables are built in the file that is published, and nothing gets into it that was not audited."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from pipelines import hashes, warehouse
from pipelines.audit.store import write_verdict
from pipelines.build import Build, record_step
from pipelines.configuration import Configuration
from pipelines.errors import BuildError
from pipelines.publish import begin_early_copies, copying, drop_early_copies, list_takable_parts, open_reader
from pipelines.publish.copying import PARTS, read_listed_tables, take_part
from pipelines.settings import Settings
from tests.unit.publish.builds import CANARY, NOW, judge_build, publish

EITHER = pytest.mark.parametrize("part", PARTS.values())


def take(settings: Settings, part: str, target: Path) -> bool:
    return take_part(settings, part, target, read_listed_tables(settings))


def run_again(settings: Settings, step: str) -> None:
    for minutes in (1, 2):
        began = NOW + timedelta(minutes=minutes)
        record_step(settings, step=step, run_id="run-2", started_at=began, finished_at=None, rows=None)


@EITHER
@pytest.mark.usefixtures("ready")
def test_a_part_of_the_build_is_taken_as_it_is(settings: Settings, part: str, tmp_path: Path) -> None:
    assert take(settings, part, tmp_path / "taken.duckdb")
    assert (tmp_path / "taken.duckdb").read_bytes() == warehouse.build_parts(settings)[part].read_bytes()


@pytest.fixture
def copied_early(settings: Settings) -> Iterator[dict[str, Path]]:
    """The files that were copied while the audit ran, by part."""
    files = list_takable_parts(settings)
    begin_early_copies(settings, files.values())
    yield files
    drop_early_copies()


@EITHER
@pytest.mark.usefixtures("ready")
def test_what_was_copied_during_the_audit_is_not_copied_again(
    settings: Settings, copied_early: dict[str, Path], part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(copying, "copy_and_hash")
    assert take(settings, part, tmp_path / "taken.duckdb")
    assert (tmp_path / "taken.duckdb").read_bytes() == copied_early[part].read_bytes()


@pytest.mark.usefixtures("ready")
def test_a_file_that_is_copied_early_is_not_read_for_its_hash_too(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = list_takable_parts(settings).values()
    before = hashes.hash_files(files)
    monkeypatch.setattr(hashes, "SETTLED_SECONDS", 0.0)
    monkeypatch.delattr(hashes, "_hash")
    begin_early_copies(settings, files)
    try:
        assert hashes.hash_files(files) == before
    finally:
        drop_early_copies()


@EITHER
@pytest.mark.usefixtures("ready")
def test_what_was_changed_after_it_was_copied_early_is_copied_again(
    settings: Settings, part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def take_stale_copy(_: Path, target: Path) -> str:
        target.write_bytes(b"before")
        return "SHA-256 of before"

    monkeypatch.setattr(copying, "take_early_copy", take_stale_copy)
    assert take(settings, part, tmp_path / "taken.duckdb")
    assert (tmp_path / "taken.duckdb").read_bytes() == warehouse.build_parts(settings)[part].read_bytes()


@pytest.mark.usefixtures("ready")
def test_early_copies_that_nobody_took_are_removed(settings: Settings, copied_early: dict[str, Path]) -> None:
    assert any(settings.temp_dir.iterdir())
    drop_early_copies()
    assert not any(settings.temp_dir.iterdir())
    assert all(file.exists() for file in copied_early.values())


@EITHER
@pytest.mark.usefixtures("ready")
def test_a_file_whose_tables_were_made_twice_is_not_taken(settings: Settings, part: str, tmp_path: Path) -> None:
    run_again(settings, "raw.crm_contacts")
    assert take(settings, part, tmp_path / "taken.duckdb")
    run_again(settings, "marts.customers")
    assert not take(settings, part, tmp_path / "new.duckdb")
    assert not (tmp_path / "new.duckdb").exists()


@EITHER
@pytest.mark.usefixtures("ready")
def test_a_file_with_a_table_that_is_not_published_is_not_taken(settings: Settings, part: str, tmp_path: Path) -> None:
    with warehouse.connect(settings.build_warehouse, settings) as connection:
        connection.execute(f"create table {part}.marts.forgotten as select '{CANARY}' as name")
    assert not take(settings, part, tmp_path / "taken.duckdb")


def test_rows_that_were_written_over_are_not_published(
    settings: Settings, configuration: Configuration, ready: Build
) -> None:
    with warehouse.connect(settings.build_warehouse, settings) as connection:
        # Uncompressed, so that it can be found in the bytes, and in front of other blocks, or the file would be cut.
        connection.execute("set force_compression = 'uncompressed'; drop table shared.marts.customers")
        connection.execute(f"create table shared.marts.former as select '{CANARY}' || i as name from range(99999) r(i)")
        connection.execute("checkpoint shared")
        connection.execute(
            "create table shared.marts.customers as select 'c_' || i as customer_id, 'DE' as country "
            "from range(99999) r(i)"
        )
        connection.execute("checkpoint shared")
        connection.execute("drop table shared.marts.former")
    assert CANARY.encode() in settings.build_shared.read_bytes()
    run_again(settings, "marts.customers")
    write_verdict(settings, judge_build(settings, configuration, ready, [("crm_001", "crm.contacts")]))
    publish(settings, configuration, ready)
    assert CANARY.encode() not in (settings.current / "warehouse.duckdb").read_bytes()
    with open_reader(settings) as connection:
        assert connection.execute("select count(*) from marts.customers").fetchall() == [(99999,)]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(
            "create table shared.marts.customer_profiles as from marts.customer_profiles; "
            "drop table restricted.marts.customer_profiles",
            id="a restricted table among those for everybody",
        ),
        pytest.param(
            "create table restricted.marts.customers as from marts.customers; drop table shared.marts.customers",
            id="a table for everybody among the restricted ones",
        ),
        pytest.param("create table warehouse.marts.customers as from shared.marts.customers", id="in both files"),
    ],
)
def test_a_table_in_the_wrong_file_of_the_build_is_refused(settings: Settings, ready: Build, change: str) -> None:
    with warehouse.connect(settings.build_warehouse, settings) as connection:
        connection.execute(change)
    with pytest.raises(BuildError, match="was built for other readers before; start the job `nightly` anew"):
        read_listed_tables(settings)
    assert ready


def test_a_table_of_the_audit_that_was_built_where_it_is_published_is_copied_when_its_step_was_repeated(
    settings: Settings, configuration: Configuration, ready: Build, tmp_path: Path
) -> None:
    with warehouse.connect(settings.build_warehouse, settings) as connection:
        connection.execute("""
            create table restricted.audit.corrections_values as from clean.corrections;
            create table shared.audit.corrections as select record_key, rule from clean.corrections;
            drop table clean.corrections;
            create view clean.corrections as from restricted.audit.corrections_values;
        """)
    assert take(settings, PARTS["restricted"], tmp_path / "taken.duckdb")
    run_again(settings, "clean.corrections")
    assert not take(settings, PARTS["restricted"], tmp_path / "new.duckdb")
    write_verdict(settings, judge_build(settings, configuration, ready, [("crm_001", "crm.contacts")]))
    publish(settings, configuration, ready)
    for file, query, expected in (
        ("restricted", "select after from audit.corrections_values", CANARY),
        ("warehouse", "select rule from audit.corrections", "title"),
    ):
        with warehouse.connect(settings.current / f"{file}.duckdb", settings, read_only=True) as connection:
            assert connection.execute(query).fetchall() == [(expected,)]
