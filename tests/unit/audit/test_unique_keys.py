"""A key is proven unique by its hashes, and whatever is no proof leaves it to be counted."""

from __future__ import annotations

import pytest

from pipelines.audit import unique_keys
from pipelines.audit.unique_keys import is_proven_unique
from pipelines.settings import Settings
from pipelines.warehouse import connect

ROWS = 1_000


@pytest.fixture(autouse=True)
def _small_tables_are_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unique_keys, "WORTHWHILE_ROWS", 1)


@pytest.mark.parametrize(
    ("rows", "key", "proven"),
    [
        pytest.param("select 'k' || i as a", ["a"], True, id="each key once"),
        pytest.param("select 'k' || i // 2 as a, i % 2 as b", ["a", "b"], True, id="each pair once"),
        pytest.param("select 'k' || greatest(i, 1) as a", ["a"], False, id="one key twice"),
        pytest.param("select 'k' || i as a, nullif(i, 7) as b", ["a", "b"], False, id="one part missing"),
        pytest.param("select null::text as a", ["a"], False, id="no key at all"),
    ],
)
def test_a_key_is_proven_when_all_of_it_is_there_once(
    settings: Settings, rows: str, key: list[str], *, proven: bool
) -> None:
    with connect(None, settings) as connection:
        connection.execute(f"create table things as {rows} from range({ROWS}) as numbers (i)")
        assert is_proven_unique(connection, "main.things", key, ROWS) is proven


@pytest.mark.parametrize("row_count", [0, unique_keys.FEASIBLE_ROWS + 1])
def test_nothing_is_said_of_a_table_that_is_too_small_or_too_large(settings: Settings, row_count: int) -> None:
    with connect(None, settings) as connection:
        assert not is_proven_unique(connection, "main.not_even_read", ["a"], row_count)
