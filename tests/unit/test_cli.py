"""What the command says when something is in its way: one sentence and an exit code."""

from __future__ import annotations

import subprocess
import sys

import pytest

from pipelines.settings import PROJECT_DIR, Settings


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
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.cli", "status", "--data", str(settings.data_dir)],
        env=environment,
        cwd=PROJECT_DIR,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
