"""What was audited is told by content."""

from __future__ import annotations

import hashlib

import pytest

from pipelines.audit.fingerprint import fingerprint, hash_files
from pipelines.settings import Settings


@pytest.fixture
def build(settings: Settings) -> Settings:
    settings.build_dir.mkdir(parents=True)
    settings.build_warehouse.write_bytes(b"own")
    settings.build_shared.write_bytes(b"shared")
    return settings


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
