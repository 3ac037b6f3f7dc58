"""What the command says when something is in its way: one sentence and an exit code."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.settings import PROJECT_DIR, Settings


def _fails_with(arguments: list[str], environment: dict[str, str], code: int, sentence: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.cli", *arguments],
        env=environment,
        cwd=PROJECT_DIR,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("environment", "code", "sentence"),
    [
        pytest.param({}, 1, "runs.jsonl cannot be used (Is a directory); check permissions", id="an unreadable file"),
        pytest.param({"KUNDENSTAMM_THREADS": "many"}, 4, "KUNDENSTAMM_THREADS is 'many'", id="a wrong setting"),
    ],
)
def test_what_is_in_the_way_is_a_sentence(
    settings: Settings, environment: dict[str, str], code: int, sentence: str
) -> None:
    (settings.state_dir / "runs.jsonl").mkdir(parents=True)
    _fails_with(["status", "--data", str(settings.data_dir)], environment, code, sentence)


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        pytest.param(["run", "--aprove", "IDE-006"], 4, "No such option", id="a mistyped option is not a refusal"),
        pytest.param(["run", "--as-of", "never"], 4, "as_of is 'never', which is no moment", id="no moment"),
        pytest.param(["rollback", "v1"], 4, "Missing option", id="a missing option"),
        pytest.param(["review", "--decided", "no.xlsx"], 1, "There is no no.xlsx.", id="a sheet that is not there"),
        pytest.param(["review", "--decided", "/no/sheet.xlsx"], 1, "There is no folder /no.", id="a folder"),
        pytest.param(["sources", "profile", "no.csv"], 1, "There is no file no.csv.", id="a file that is not there"),
        pytest.param(["findings"], 1, "Nothing was audited in", id="a data folder without an audit"),
    ],
)
def test_a_mistyped_command_is_a_sentence(settings: Settings, arguments: list[str], code: int, sentence: str) -> None:
    _fails_with(arguments, {"KUNDENSTAMM_DATA_DIR": str(settings.data_dir)}, code, sentence)


def test_a_valid_configuration_is_said_to_be_valid_and_dagster_keeps_its_warnings_to_itself(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What follows the sentence replaces the process; `make lint` carries it out."""
    started: list[tuple[list[str], str | None]] = []
    monkeypatch.setattr(os, "execv", lambda _, arguments: started.append((arguments, os.environ["PYTHONWARNINGS"])))
    monkeypatch.delenv("PYTHONWARNINGS", raising=False)
    monkeypatch.setenv("KUNDENSTAMM_DATA_DIR", str(settings.data_dir))
    monkeypatch.chdir(PROJECT_DIR)
    validated = CliRunner().invoke(app, ["validate", "--config", str(PROJECT_DIR / "config")])
    assert validated.stdout == "The configuration is valid.\n"
    [(arguments, warnings)] = started
    assert arguments[:3] == ["dagster", "definitions", "validate"]
    assert warnings == "ignore"


def test_the_entry_of_an_unknown_file_is_printed_as_it_may_stand_in_sources_yml(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KUNDENSTAMM_DATA_DIR", str(settings.data_dir))
    file = tmp_path / "kunden.csv"
    file.write_text("Kunden-Nr;E-Mail;Farbe\n1;a@example.org;blau\n", encoding="utf-8")
    told = CliRunner().invoke(app, ["sources", "profile", str(file), "--config", str(PROJECT_DIR / "config")])
    assert told.exit_code == 0, told.output
    (entry,) = yaml.safe_load(told.output)  # doubts are comments
    assert entry["entities"]["customers"]["columns"] == {"source_record_id": "Kunden-Nr", "email": "E-Mail"}
    assert "# Not mapped, so not stored: Farbe (100% filled)." in told.output
