"""The open build: what it is opened with, who may work on it, and which steps can be relied on."""

from __future__ import annotations

import dataclasses
import json
import os
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone

import pytest

from pipelines import warehouse
from pipelines.build import (
    Build,
    claim_data_folder,
    current_build,
    mark_published,
    open_build,
    read_steps,
    record_step,
    require_build,
    stale_steps,
)
from pipelines.configuration import Configuration
from pipelines.errors import BuildError
from pipelines.settings import PROJECT_DIR, Settings

NOW = datetime(2026, 11, 21, 2, 0, 0, 500, tzinfo=UTC)


def open_one(settings: Settings, configuration: Configuration, run: str = "aaaaaaaa-1111", minutes: int = 0) -> Build:
    return open_build(
        settings, configuration, build_id=run, as_of=NOW - timedelta(days=1), now=NOW + timedelta(minutes=minutes)
    )


def of_company(configuration: Configuration, name: str) -> Configuration:
    return dataclasses.replace(configuration, company=configuration.company.model_copy(update={"name": name}))


def with_top_share(configuration: Configuration, share: float) -> Configuration:
    return dataclasses.replace(configuration, value=configuration.value.model_copy(update={"top_share": share}))


def test_an_opened_build_is_the_current_one(settings: Settings, configuration: Configuration) -> None:
    build = open_one(settings, configuration)
    assert build == current_build(settings)
    assert build.version == "20261121T020000Z-aaaaaaaa"
    assert build.base_version is None
    assert build.company == configuration.company.name
    assert build.config_digest == configuration.digest


def test_moments_are_utc_without_zone(settings: Settings, configuration: Configuration) -> None:
    berlin = timezone(timedelta(hours=1))
    build = open_build(settings, configuration, build_id="r", as_of=NOW.astimezone(berlin), now=NOW)
    assert build.as_of == NOW.replace(tzinfo=None)


def test_an_opened_build_has_every_schema_and_the_owners_decisions(
    settings: Settings, configuration: Configuration
) -> None:
    build = open_one(settings, configuration)
    with warehouse.connect(settings.build_warehouse, settings, read_only=True) as connection:
        schemas = connection.execute(
            "select schema_name from duckdb_schemas() where database_name = current_database() and not internal"
        ).fetchall()
        decisions = connection.execute("select build_id, version, as_of from config.build").fetchall()
    assert {name for (name,) in schemas} - {"main"} == set(warehouse.SCHEMAS)
    assert decisions == [(build.build_id, build.version, build.as_of)]
    assert stat.S_IMODE(settings.build_dir.stat().st_mode) == 0o700
    assert stat.S_IMODE((settings.build_dir / "build.json").stat().st_mode) == 0o600


def test_two_builds_that_failed_are_kept_for_inspection(settings: Settings, configuration: Configuration) -> None:
    for number in range(4):
        open_one(settings, configuration, run=f"run-{number}", minutes=number)
        (settings.build_dir / "evidence").write_text(str(number))
    assert sorted(folder.name for folder in settings.builds_dir.iterdir()) == ["run-1", "run-2"]
    assert (settings.builds_dir / "run-2" / "evidence").read_text() == "2"


def test_a_published_build_is_not_kept(settings: Settings, configuration: Configuration) -> None:
    open_one(settings, configuration)
    mark_published(settings, now=NOW)
    open_one(settings, configuration, run="run-2")
    assert list(settings.builds_dir.iterdir()) == []


def test_a_run_may_open_its_build_again(settings: Settings, configuration: Configuration) -> None:
    open_one(settings, configuration)
    again = open_one(settings, configuration, minutes=5)
    assert current_build(settings) == again
    assert [folder.name for folder in settings.builds_dir.iterdir()] == [again.build_id]
    open_one(settings, configuration, minutes=9)
    assert [folder.name for folder in settings.builds_dir.iterdir()] == [again.build_id]


def test_a_build_that_was_killed_while_opening_counts_as_none(settings: Settings, configuration: Configuration) -> None:
    open_one(settings, configuration)
    (settings.build_dir / "build.json").unlink()
    with pytest.raises(BuildError, match="No build is open"):
        current_build(settings)
    open_one(settings, configuration, run="run-2")
    assert list(settings.builds_dir.iterdir()) == []


def test_a_single_asset_works_on_the_open_build(settings: Settings, configuration: Configuration) -> None:
    build = open_one(settings, configuration)
    assert require_build(settings, configuration, run_id="other", root_run_id=None) == build
    assert require_build(settings, configuration, run_id="other", root_run_id="other") == build


def test_a_re_run_of_the_run_that_opened_the_build_works_on_it(
    settings: Settings, configuration: Configuration
) -> None:
    build = open_one(settings, configuration)
    assert require_build(settings, configuration, run_id="again", root_run_id=build.build_id) == build


def test_a_re_run_of_a_run_that_worked_on_the_build_works_on_it(
    settings: Settings, configuration: Configuration
) -> None:
    build = open_one(settings, configuration)
    record_step(settings, step="audit.verdict", run_id="single", started_at=NOW, finished_at=NOW, rows=None)
    assert require_build(settings, configuration, run_id="again", root_run_id="single") == build


def test_a_stale_re_run_is_refused(settings: Settings, configuration: Configuration) -> None:
    old = open_one(settings, configuration)
    open_one(settings, configuration, run="bbbbbbbb-2222")
    with pytest.raises(BuildError, match=r"repeats run aaaaaaaa, whose build was replaced .* bbbbbbbb.* anew"):
        require_build(settings, configuration, run_id="again", root_run_id=old.build_id)


