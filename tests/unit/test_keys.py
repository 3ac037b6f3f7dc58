"""Keys are the same for ever, cannot be computed without the secret, and the secret is made once."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import subprocess
import sys

import pytest

from pipelines import keys, warehouse
from pipelines.errors import BuildError
from pipelines.settings import PROJECT_DIR, Settings

FIRST_FORM = "0" * 64  # the environment of every test, and what release 0.1.0 made
SECOND_FORM = "2:" + "ab" * 32


def expected_key(secret: str, prefix: str, *parts: str) -> str:
    """The construction that the form of the secret stands for, in Python."""
    *domain, value = parts
    if secret == FIRST_FORM:
        inner = _sha256(secret + "\x1f".join(parts))
        return prefix + _sha256(secret + inner)[:32]
    return prefix + _sha256(_sha256(secret + "\x1f".join(domain))[:32] + value)[:32]


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def compute(settings: Settings, expression: str) -> object:
    with warehouse.connect(None, settings) as connection:
        keys.use_secret(connection, settings)
        row = connection.execute(f"select {expression}").fetchone()
    assert row is not None
    return row[0]


@pytest.fixture(params=[FIRST_FORM, SECOND_FORM], ids=["first form", "second form"])
def secret(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("KUNDENSTAMM_SECRET", request.param)
    return str(request.param)


@pytest.mark.parametrize("record_id", ["1", "0001", "Ä-ß/é", "it's; drop", "x" * 500], ids=lambda value: value[:8])
def test_a_record_key_is_a_keyed_hash(settings: Settings, secret: str, record_id: str) -> None:
    found = compute(settings, keys.record_key("'crm'", "'contacts'", warehouse.literal(record_id)))
    assert found == expected_key(secret, "r_", "crm", "contacts", record_id)


def test_a_contact_point_key_is_a_keyed_hash(settings: Settings, secret: str) -> None:
    found = compute(settings, keys.contact_point_key("'email'", "'a@example.org'"))
    assert found == expected_key(secret, "p_", "email", "a@example.org")


@pytest.mark.usefixtures("secret")
def test_nothing_has_no_key(settings: Settings) -> None:
    assert compute(settings, keys.record_key("'crm'", "'contacts'", "null")) is None
    assert compute(settings, keys.contact_point_key("'email'", "null")) is None


@pytest.mark.usefixtures("secret")
def test_parts_do_not_run_together(settings: Settings) -> None:
    assert compute(settings, keys.record_key("'crm1'", "'contacts'", "'2'")) != compute(
        settings, keys.record_key("'crm'", "'contacts'", "'12'")
    )


def test_another_secret_gives_other_keys(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    expression = keys.record_key("'crm'", "'contacts'", "'1'")
    first = compute(settings, expression)
    monkeypatch.setenv("KUNDENSTAMM_SECRET", "1" * 64)
    assert compute(settings, expression) != first


@pytest.fixture
def _no_secret_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUNDENSTAMM_SECRET")


@pytest.mark.usefixtures("_no_secret_given")
def test_a_secret_is_made_once_and_for_its_owner_only(settings: Settings) -> None:
    secret = keys.load_secret(settings)
    assert re.fullmatch(r"2:[0-9a-f]{64}", secret)
    assert keys.load_secret(settings) == secret
    assert stat.S_IMODE((settings.state_dir / "secret.key").stat().st_mode) == 0o600
    assert [file.name for file in settings.state_dir.iterdir()] == ["secret.key"]


@pytest.mark.usefixtures("_no_secret_given")
def test_a_secret_that_is_gone_after_publishing_is_not_replaced(settings: Settings) -> None:
    settings.versions_dir.mkdir(parents=True)
    settings.current.symlink_to("versions")
    with pytest.raises(BuildError, match="is missing although versions are published"):
        keys.load_secret(settings)
    assert not settings.state_dir.exists()


def test_a_secret_of_the_new_form_that_was_spoiled_on_its_way_is_refused(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = "2:" + "a1" * 32
    monkeypatch.setenv("KUNDENSTAMM_SECRET", f"{whole}\n")
    assert keys.load_secret(settings) == whole
    for spoiled in (whole.upper(), whole[:-1], "2:"):
        monkeypatch.setenv("KUNDENSTAMM_SECRET", spoiled)
        with pytest.raises(BuildError, match="64 small hexadecimal digits"):
            keys.load_secret(settings)


@pytest.mark.usefixtures("_no_secret_given")
def test_an_empty_secret_is_refused(settings: Settings) -> None:
    settings.state_dir.mkdir(parents=True)
    (settings.state_dir / "secret.key").touch()
    with pytest.raises(BuildError, match="is empty"):
        keys.load_secret(settings)


@pytest.mark.usefixtures("_no_secret_given")
def test_processes_that_start_together_have_the_same_secret(settings: Settings) -> None:
    code = (
        "from pipelines.keys import load_secret\n"
        "from pipelines.settings import Settings\n"
        "print(load_secret(Settings.from_environment()))\n"
    )
    environment = {**os.environ, "KUNDENSTAMM_DATA_DIR": str(settings.data_dir)}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code], cwd=PROJECT_DIR, env=environment, stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    said = {process.communicate(timeout=60)[0].strip() for process in processes}
    assert said == {keys.load_secret(settings)}
