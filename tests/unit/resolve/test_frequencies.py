"""How frequent a value counts: a name by the field it belongs to, a provider of mailboxes by who may have one."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest
from duckdb import DuckDBPyConnection

from pipelines.resolve.model import FREQUENCY_TABLE_COLUMNS, USUAL_PROVIDER, freeze_frequencies


@pytest.fixture
def connection() -> Iterator[DuckDBPyConnection]:
    """A hundred people of four first and five last names; two of them swapped, and one is called Hans Peter."""
    names = [
        (("hans", "carl", "peter", "anna")[i % 4], ("koch", "wolf", "berg", "lang", "voss")[i % 5]) for i in range(97)
    ]
    names += [("berg", "carl"), ("berg", "carl"), ("hans", "peter")]
    with duckdb.connect() as connection:
        connection.execute(f"create table frequencies ({FREQUENCY_TABLE_COLUMNS})")
        connection.execute("create table first_names (first_name text, usage struct(bearers bigint))")
        connection.execute(
            "create table scored_profiles "
            "(first_name text, last_name text, email_domain text, postal_code text, city text)"
        )
        connection.executemany(
            "insert into scored_profiles values (?, ?, ?, '10115', 'berlin')",
            [(*name, "gmail.com" if i < 2 else "firm.example") for i, name in enumerate(names)],
        )
        freeze_frequencies(connection)
        yield connection


@pytest.mark.parametrize(
    ("field", "value", "frequency"),
    [
        ("first_name", "berg", 0.19),
        ("last_name", "carl", 0.24),
        ("last_name", "peter", None),
        ("email_domain", "gmail.com", USUAL_PROVIDER),
        ("email_domain", "web.de", USUAL_PROVIDER),
        ("email_domain", "firm.example", 0.98),
    ],
    ids=["a swapped last name", "a swapped first name", "once, and in its field", "few", "nobody", "no provider"],
)
def test_a_value_is_as_frequent_as_where_it_belongs(
    connection: DuckDBPyConnection, field: str, value: str, frequency: float | None
) -> None:
    found = connection.execute(
        "select max(frequency) from frequencies where field = ? and value = ?", [field, value]
    ).fetchone()
    assert found == (pytest.approx(frequency) if frequency else None,)
