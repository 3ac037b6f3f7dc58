"""What a version's manifest says of its files is what is on the disk, and every later change is told."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.publish import verify_versions
from pipelines.settings import Settings


def flip_a_bit(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def test_the_manifest_names_every_other_file_with_its_hash(settings: Settings, published: str) -> None:
    folder = settings.versions_dir / published
    described = json.loads((folder / "manifest.json").read_text())["files"]
    files = {str(f.relative_to(folder)): f for f in folder.rglob("*") if f.is_file() and f.name != "manifest.json"}
    assert described == {
        name: {"bytes": file.stat().st_size, "sha256": hashlib.sha256(file.read_bytes()).hexdigest()}
        for name, file in files.items()
    }
    assert described.keys() >= {"warehouse.duckdb", "restricted.duckdb", "state.duckdb", "audiences/lapsed.csv"}
    assert verify_versions(settings) == {published: []}


@pytest.mark.parametrize(
    ("name", "change", "expected"),
    [
        ("warehouse.duckdb", flip_a_bit, "warehouse.duckdb of version {} is not what was published"),
        ("state.duckdb", Path.unlink, "state.duckdb of version {} is missing"),
        ("added.csv", Path.touch, "added.csv of version {} was added since"),
    ],
    ids=["one bit", "a missing file", "a further file"],
)
def test_a_version_that_was_changed_says_which_file(
    settings: Settings, published: str, name: str, change: Callable[[Path], None], expected: str
) -> None:
    folder = settings.versions_dir / published
    folder.chmod(0o700)
    if (folder / name).exists():
        (folder / name).chmod(0o600)
    change(folder / name)
    [sentence] = verify_versions(settings)[published]
    assert sentence.startswith(expected.format(published))

    result = CliRunner().invoke(app, ["versions", "--verify", "--data", str(settings.data_dir)])
    assert result.exit_code == 1
    assert expected.format(published) in " ".join(result.output.split())


def test_audiences_that_were_withdrawn_are_no_difference(settings: Settings, published: str) -> None:
    folder = settings.versions_dir / published
    folder.chmod(0o700)
    (folder / "audiences").chmod(0o700)
    for file in (folder / "audiences").iterdir():
        file.unlink()
    assert verify_versions(settings)[published] != []
    (folder / "audiences").rmdir()
    assert verify_versions(settings) == {published: []}