def test_a_build_of_another_configuration_is_refused(settings: Settings, configuration: Configuration) -> None:
    open_one(settings, configuration)
    with pytest.raises(BuildError, match=r"configuration was changed since .* Start the job `nightly` anew"):
        require_build(settings, with_top_share(configuration, 0.5), run_id="x", root_run_id=None)


def test_working_without_a_build_says_what_to_start(settings: Settings, configuration: Configuration) -> None:
    with pytest.raises(BuildError, match=r"No build is open in .* Start the job `nightly`"):
        require_build(settings, configuration, run_id="x", root_run_id=None)


@pytest.mark.parametrize("lost", [None, "state/company.json"], ids=["with its stamp", "when the stamp was lost"])
def test_another_companys_data_folder_is_not_touched(
    settings: Settings, configuration: Configuration, lost: str | None
) -> None:
    open_one(settings, configuration)
    if lost:
        (settings.data_dir / lost).unlink()
    before = {p: p.stat().st_mtime_ns for p in settings.data_dir.rglob("*")}
    other = of_company(configuration, "Real Company AG")

    for attempt in (
        lambda: open_one(settings, other, run="run-2"),
        lambda: claim_data_folder(settings, other),
        lambda: require_build(settings, other, run_id="x", root_run_id=None),
    ):
        with pytest.raises(BuildError, match=r"holds the data of 'Beispiel .* 'Real Company AG'; nothing was touched"):
            attempt()
    assert {p: p.stat().st_mtime_ns for p in settings.data_dir.rglob("*")} == before


def test_a_file_in_place_of_the_data_folder_is_a_sentence(settings: Settings, configuration: Configuration) -> None:
    settings.data_dir.write_text("")
    with pytest.raises(BuildError, match=r"cannot be written .* name another one with --data"):
        open_one(settings, configuration)


def test_a_data_folder_of_somebody_else_is_a_sentence(settings: Settings, configuration: Configuration) -> None:
    """In a child process without the right to write: the super-user may write everywhere."""
    open_one(settings, configuration)
    for folder in (settings.data_dir, settings.state_dir):
        folder.chmod(0o555)
    settings.data_dir.parent.chmod(0o755)
    code = (
        "import os\n"
        "from pipelines.build import claim_data_folder\n"
        "from pipelines.configuration import load_configuration\n"
        "from pipelines.errors import BuildError\n"
        "from pipelines.settings import Settings\n"
        "settings = Settings.from_environment()\n"
        "configuration = load_configuration(settings)\n"
        "if os.getuid() == 0:\n"
        "    os.setuid(65534)\n"
        "try:\n"
        "    claim_data_folder(settings, configuration)\n"
        "except BuildError as error:\n"
        "    print(error)\n"
    )
    environment = {**os.environ, "KUNDENSTAMM_DATA_DIR": str(settings.data_dir)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT_DIR, env=environment, capture_output=True, text=True, timeout=60
    )
    settings.data_dir.chmod(0o755)
    assert "cannot be written (Permission denied)" in done.stdout, done.stderr


def record(settings: Settings, step: str, start: int, end: int | None, run: str = "r") -> None:
    record_step(
        settings,
        step=step,
        run_id=run,
        started_at=NOW + timedelta(seconds=start),
        finished_at=None if end is None else NOW + timedelta(seconds=end),
        rows=1,
    )


def test_the_latest_record_of_a_step_counts(settings: Settings, configuration: Configuration) -> None:
    open_one(settings, configuration)
    record(settings, "a", 0, 1, run="first")
    record(settings, "a", 5, 6, run="second")
    assert read_steps(settings)["a"].run_id == "second"
    open_one(settings, configuration, run="run-2")
    assert read_steps(settings) == {}


def test_a_truncated_line_is_passed_over(settings: Settings, configuration: Configuration) -> None:
    open_one(settings, configuration)
    record(settings, "a", 0, 1)
    with (settings.build_dir / "steps.jsonl").open("a") as file:
        file.write(json.dumps({"step": "b", "run_id": "r"})[:15])
    record(settings, "c", 0, 1)
    assert set(read_steps(settings)) == {"a", "c"}


DEPENDENCIES = {"a": (), "b": ("a",), "c": ("b",)}


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        pytest.param([("a", 0, 1), ("b", 1, 2), ("c", 2, 3)], [], id="one after the other"),
        pytest.param([("a", 0, 3), ("b", 0, 3), ("c", 0, 3)], [], id="made together in one step"),
        pytest.param([("a", 0, 1), ("b", 1, 2)], ["Step c has not run on this build; run it."], id="one is missing"),
        pytest.param(
            [("a", 0, 1), ("b", 1, 2), ("c", 2, 3), ("a", 4, 5)],
            ["Step b is older than a, which it depends on; run b again."],
            id="the first ran again",
        ),
        pytest.param(
            [("a", 0, 2), ("b", 1, 3), ("c", 3, 4)],
            ["Step b is older than a, which it depends on; run b again."],
            id="one started before the other had finished",
        ),
        pytest.param(
            [("a", 0, 1), ("b", 1, 2), ("c", 2, 3), ("c", 4, None)],
            ["Step c was started by run r and did not finish; run it again."],
            id="the last was killed when it ran again",
        ),
    ],
)
def test_steps_that_cannot_be_relied_on_are_named(
    settings: Settings,
    configuration: Configuration,
    records: list[tuple[str, int, int | None]],
    expected: list[str],
) -> None:
    open_one(settings, configuration)
    for step, start, end in records:
        record(settings, step, start, end)
    assert stale_steps(settings, DEPENDENCIES) == expected
