"""What a published version contains, and that nothing is left of one that could not be published."""

from __future__ import annotations

import errno
import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines import warehouse
from pipelines.build import Build, current_build, is_published, open_build
from pipelines.configuration import Configuration
from pipelines.errors import BuildError, RefusedError, WarehouseError
from pipelines.publish import clean_up, list_versions, open_reader, read_status, read_watermarks, switch
from pipelines.settings import Settings
from tests.unit.publish.builds import CANARY, NOW, publish


def tables_of(settings: Settings, file: Path) -> set[str]:
    with warehouse.connect(file, settings, read_only=True) as connection:
        rows = connection.execute("select schema_name || '.' || table_name from duckdb_tables()").fetchall()
    return {name for (name,) in rows}


def texts_in(settings: Settings, file: Path) -> str:
    """Every value of every table as one text: strings are compressed, so the bytes of a file prove nothing."""
    with warehouse.connect(file, settings, read_only=True) as connection:
        paths = connection.execute("select schema_name || '.' || table_name from duckdb_tables()").fetchall()
        return "\n".join(str(connection.execute(f"from {path}").fetchall()) for (path,) in paths)


@pytest.mark.usefixtures("published")
def test_a_version_holds_exactly_the_listed_tables(settings: Settings) -> None:

    open_tables = {
        "marts.customers",
        "activation.audiences",
        "activation.audience_members",
        "audit.rule_results",
        "audit.correction_plan",
        "audit.corrections",
        "meta.version",
    }
    identifying_tables = {
        "marts.customer_profiles",
        "marts.customer_contact_points",
        "audit.corrections_values",
    }
    assert tables_of(settings, settings.current / "warehouse.duckdb") == open_tables
    assert tables_of(settings, settings.current / "restricted.duckdb") == identifying_tables
    assert tables_of(settings, settings.current / "state.duckdb") == {
        "main.members",
        "main.customer_id_history",
        "main.customer_id_events",
        "main.account_records",
        "main.account_id_history",
        "main.model",
        "main.model_frequencies",
    }


@pytest.mark.usefixtures("published")
def test_names_of_persons_are_in_the_restricted_file_only(settings: Settings) -> None:

    assert CANARY in texts_in(settings, settings.current / "restricted.duckdb")
    assert CANARY not in texts_in(settings, settings.current / "warehouse.duckdb")
    assert CANARY not in (settings.current / "manifest.json").read_text()


def test_a_version_cannot_be_written(settings: Settings, published: str) -> None:

    folder = settings.versions_dir / published
    modes = {
        str(path.relative_to(folder)): stat.S_IMODE(path.stat().st_mode)
        for path in (folder, *folder.rglob("*"))
        if path.parent.name != "audiences"
    }
    assert modes == {
        ".": 0o555,
        "warehouse.duckdb": 0o444,
        "manifest.json": 0o444,
        "restricted.duckdb": 0o440,
        "state.duckdb": 0o440,
        "audiences": 0o550,
    }
    assert all(stat.S_IMODE(f.stat().st_mode) == 0o440 for f in (folder / "audiences").iterdir())


@pytest.mark.usefixtures("published")
def test_audiences_are_exported_with_the_version(settings: Settings) -> None:
    assert f"{CANARY}@example.org" in (settings.current / "audiences" / "lapsed.csv").read_text()


def test_the_report_of_the_audit_goes_with_the_version(
    settings: Settings, configuration: Configuration, ready: Build
) -> None:
    (settings.build_dir / "report").mkdir()
    (settings.build_dir / "report" / "index.html").write_text("passed")

    publish(settings, configuration, ready)

    assert (settings.current / "report" / "index.html").read_text() == "passed"


def test_the_manifest_says_from_what_a_version_was_made(
    settings: Settings, configuration: Configuration, published: str
) -> None:

    manifest = json.loads((settings.current / "manifest.json").read_text())
    assert manifest["version"] == published
    assert manifest["configuration_digest"] == configuration.digest
    assert manifest["configuration"]["value"] == {"top_share": 0.2, "window_days": 730}
    assert manifest["tables"]["marts.customers"]["row_count"] == 3
    assert manifest["verdict"]["status"] == "passed"
    assert manifest["runs"] == {"meta.columns": "run-1"}
    assert {"duckdb", "splink", "python"} <= manifest["software"].keys()
    assert read_watermarks(settings) == {"crm": NOW}


@pytest.mark.usefixtures("published")
def test_analysts_see_what_tables_and_columns_mean(settings: Settings) -> None:

    with open_reader(settings) as connection:
        table = connection.execute("select comment from duckdb_tables() where table_name = 'customers'").fetchone()
        column = connection.execute(
            "select comment from duckdb_columns() where table_name = 'customers' and column_name = 'country'"
        ).fetchone()
    assert table == ("customers. One row per one.",)
    assert column == ("The country.",)


