"""People who are nearly alike stay two: couples, twins, neighbors, namesakes; and what tells that they are."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tests.unit.resolve.conftest import Resolve
from tests.unit.resolve.test_resolve import make_people

HOME = {"street": "Lindenweg", "house_number": "4", "postal_code": "10115", "city": "Berlin"}
PHONE = {"phone": "+493012345678"}


def records(*rows: dict[str, Any], **of_all: Any) -> list[dict[str, Any]]:
    return [{"record_key": f"r_{i}", **of_all, **row} for i, row in enumerate(rows)]


@pytest.mark.parametrize(
    ("his", "hers"),
    [
        (("Jan", "Kowalski"), ("Janina", "Kowalska")),
        (("Jan", "Kowalski"), ("Janina", "Kowalski")),
        (("Stanisław", "Krawczyk"), ("Stanisława", "Krawczyk")),
        (("Karol", "Wiśniewski"), ("Karolina", "Wiśniewska")),
        (("Paolo", "Conti"), ("Paola", "Conti")),
        (("J.", "Kowalska"), ("Jan", "Kowalski")),
        (("Алексей", "Зайцев"), ("Алекся", "Зайцева")),
    ],
)
def test_a_couple_whose_names_are_nearly_one_are_two(
    resolve: Resolve, his: tuple[str, str], hers: tuple[str, str]
) -> None:
    rows = [{"first_name": first, "last_name": last} for first, last in (his, hers)]
    assert resolve(records(*rows, **HOME, **PHONE)).apart("r_0", "r_1")


def test_a_woman_stays_one_whose_last_name_is_also_written_as_a_man_s(resolve: Resolve) -> None:
    rows = [{"first_name": "Janina", "last_name": last} for last in ("Kowalska", "Kowalski")]
    assert resolve(records(*rows, **HOME, **PHONE)).together("r_0", "r_1")


@pytest.mark.parametrize("names", [("Lena", "Lea"), ("Leon", "Leo")])
def test_twins_whose_names_are_nearly_one_are_two(resolve: Resolve, names: tuple[str, str]) -> None:
    rows = [{"first_name": name} for name in (*names, *names)]
    result = resolve(records(*rows, last_name="Vogel", birth_date=date(2001, 4, 5), **HOME, **PHONE))
    assert result.apart("r_0", "r_1")
    assert result.together("r_0", "r_2")


LAST = ("Weber", "Koch", "Bauer", "Wolf")


@pytest.mark.parametrize(
    ("names", "own", "are_two"),
    [
        (("Jonas", "Jonah"), {}, True),
        (("Jonas", "Jonah"), {"email": "spatz@x.de"}, False),
        (("Rashid", "Rachid"), {}, False),
    ],
    ids=["two names", "a mailbox of their own", "two transliterations"],
)
def test_names_that_many_bear_and_that_differ_by_a_slip_are_siblings_at_one_home(
    resolve: Resolve, names: tuple[str, str], own: dict[str, Any], are_two: bool
) -> None:
    others = [
        {"record_key": f"o_{name}_{last}", "first_name": name, "last_name": last, "city": "Ulm"}
        for name in names
        for last in LAST
    ]
    rows = [{"first_name": name} for name in names]
    two = records(*rows, last_name="Vogel", birth_date=date(2001, 4, 5), **HOME, **PHONE, **own)
    assert resolve([*others, *two]).apart("r_0", "r_1") == are_two


@pytest.mark.parametrize(
    ("mailboxes", "are_two"),
    [
        (("thomas.mueller1@gmail.com", "thomas.mueller2@gmail.com"), True),
        (("thomas.mueller1@gmail.com", "t.mueller@web.de"), False),
        (("rotermilan1@gmail.com", "rotermilan2@gmail.com"), False),
    ],
    ids=["other numbers", "two mailboxes of any kind", "no name in them"],
)
def test_mailboxes_of_one_name_with_other_numbers_are_namesakes_and_people_are_asked(
    resolve: Resolve, mailboxes: tuple[str, str], are_two: bool
) -> None:
    rows = [{"email": mailbox} for mailbox in mailboxes]
    result = resolve(records(*rows, first_name="Thomas", last_name="Müller", postal_code="10115", city="Berlin"))
    assert result.apart("r_0", "r_1") == are_two
    assert are_two == ("numbered_mailboxes" in result.reasons())


@pytest.mark.parametrize(("houses", "are_two"), [(("77", "78"), True), (("77", "77a"), False), (("77", None), False)])
def test_who_has_one_name_and_lives_some_houses_away_is_another_person(
    resolve: Resolve, houses: tuple[str, str | None], are_two: bool
) -> None:
    rows = [{"house_number": house} for house in houses]
    home = {"street": "Calle Mayor", "postal_code": "28013", "city": "Madrid"}
    result = resolve(records(*rows, first_name="María", last_name="García", **home))
    assert result.apart("r_0", "r_1") == are_two


@pytest.mark.parametrize(
    ("names", "mailboxes"),
    [
        ((("Li", "Yongyong"), ("Yongjing", "Li")), ("li.yongyong@x.com", "li.yongjing@y.com")),
        ((("Yongyong", "Li"), ("Li", "Yongjing")), ("li.yongyong@x.com", "li.yongjing@y.com")),
    ],
)
def test_two_names_that_stand_in_two_mailboxes_are_two_also_where_they_are_swapped(
    resolve: Resolve, names: tuple[tuple[str, str], tuple[str, str]], mailboxes: tuple[str, str]
) -> None:
    rows = [
        {"first_name": first, "last_name": last, "email": mailbox}
        for (first, last), mailbox in zip(names, mailboxes, strict=True)
    ]
    assert resolve(records(*rows, **HOME)).apart("r_0", "r_1")


def test_a_father_and_a_son_of_one_name_with_details_of_their_own_are_asked_about(resolve: Resolve) -> None:
    rows = [{"email": "h.vogel@x.de", "phone": "+49301"}, {"email": "hansvogel7@y.de", "phone": "+49302"}]
    result = resolve(records(*rows, first_name="Hans", last_name="Vogel", **HOME))
    assert result.apart("r_0", "r_1")
    assert "other_details" in result.reasons()
    assert resolve(records(rows[0], {**rows[1], "email": None}, first_name="Hans", last_name="Vogel", **HOME)).together(
        "r_0", "r_1"
    )


def test_a_person_with_many_records_and_spellings_is_one(resolve: Resolve) -> None:
    spellings = [
        ("Katharina", "Hoffmann"), ("Katarina", "Hofmann"), ("Kathrina", "Hoffmann"), ("K.", "Hoffmann"),
        ("Hoffmann", "Katharina"), ("Katharina", "Hoffman"), ("Kathi", "Hoffmann"), ("Katharina M.", "Hoffmann"),
        ("Dr. Katharina", "Hoffmann"), ("Catharina", "Hoffmann"), (None, "Hoffmann"), ("Katharina", "Hofman"),
    ]  # fmt: skip
    mailboxes = ("katharina.hoffmann@x.de", "k.hoffmann@y.de")
    phones = ("+493011", "+493022", None)
    rows = [
        {"first_name": first, "last_name": last, "email": mailboxes[i % 2], "phone": phones[i % 3]}
        for i, (first, last) in enumerate(spellings)
    ]
    result = resolve(records(*rows))
    assert result.together(*(f"r_{i}" for i in range(len(rows))))


def test_stefan_and_stefanie_are_a_couple_though_only_other_spellings_of_them_are_known(resolve: Resolve) -> None:
    rows = [{"first_name": name} for name in ("Stefan", "Stefanie")]
    assert resolve(records(*rows, last_name="Schneider", **HOME, **PHONE)).apart("r_0", "r_1")


@pytest.mark.parametrize(
    ("names", "are_two"),
    [
        ((("Máté", "Németh"), ("Máténé", "Németh")), True),
        ((("Horváth", "Norbert"), ("Norbertné", "Horváth")), True),
        ((("Máté", "Németh"), ("Mate", "Nemeth")), False),
    ],
    ids=["his name with an ending", "the last name first", "without accents"],
)
def test_a_woman_who_bears_her_husband_s_name_is_not_he(
    resolve: Resolve, names: tuple[tuple[str, str], tuple[str, str]], are_two: bool
) -> None:
    rows = [{"first_name": first, "last_name": last} for first, last in names]
    assert resolve(records(*rows, **HOME, **PHONE)).apart("r_0", "r_1") == are_two


@pytest.mark.parametrize(
    ("names", "born", "is_one"),
    [
        ((("Trang", "Nguyễn Đức"), ("Đức Trang", "Nguyễn")), (1976, 1976), True),
        ((("Trang", "Nguyễn Đức"), ("Nguyen", "Duc Trang")), (1976, 1976), True),
        ((("Trang", "Nguyễn Đức"), ("Đức Trang", "Nguyễn")), (1976, 1981), False),
        ((("Trang", "Nguyễn Đức"), ("Đức Lan", "Nguyễn")), (1976, 1976), False),
    ],
    ids=["divided otherwise", "last name first", "another birth date", "another name"],
)
def test_three_names_in_any_order_and_a_birth_date_are_one_person(
    resolve: Resolve, names: tuple[tuple[str, str], tuple[str, str]], born: tuple[int, int], is_one: bool
) -> None:
    rows = [
        {"first_name": first, "last_name": last, "birth_date": date(year, 9, 28)}
        for (first, last), year in zip(names, born, strict=True)
    ]
    result = resolve(records(*rows))
    assert result.together("r_0", "r_1") == is_one
    assert ("same_names_and_birth_date" in result.rules()) == is_one


@pytest.mark.parametrize(
    ("mailboxes", "is_one"),
    [
        (("weber@t-online.de", "webers@t-online.de"), False),
        (("roterfuchs@t-online.de", "roterfuch@t-online.de"), True),
    ],
    ids=["two homes of one last name", "a slip in a word of their own"],
)
def test_mailboxes_of_a_last_name_that_are_nearly_one_do_not_say_who_has_no_first_name(
    resolve: Resolve, mailboxes: tuple[str, str], is_one: bool
) -> None:
    rows = [{"first_name": "Beate", "email": mailboxes[0]}, {"email": mailboxes[1]}]
    result = resolve(records(*rows, last_name="Weber", postal_code="10115", city="Berlin"))
    assert result.together("r_0", "r_1") == is_one
    assert is_one or "family_only" in result.reasons()


def test_in_a_list_that_tells_how_rare_names_are_a_namesake_some_houses_away_is_a_neighbor(resolve: Resolve) -> None:
    asked: dict[str, tuple[str, str, dict[str, Any], bool]] = {
        "Kandler": ("113", "70", {}, True),
        "Ostrow": ("113", "131", {}, False),
        "Pinkert": ("113", "113a", {}, False),
        "Ruland": ("113", "70", {"phone": "+4930555001"}, False),
        "Sattler": ("113", "70", {"birth_date": date(1980, 5, 1)}, False),
    }
    street = {"first_name": "Ottokar", "street": "Gartenweg", "postal_code": "50667", "city": "Köln"}
    rows = [
        {"record_key": f"{last}_{house}", **street, **own, "last_name": last, "house_number": house}
        for last, (*houses, own, _) in asked.items()
        for house in houses
    ]
    result = resolve([*make_people(300, 1), *rows])
    assert result.report.trained
    for last, (one, other, _, are_two) in asked.items():
        assert result.apart(f"{last}_{one}", f"{last}_{other}") == are_two, last
