"""Keys and references are proven by their hashes, and whatever is no proof leaves them to be counted."""

from __future__ import annotations

import pytest

from pipelines.audit import proofs
from pipelines.audit.proofs import is_proven_known, is_proven_unique
from pipelines.settings import Settings
from pipelines.warehouse import connect

ROWS = 1_000


@pytest.fixture(autouse=True)
def _small_tables_are_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proofs, "WORTHWHILE_ROWS", 1)


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


@pytest.mark.parametrize(
    ("reference", "key", "proven"),
    [
        pytest.param("'k' || i % 10", "'k' || i", True, id="every one is a key, some several times"),
        pytest.param("case when i > 3 then 'k' || i end", "'k' || i", True, id="some refer to nothing"),
        pytest.param("null::text", "'k' || i", True, id="all refer to nothing"),
        pytest.param("'k' || i", "'k' || greatest(i, 1)", False, id="the first is no key"),
        pytest.param("'k' || i", "'k' || least(i, 998)", False, id="the last is no key"),
        pytest.param("'k' || i", "null::text", False, id="there are no keys"),
    ],
)
def test_references_are_proven_when_each_is_a_key(
    settings: Settings, reference: str, key: str, *, proven: bool
) -> None:
    with connect(None, settings) as connection:
        connection.execute(f"create table children as select {reference} as a from range({ROWS}) as numbers (i)")
        connection.execute(f"create table parents as select {key} as b from range({ROWS}) as numbers (i)")
        assert is_proven_known(connection, ("main.children", "a"), ("main.parents", "b"), (ROWS, ROWS)) is proven


@pytest.mark.parametrize("row_count", [0, proofs.FEASIBLE_ROWS + 1])
def test_nothing_is_said_of_a_table_that_is_too_small_or_too_large(settings: Settings, row_count: int) -> None:
    with connect(None, settings) as connection:
        assert not is_proven_unique(connection, "main.not_even_read", ["a"], row_count)
        unread = ("main.not_even_read", "a"), ("main.nor_this", "b")
        assert not is_proven_known(connection, *unread, (row_count, ROWS))
        assert not is_proven_known(connection, *unread, (ROWS, row_count))
