"""What the environment says wrongly is a sentence, not an error of a library later on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipelines.errors import ConfigurationError
from pipelines.settings import Settings
from pipelines.warehouse import connect


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("THREADS", "many", "a whole number of at least 1"),
        ("THREADS", "0", "a whole number of at least 1"),
        ("KEEP_VERSIONS", "-3", "a whole number of at least 1"),
        ("MEMORY_LIMIT", "much", "like 4GB or 512MB"),
        ("MEMORY_LIMIT", "0GB", "like 4GB or 512MB"),
        ("MEMORY_LIMIT", "80%", "like 4GB or 512MB"),
        ("EXECUTOR", "celery", "in_process, multiprocess"),
    ],
)
def test_a_wrong_setting_is_named_with_what_is_allowed(name: str, value: str, allowed: str) -> None:
    with pytest.raises(ConfigurationError, match=f"KUNDENSTAMM_{name} is '{value}'.*{allowed}"):
        Settings.from_environment({f"KUNDENSTAMM_{name}": value})


@pytest.mark.parametrize("amount", ["4GB", "512 MB", "1.5GiB", "900kb"])
def test_amounts_of_memory_are_taken_as_the_engine_takes_them(amount: str) -> None:
    assert Settings.from_environment({"KUNDENSTAMM_MEMORY_LIMIT": amount}).memory_limit == amount


@pytest.mark.parametrize(
    ("amount", "half"), [("5GB", "2.500GB"), ("512 MB", "256.000MB"), ("1.5GiB", "0.750GiB"), ("3gb", "1.500gb")]
)
def test_engines_that_work_at_the_same_time_share_the_memory(settings: Settings, amount: str, half: str) -> None:
    each = replace(settings, memory_limit=amount).share_memory(2)
    assert each.memory_limit == half
    with connect(None, each) as connection:
        assert connection.execute("select 1").fetchall() == [(1,)]
