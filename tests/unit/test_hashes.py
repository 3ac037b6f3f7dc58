"""A file that cannot have changed is not read again, nor one that somebody else reads."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from pipelines import hashes
from pipelines.hashes import hash_files, promise_hashes

SHA256 = hashlib.sha256(b"shared").hexdigest()


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    for name in ("own", "shared"):
        (tmp_path / name).write_bytes(name.encode())
    return [tmp_path / "own", tmp_path / "shared"]


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


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file was changed long enough ago."""
    monkeypatch.setattr(hashes, "SETTLED_SECONDS", 0.0)


@pytest.fixture
def asked() -> Iterator[ThreadPoolExecutor]:
    """Asks for hashes beside the test."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        yield thread


@pytest.mark.usefixtures("settled")
def test_what_was_not_changed_since_is_read_once(files: list[Path], readings: list[Path]) -> None:
    first = hash_files(files)
    assert (first[files[1]], len(readings)) == ((6, SHA256), 2)
    assert hash_files(files) == first
    assert len(readings) == 2


@pytest.mark.usefixtures("settled")
def test_a_change_of_one_byte_is_found_whatever_time_the_file_bears(files: list[Path]) -> None:
    [before], times = hash_files(files[1:]).values(), files[1].stat()
    while files[1].stat().st_ctime_ns == times.st_ctime_ns:  # ticks of the file system's clock
        files[1].write_bytes(b"Shared")
    os.utime(files[1], ns=(times.st_atime_ns, times.st_mtime_ns))
    [after] = hash_files(files[1:]).values()
    assert after.size == before.size
    assert after.sha256 != before.sha256


def test_what_was_changed_a_moment_ago_is_read_again(files: list[Path], readings: list[Path]) -> None:
    assert hash_files(files) == hash_files(files)
    assert len(readings) == 4


def test_large_files_that_were_just_changed_are_waited_for_and_read_once(
    files: list[Path], readings: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashes, "SETTLED_SECONDS", 0.2)
    for large, expected in ((1 << 30, 4), (1, 6)):
        monkeypatch.setattr(hashes, "LARGE", large)
        os.utime(files[1])
        assert hash_files(files) == hash_files(files)
        assert len(readings) == expected


@pytest.mark.usefixtures("settled")
def test_who_asks_for_the_hash_of_a_file_that_somebody_reads_waits_for_it(
    files: list[Path], readings: list[Path], asked: ThreadPoolExecutor
) -> None:
    promise = promise_hashes(files)[files[1]]
    found = asked.submit(hash_files, files[1:])
    promise.keep("what was read")
    assert found.result()[files[1]].sha256 == "what was read"
    assert not readings


@pytest.mark.usefixtures("settled")
def test_a_file_is_read_by_who_waited_when_the_promise_is_given_up(
    files: list[Path], asked: ThreadPoolExecutor
) -> None:
    promise = promise_hashes(files)[files[1]]
    found = asked.submit(hash_files, files[1:])
    promise.give_up()
    assert found.result()[files[1]].sha256 == SHA256


@pytest.mark.usefixtures("settled")
def test_what_was_changed_while_it_was_read_keeps_no_promise(files: list[Path], asked: ThreadPoolExecutor) -> None:
    promise, before = promise_hashes(files)[files[1]], files[1].stat()
    while files[1].stat().st_ctime_ns == before.st_ctime_ns:
        files[1].write_bytes(b"shared")
    promise.keep("what was there before")
    assert asked.submit(hash_files, files[1:]).result()[files[1]].sha256 == SHA256


def test_nobody_waits_for_the_promise_of_a_small_file_that_was_just_changed(files: list[Path]) -> None:
    promises = promise_hashes(files)
    assert hash_files(files)[files[1]].sha256 == SHA256
    for promise in promises.values():
        promise.give_up()


@pytest.mark.usefixtures("settled")
def test_a_file_is_read_once_by_several_who_ask_at_the_same_time(files: list[Path], readings: list[Path]) -> None:
    everybody = threading.Barrier(4)

    def ask(_: int) -> Any:
        everybody.wait()
        return hash_files(files)

    with ThreadPoolExecutor(max_workers=4) as threads:
        first, *others = threads.map(ask, range(4))
    assert all(other == first for other in others)
    assert len(readings) == len(files)
