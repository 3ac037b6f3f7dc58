"""Spellings that are one name, names that sound alike, and pet forms."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest
from duckdb import DuckDBPyConnection

from pipelines.resolve.folding import create_macros
from pipelines.resolve.nicknames import list_nicknames
from tests.unit.resolve.conftest import Resolve


@pytest.fixture(scope="module")
def connection() -> Iterator[DuckDBPyConnection]:
    with duckdb.connect() as opened:
        create_macros(opened)
        yield opened


@pytest.mark.parametrize(
    ("name", "sound"),
    [
        ("muller", "657"),
        ("schmidt", "862"),
        ("schmitt", "862"),
        ("meier", "67"),
        ("mayr", "67"),
        ("wikipedia", "3412"),
        ("breschnew", "17863"),
        ("philipp", "351"),
        ("xaver", "4837"),
        ("christ", "4782"),
        ("", None),
    ],
)
def test_the_sound_of_a_name_is_that_of_the_koelner_phonetik(
    connection: DuckDBPyConnection, name: str, sound: str | None
) -> None:
    assert connection.execute("select sound_of(?)", [name]).fetchone() == (sound,)


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("Dr. Anna", "anna"),
        ("Schmidt Herr", "schmidt"),
        ("Herr", "herr"),
        ("Müller-Lüdenscheidt", "muller ludenscheidt"),
        ("Magda", "magda"),
    ],
)
def test_salutations_and_titles_are_no_part_of_a_name(
    connection: DuckDBPyConnection, written: str, folded: str
) -> None:
    assert connection.execute("select without_titles(fold_name(?))", [written]).fetchone() == (folded,)


@pytest.mark.parametrize(
    ("one", "other", "agree"),
    [("jelena", "selina", False), ("emre", "eren", None), ("mirela", "mirella", True), ("k", "karlheinz", True)],
)
def test_first_names_that_nobody_knows_are_different_unless_they_are_alike(
    connection: DuckDBPyConnection, one: str, other: str, agree: bool | None
) -> None:
    usage = "{'is_known': false, 'bearers': 1, 'gender': null, 'stands_for': null::text[]}"
    query = f"select first_names_agree($1, {usage}, $2, {usage})"
    assert connection.execute(query, [one, other]).fetchone() == (agree,)


def test_a_pet_form_stands_for_names_and_never_for_itself() -> None:
    nicknames = list_nicknames()
    assert {("Hannes", "Johannes"), ("Uschi", "Ursula"), ("Bill", "William")} <= set(nicknames)
    assert all(form and name and form != name for form, name in nicknames)


HOME = {"street": "Lindenweg", "house_number": "4", "postal_code": "10115", "city": "Berlin", "last_name": "Weber"}


def test_a_pet_form_is_one_person_on_one_mailbox_and_a_son_of_that_name_is_another(resolve: Resolve) -> None:
    result = resolve(
        [
            {"record_key": "r_1", "first_name": "Ursula", "email": "weber@x.de", **HOME},
            {"record_key": "r_2", "first_name": "Uschi", "email": "weber@x.de", **HOME},
            {"record_key": "r_3", "first_name": "Thomas", "email": "weber@x.de", **HOME},
        ]
    )
    assert result.together("r_1", "r_2")
    assert result.apart("r_1", "r_3")
