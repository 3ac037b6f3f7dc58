"""A record without a first name is not the one person who is known on a mailbox that homes share here."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tests.unit.resolve.conftest import Resolve

COUPLES, LONE = 30, 30


def _list(couple_names: tuple[str, str]) -> list[dict[str, Any]]:
    """Mailboxes of two records each, of one or two first names; and as many of one person with two records."""
    pairs = [(f"c{i:02}", f"Couple{chr(97 + i % 26)}{i}", couple_names) for i in range(COUPLES)]
    pairs += [(f"s{i:02}", f"Lone{chr(97 + i % 26)}{i}", ("Olga", "Olga")) for i in range(LONE)]
    return [
        {"record_key": f"{key}_{n}", "first_name": first, "last_name": last, "email": f"post{key}@home.example"}
        for key, last, names in pairs
        for n, first in enumerate(names)
    ]


def _asked(mailbox: str) -> list[dict[str, Any]]:
    return [
        {"record_key": "known", "first_name": "Tristan", "last_name": "Vallet", "email": mailbox},
        {"record_key": "nameless", "last_name": "Vallet", "email": mailbox},
    ]


@pytest.mark.parametrize(
    ("couple_names", "mailbox", "is_one"),
    [
        (("Bernd", "Gisela"), "vallet740@home.example", False),
        (("Bernd", "Gisela"), "tristan.vallet@home.example", True),
        (("Bernd", "Bernd"), "vallet740@home.example", True),
    ],
    ids=["a mailbox like those that are shared", "a mailbox that names its bearer", "where none is shared"],
)
def test_whoever_has_no_first_name_is_the_person_known_on_a_mailbox_unless_homes_share_such(
    resolve: Resolve, couple_names: tuple[str, str], mailbox: str, is_one: bool
) -> None:
    result = resolve([*_list(couple_names), *_asked(mailbox)])
    assert result.together("known", "nameless") == is_one
    assert is_one or "shared_by_several_names" in result.reasons()


@pytest.mark.parametrize(
    ("couple_names", "born", "is_one"),
    [
        (("Bernd", "Gisela"), None, False),
        (("Bernd", "Gisela"), date(1968, 6, 23), True),
        (("Bernd", "Bernd"), None, True),
    ],
    ids=["only a name and a home", "a birth date in common", "where one person lives in a home"],
)
def test_a_last_name_at_a_home_says_no_first_name_where_several_live_in_homes(
    resolve: Resolve, couple_names: tuple[str, str], born: date | None, is_one: bool
) -> None:
    def home(number: int) -> dict[str, Any]:
        town = chr(97 + number % 23) + chr(97 + number % 17)
        return {"street": f"{town}weg", "house_number": "7", "postal_code": f"{10000 + number}", "city": town}

    others = [
        {key: value for key, value in row.items() if key != "email"} | home(i // 2)
        for i, row in enumerate(_list(couple_names))
    ]
    known = {"record_key": "known", "first_name": "Janet", "last_name": "Xylander", **home(500)}
    known |= {"street": "Lindenweg", "birth_date": born}
    nameless = {**known, "record_key": "nameless", "first_name": None, "street": "Lindenweeg"}
    result = resolve([*others, known, nameless])
    assert result.together("known", "nameless") == is_one
    assert is_one or "family_only" in result.reasons()


@pytest.mark.parametrize(
    ("names", "is_one"),
    [(("Bernd", "Gisela"), False), (("Bernd", "Bernd"), True)],
    ids=["hardly anybody is seen twice", "half are"],
)
def test_an_initial_is_nobody_known_on_a_phone_where_hardly_anybody_is_seen_twice_on_one(
    resolve: Resolve, names: tuple[str, str], is_one: bool
) -> None:
    homes = [("Bernd", "Gisela")] * 120 + [names] * 60
    others = [
        {"record_key": f"o_{i:03}_{n}", "first_name": name, "last_name": f"Wolf{i}", "phone": f"+49305551{i:03}"}
        for i, pair in enumerate(homes)
        for n, name in enumerate(pair)
    ]
    asked = [
        {"record_key": f"asked_{n}", "first_name": name, "last_name": "Vallet", "phone": "+49305552000", **own}
        for n, (name, own) in enumerate((("Tristan", {}), ("T.", {"email": "wolke@x.de"}), ("T.", {})))
    ]
    result = resolve([*others, *asked])
    assert result.together("asked_0", "asked_1") == is_one
    assert result.together("asked_1", "asked_2") == is_one
    assert is_one or "shared_by_several_names" in result.reasons()