def test_meta_version_is_one_row_about_this_version(settings: Settings, published: str) -> None:

    with open_reader(settings) as connection:
        rows = connection.execute("select version, as_of, verdict ->> 'status' from meta.version").fetchall()
    assert rows == [(published, NOW, "passed")]


def test_a_published_build_is_not_kept_for_inspection(
    settings: Settings, configuration: Configuration, published: str
) -> None:
    assert is_published(settings)

    build = open_build(settings, configuration, build_id="run-2", as_of=NOW, now=NOW)
    assert list(settings.builds_dir.iterdir()) == []
    assert build.base_version == published


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param("drop table marts.customers", "marts.customers is listed", id="a listed table is missing"),
        pytest.param("alter table marts.customers add column secret text", "secret", id="an undescribed column"),
        pytest.param("delete from meta.columns", "lists no table", id="nothing is listed"),
    ],
)
def test_what_was_built_must_be_what_is_listed(
    settings: Settings, configuration: Configuration, ready: Build, change: str, expected: str
) -> None:
    with warehouse.connect(settings.build_warehouse, settings) as connection:
        connection.execute(change)

    with pytest.raises(BuildError, match=expected):
        publish(settings, configuration, ready)
    assert_untouched(settings, ready.base_version)
    assert read_status(settings).last_failure is not None


def change_a_figure(settings: Settings) -> None:
    with warehouse.connect(settings.build_warehouse, settings) as connection:
        connection.execute("update marts.customers set country = 'AT'")


def change_a_correction(settings: Settings) -> None:
    with warehouse.connect(settings.build_warehouse, settings) as connection:
        connection.execute("delete from clean.corrections")


def change_a_result(settings: Settings) -> None:
    with warehouse.connect(settings.build_audit, settings) as connection:
        connection.execute("update audit.audit.rule_results set failed_count = 7")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (change_a_figure, "warehouse file was changed while"),
        (change_a_correction, "warehouse file was changed while"),
        (change_a_result, "audit record was changed while"),
    ],
    ids=lambda value: value.__name__.replace("_", " ") if callable(value) else "",
)
def test_what_is_changed_between_the_gate_and_the_copy_is_not_published(
    settings: Settings,
    configuration: Configuration,
    ready: Build,
    change: Callable[[Settings], None],
    expected: str,
) -> None:
    with pytest.raises(RefusedError, match=expected):
        publish(settings, configuration, ready, on_phase=lambda phase: phase == "assembled" and change(settings))
    assert_untouched(settings, ready.base_version)
    last = read_status(settings).last_failure
    assert last is not None
    assert last.outcome == "refused"


def test_tables_that_are_forged_into_the_audit_record_are_never_published(
    settings: Settings, configuration: Configuration, ready: Build
) -> None:
    with warehouse.connect(settings.build_audit, settings) as connection:
        connection.execute("create table audit.audit.corrections as select 'r_9' as record_key, 'forged' as rule")
    with pytest.raises(RefusedError, match="The audit record was changed"):
        publish(settings, configuration, ready)


def test_a_disk_that_fails_just_after_the_switch_leaves_a_published_version_and_says_so(
    settings: Settings, configuration: Configuration, ready: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    to_disk = switch._bring_folder_to_disk

    def fail_for_the_link(folder: Path) -> None:
        if folder == settings.current.parent:
            raise OSError(errno.EIO, "Input/output error")
        to_disk(folder)

    with monkeypatch.context() as patch:
        patch.setattr(switch, "_bring_folder_to_disk", fail_for_the_link)
        with pytest.raises(WarehouseError, match=f"Version {ready.version} is published") as caught:
            publish(settings, configuration, ready)
    assert "othing was published" not in str(caught.value)
    assert read_status(settings).current == list_versions(settings)[0]
    assert list_versions(settings)[0].version == ready.version

    clean_up(settings)
    assert is_published(settings)
    assert read_status(settings).last_failure is None
    assert {p.name for p in settings.versions_dir.parent.iterdir()} == {"versions", "current"}


def assert_untouched(settings: Settings, version: str | None) -> None:
    """The published version is what readers see, and nothing of another attempt is left."""
    assert version is not None
    assert settings.current.readlink() == Path("versions") / version
    assert {p.name for p in settings.versions_dir.iterdir()} == {version}
    assert {p.name for p in settings.versions_dir.parent.iterdir()} == {"versions", "current"}
    with open_reader(settings) as connection:
        assert connection.execute("select version from meta.version").fetchall() == [(version,)]
    assert not is_published(settings)
    assert current_build(settings).version != version
