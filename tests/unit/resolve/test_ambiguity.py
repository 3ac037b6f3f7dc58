"""Who fits several people that share a mailbox or a home belongs to none of them until something tells which."""

from __future__ import annotations

from datetime import date

import pytest

from tests.unit.resolve.conftest import Resolve, Row

SHARED = {"last_name": "Weber", "email": "weber@x.de"}
ANNA, ANDREAS = {"first_name": "Anna", **SHARED}, {"first_name": "Andreas", **SHARED}
ELDER, YOUNGER = ({"first_name": "Hans", **SHARED, "last_name": f"Weber {mark}"} for mark in ("sen.", "jun."))


@pytest.mark.parametrize(
    ("one", "other", "torn"),
    [(ANNA, ANDREAS, {"first_name": "A."}), (ELDER, YOUNGER, {"first_name": "Hans"})],
    ids=["an initial of two", "a name that father and son have"],
)
def test_who_fits_two_people_on_one_mailbox_is_given_to_neither(
    resolve: Resolve, one: Row, other: Row, torn: Row
) -> None:
    rows = [
        {"record_key": "r_1", **one},
        {"record_key": "r_2", **other},
        {"record_key": "r_3", **SHARED, **torn},
    ]
    result = resolve(rows)
    assert result.apart("r_1", "r_2", "r_3")
    assert "fits_several" in result.reasons()


def test_an_initial_that_only_one_of_them_has_is_theirs(resolve: Resolve) -> None:
    bernd = {"record_key": "r_2", **SHARED, "first_name": "Bernd"}
    result = resolve([{"record_key": "r_1", **ANNA}, bernd, {"record_key": "r_3", **SHARED, "first_name": "A."}])
    assert result.together("r_1", "r_3")
    assert result.apart("r_1", "r_2")


def test_a_birth_date_tells_whose_initial_it_is(resolve: Resolve) -> None:
    born = {"birth_date": date(1980, 5, 1)}
    rows = [
        {"record_key": "r_1", **ANNA, **born},
        {"record_key": "r_2", **ANDREAS},
        {"record_key": "r_3", **SHARED, "first_name": "A.", **born},
    ]
    result = resolve(rows)
    assert result.together("r_1", "r_3")
    assert result.apart("r_1", "r_2")


def test_a_mailbox_of_their_own_tells_whose_initial_it_is(resolve: Resolve) -> None:
    phone = {"phone": "+4930"}
    rows = [
        {"record_key": "r_1", **ANNA, **phone, "email": "anna@x.de"},
        {"record_key": "r_2", **ANDREAS, **phone, "email": "andreas@x.de"},
        {"record_key": "r_3", **SHARED, **phone, "first_name": "A.", "email": "anna@x.de"},
    ]
    result = resolve(rows)
    assert result.together("r_1", "r_3")
    assert result.apart("r_1", "r_2")


def test_who_is_torn_at_home_is_torn_on_the_mailbox_of_the_family(resolve: Resolve) -> None:
    home = {"street": "Lindenweg", "house_number": "4", "postal_code": "10115", "city": "Berlin"}
    rows = [
        {"record_key": "r_1", **ANNA, **home},
        {"record_key": "r_2", **ANDREAS, **home, "email": None},
        {"record_key": "r_3", **SHARED, "first_name": "Bernd"},
        {"record_key": "r_4", **SHARED, **home, "first_name": "A."},
    ]
    result = resolve(rows)
    assert result.apart("r_1", "r_2", "r_3", "r_4")


def test_father_and_son_who_are_marked_are_two_whatever_they_share(resolve: Resolve) -> None:
    everything = {"phone": "+4930", "street": "Lindenweg", "house_number": "4", "postal_code": "10115"}
    rows = [
        {"record_key": "r_1", **ELDER, **everything},
        {"record_key": "r_2", **YOUNGER, **everything},
    ]
    result = resolve(rows)
    assert result.apart("r_1", "r_2")
    assert "different_generations" in result.reasons()


@pytest.mark.parametrize(
    ("own", "is_one"),
    [({}, False), ({"birth_date": date(1980, 5, 1)}, True), ({"email": "hans@x.de"}, True)],
    ids=["nothing else", "the same birth date", "the same mailbox"],
)
def test_who_is_marked_as_the_son_is_not_somebody_unmarked_for_their_home_alone(
    resolve: Resolve, own: Row, is_one: bool
) -> None:
    home = {"street": "Lindenweg", "house_number": "4", "postal_code": "10115", "city": "Berlin", **own}
    rows = [
        {"record_key": "r_1", "first_name": "Hans", "last_name": "Weber", **home},
        {"record_key": "r_2", "first_name": "Hans", "last_name": "Weber jun.", **home},
    ]
    assert resolve(rows).together("r_1", "r_2") == is_one


@pytest.mark.parametrize(
    ("born", "is_torn"),
    [(date(1985, 7, 14), True), (date(1950, 3, 12), False), (date(1980, 3, 2), False)],
    ids=["a generation later", "a slip", "a slip in the year"],
)
def test_who_has_no_birth_date_is_torn_between_father_and_son_of_one_name(
    resolve: Resolve, born: date, is_torn: bool
) -> None:
    shared = {"first_name": "Hans", "last_name": "Weber", "phone": "+493012345678"}
    rows = [
        {"record_key": "r_1", **shared, "birth_date": date(1950, 3, 2)},
        {"record_key": "r_2", **shared, "birth_date": born},
        {"record_key": "r_3", **shared, "email": "tiger8@x.de"},
        {"record_key": "r_4", "first_name": "Hans", "last_name": "Weber", "email": "tiger8@x.de"},
    ]
    result = resolve(rows)
    assert result.apart("r_1", "r_3") == is_torn
    assert result.apart("r_2", "r_3") == is_torn
    assert result.together("r_3", "r_4")
    assert ("fits_several" in result.reasons()) == is_torn


def test_a_phone_in_common_does_not_say_that_the_unmarked_is_the_son(resolve: Resolve) -> None:
    rows = [
        {"record_key": "r_1", "first_name": "Hans", "last_name": "Weber", "phone": "+4930"},
        {"record_key": "r_2", "first_name": "Hans", "last_name": "Weber jun.", "phone": "+4930"},
        {"record_key": "r_3", "first_name": "Hans", "last_name": "Weber III", "phone": "+4930"},
    ]
    assert resolve(rows).apart("r_1", "r_2", "r_3")
