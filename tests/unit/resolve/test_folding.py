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
        ("Guðrún", "gudrun"),
        ("Đỗ", "do"),
        ("Əliyev", "aliyev"),
    ],
)
def test_salutations_and_titles_are_no_part_of_a_name(
    connection: DuckDBPyConnection, written: str, folded: str
) -> None:
    assert connection.execute("select without_titles(fold_name(?))", [written]).fetchone() == (folded,)


def both_ways(connection: DuckDBPyConnection, one: str, other: str, bearers: int) -> list[bool | None]:
    """Whether two first names agree that so many last names bear and nobody knows, asked in either order."""
    usages = (
        f"{{'is_known': false, 'bearers': {bearers}, 'gender': null, 'stands_for': null::text[], "
        f"'spelling': spelling_of({name})}}"
        for name in ("$1", "$2")
    )
    query = "select first_names_agree($1, {}, $2, {})".format(*usages)
    rows = [connection.execute(query, pair).fetchone() for pair in ([one, other], [other, one])]
    return [row[0] for row in rows if row]


@pytest.mark.parametrize(
    ("one", "other", "agree"),
    [("jelena", "selina", False), ("emre", "eren", None), ("mirela", "mirella", True), ("k", "karlheinz", True)],
)
def test_first_names_that_nobody_knows_are_different_unless_they_are_alike(
    connection: DuckDBPyConnection, one: str, other: str, agree: bool | None
) -> None:
    assert both_ways(connection, one, other, bearers=1) == [agree, agree]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("stefan", "stephan"),
        ("sergei", "sergej"),
        ("khaled", "chalid"),
        ("elena", "jelena"),
        ("alexey", "aleksei"),
        ("rainer", "reiner"),
        ("omar", "umar"),
        ("zajcev", "zaytsev"),
        ("vyatcheslav", "viacheslav"),
        ("nadjar", "najjar"),
    ],
)
def test_spellings_of_one_first_name_are_one(connection: DuckDBPyConnection, one: str, other: str) -> None:
    query = "select spelling_of($1) = spelling_of($2) and spelling_of($1) <> spelling_of('martina')"
    assert connection.execute(query, [one, other]).fetchone() == (True,)


@pytest.mark.parametrize(
    ("one", "other", "agree"),
    [
        ("sergei", "sergej", True),  # one spelling, however many people bear it
        ("lona", "lina", None),  # a slip apart, and many people bear both: to be weighed
        ("ronja", "carla", False),
        ("johann", "johanna", False),  # a man and a woman
        ("yasmin", "yasmine", None),
        ("tammy s", "tamy susan", True),
    ],
)
def test_first_names_that_many_people_bear_are_two_unless_they_are_spellings(
    connection: DuckDBPyConnection, one: str, other: str, agree: bool | None
) -> None:
    assert both_ways(connection, one, other, bearers=9) == [agree, agree]


@pytest.mark.parametrize(
    ("written", "folded"),
    [("Сергей Юрьевич", "sergei yurevich"), ("Щукин", "shchukin"), ("Σωτηρία", "sotiria"), ("Νικολάου", "nikolaou")],
)
def test_cyrillic_and_greek_letters_are_compared_as_latin_ones(
    connection: DuckDBPyConnection, written: str, folded: str
) -> None:
    assert connection.execute("select fold_name(?)", [written]).fetchone() == (folded,)


@pytest.mark.parametrize(
    ("last_name", "generation", "rest"),
    [
        ("maier jun", "younger", "maier"),
        ("clark sr", "elder", "clark"),
        ("clark iii", "third", "clark"),
        ("clark iv", "fourth", "clark"),
        ("sen", None, "sen"),
        ("junior", None, "junior"),
        ("jung", None, "jung"),
    ],
)
def test_what_stands_behind_a_last_name_tells_the_generation_and_is_no_part_of_it(
    connection: DuckDBPyConnection, last_name: str, generation: str | None, rest: str
) -> None:
    query = "select generation_of('karl', $1), without_generation($1)"
    assert connection.execute(query, [last_name]).fetchone() == (generation, rest)


def test_the_words_of_a_name_may_be_divided_otherwise(connection: DuckDBPyConnection) -> None:
    query = (
        "select are_swapped('nguyen thi', 'lan', 'lan', 'nguyen'), are_swapped('anna maria', 'maier', 'anna', 'maier')"
    )
    assert connection.execute(query).fetchone() == (True, False)


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


@pytest.mark.parametrize(
    ("one", "other", "are_swapped"),
    [
        (("Pierre", "Jacobi"), ("Jacobi", "P."), True),
        (("P.", "Jacobi"), ("Jacobi", "Pierre"), True),
        (("Pierre", "Jacobi"), ("Jacobi", "M."), False),
        (("Anna", "K."), ("Anna", "Koch"), False),
        (("K.", "Anna"), ("Anna", "Koch"), True),
    ],
)
def test_an_initial_in_the_other_field_is_a_swapped_name(
    connection: DuckDBPyConnection, one: tuple[str, str], other: tuple[str, str], are_swapped: bool
) -> None:
    folded = ", ".join(f"fold_name(${n}) as name_{n}" for n in range(1, 5))  # named, so that each is written once
    query = f"select are_swapped(name_1, name_2, name_3, name_4) from (select {folded})"
    assert connection.execute(query, [*one, *other]).fetchone() == (are_swapped,)
    assert connection.execute(query, [*other, *one]).fetchone() == (are_swapped,)


@pytest.mark.parametrize(
    ("email", "is_telling"),
    [
        ("anna.koch@x.de", False),
        ("anna.koch84@x.de", False),
        ("familie.koch@x.de", False),
        ("kochmail@x.de", False),
        ("sternchen@x.de", True),
        ("koch1984@x.de", True),
    ],
)
def test_a_mailbox_tells_more_than_the_name_where_it_has_words_of_its_own(
    connection: DuckDBPyConnection, email: str, is_telling: bool
) -> None:
    found = connection.execute("select telling_user(?, 'anna', 'koch') is not null", [email]).fetchone()
    assert found == (is_telling,)


@pytest.mark.parametrize(
    ("one", "other", "agree"),
    [
        ("istvan", "istvanne", False),
        ("jean", "jeanne", False),
        ("pauli", "pauline", None),
        ("a", "b", False),
        ("a", "r a", False),
        ("a", "a r", True),
        ("r", "robert", True),
    ],
)
def test_a_wife_is_not_her_husband_nor_one_initial_another(
    connection: DuckDBPyConnection, one: str, other: str, agree: bool | None
) -> None:
    assert both_ways(connection, one, other, bearers=1) == [agree, agree]


@pytest.mark.parametrize(
    ("one", "other", "agree"),
    [
        ("mahmoud", "mohamad", False),
        ("hassan", "hussein", False),
        ("youssef", "yusuf", None),
        ("rashid", "rachid", None),
    ],
)
def test_vowels_are_written_in_many_ways_but_an_a_at_first_is_no_u(
    connection: DuckDBPyConnection, one: str, other: str, agree: bool | None
) -> None:
    assert both_ways(connection, one, other, bearers=9) == [agree, agree]
