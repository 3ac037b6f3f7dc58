"""What was audited is told by content; what cannot have changed is not read again."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest

from pipelines.audit import fingerprint as module
from pipelines.audit.fingerprint import fingerprint, hash_files
from pipelines.settings import Settings


@pytest.fixture
def build(settings: Settings) -> Settings:
    settings.build_dir.mkdir(parents=True)
    settings.build_warehouse.write_bytes(b"own")
    settings.build_shared.write_bytes(b"shared")
    return settings


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """One entry for every time that content is read."""
    found: list[Path] = []
    opened = Path.open

    def count(path: Path, *arguments: Any) -> Any:
        found.append(path)
        return opened(path, *arguments)

    monkeypatch.setattr(Path, "open", count)
    return found


def test_all_files_of_a_build_are_one_fingerprint(build: Settings) -> None:
    own, shared = (hashlib.sha256(content).hexdigest() for content in (b"own", b"shared"))
    assert [found.sha256 for found in hash_files(build).values()] == [own, shared]
    listed = f"{own}  warehouse.duckdb\n{shared}  shared.duckdb\n"
    assert fingerprint(build) == (9, hashlib.sha256(listed.encode()).hexdigest())
    build.build_shared.unlink()
    assert fingerprint(build) == (3, hashlib.sha256(f"{own}  warehouse.duckdb\n".encode()).hexdigest())


def test_what_only_later_models_read_is_not_in_the_fingerprint(build: Settings) -> None:
    before = fingerprint(build)
    build.build_interim.write_bytes(b"interim")
    assert fingerprint(build) == before


def test_what_was_not_changed_since_is_read_once(
    build: Settings, readings: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SETTLED_SECONDS", 0.0)
    first = fingerprint(build)
    assert len(readings) == 2
    assert fingerprint(build) == first
    assert len(readings) == 2


def test_a_change_of_one_byte_is_found_whatever_time_the_file_bears(
    build: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SETTLED_SECONDS", 0.0)
    before, times = fingerprint(build), build.build_shared.stat()
    while build.build_shared.stat().st_ctime_ns == times.st_ctime_ns:  # ticks of the file system's clock
        build.build_shared.write_bytes(b"Shared")
    os.utime(build.build_shared, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert fingerprint(build)[0] == before[0]
    assert fingerprint(build)[1] != before[1]


def test_what_was_changed_a_moment_ago_is_read_again(build: Settings, readings: list[Path]) -> None:
    fingerprint(build)
    fingerprint(build)
    assert len(readings) == 4


def test_large_files_that_were_just_changed_are_waited_for_and_read_once(
    build: Settings, readings: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SETTLED_SECONDS", 0.2)
    for large, expected in ((1 << 30, 4), (1, 6)):
        monkeypatch.setattr(module, "LARGE", large)
        os.utime(build.build_shared)
        assert fingerprint(build) == fingerprint(build)
        assert len(readings) == expected
