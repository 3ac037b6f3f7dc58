"""Lists too small to learn a model from: what everybody in them shares is evidence of nothing."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np

from pipelines.resolve.comparisons import COMPARISONS
from pipelines.resolve.training import raise_u
from tests.unit.resolve.conftest import Resolve

FIRST = ("Anna", "Bernd", "Carla", "Dieter", "Eva", "Frank", "Greta", "Heinz")
LAST = ("Schmidt", "Meyer", "Wagner", "Becker", "Hoffmann", "Koch", "Richter", "Wolf", "Neumann", "Schwarz")
STREETS = ("Hauptstraße", "Am Markt", "Ringweg")


def _people(count: int = 70, **of_all: Any) -> list[dict[str, Any]]:
    """Different people of one small town: namesakes are among them, and nobody lives with another."""
    return [
        {
            "record_key": f"r{i:03}",
            "first_name": FIRST[i % len(FIRST)],
            "last_name": LAST[i * 3 // 7 % len(LAST)],
            "street": STREETS[i % len(STREETS)],
            "house_number": str(i + 1),
            "postal_code": "27432",
            "city": "Bremervörde",
            **of_all,
        }
        for i in range(count)
    ]


def test_people_of_one_small_town_are_not_one_for_living_there(resolve: Resolve) -> None:
    people = [{**person, "email": f"nr{i}@post.example"} for i, person in enumerate(_people())]
    twice = {**people[5], "record_key": "again", "street": "Hauptstr.", "last_name": people[5]["last_name"][:-1]}
    result = resolve([*people, twice])
    assert result.together("again", "r005")
    assert result.apart(*(person["record_key"] for person in people))


def test_a_birth_date_that_everybody_has_is_nobody_s(resolve: Resolve) -> None:
    result = resolve(_people(birth_date=date(1970, 1, 1)))
    assert result.apart(*(f"r{i:03}" for i in range(70)))


def test_a_birth_date_that_one_person_has_many_times_stays_evidence(resolve: Resolve) -> None:
    people = [
        {**person, "birth_date": date(1950 + i % 50, 1 + i % 12, 1 + i % 28)} for i, person in enumerate(_people())
    ]
    spellings = ("Schmied", "Schmidtt", "Schmitd", "Schmid", "Schmdt", "Chmidt")
    times = [
        {"record_key": f"x{i}", "first_name": "Annika", "last_name": name, "birth_date": date(1988, 7, 13)}
        for i, name in enumerate(spellings)
    ]
    assert resolve([*people, *times]).together(*(row["record_key"] for row in times))


def test_a_birth_date_of_one_person_whose_names_are_swapped_and_missing_stays_evidence(resolve: Resolve) -> None:
    people = [
        {**person, "birth_date": date(1950 + i % 50, 1 + i % 12, 1 + i % 28)} for i, person in enumerate(_people())
    ]
    names = [("Violet", "Clark"), ("Clark", "Violet"), ("Oivlet", "Clark"), ("Violet", "Alcrk"), (None, "Clark")]
    times = [
        {"record_key": f"x{i}", "first_name": first, "last_name": last, "birth_date": date(1988, 7, 13)}
        for i, (first, last) in enumerate(names)
    ]
    result = resolve([*people, *times])
    assert result.together("x0", "x1", "x2")


def test_only_what_strangers_agree_in_more_often_than_usual_counts_for_less() -> None:
    names = [c.name for c in COMPARISONS]
    town, nowhere = (np.full((1, len(names)), -1) for _ in range(2))
    for name in ("first_name", "last_name", "birth_date"):
        town[0, names.index(name)] = len(COMPARISONS[names.index(name)].levels) - 1
        nowhere[0, names.index(name)] = 0
    nearly = [level.name for level in COMPARISONS[names.index("address")].levels].index("street and place, nearly")
    town[0, names.index("address")] = nowhere[0, names.index("address")] = nearly
    raised = {c.name: c for c in raise_u(COMPARISONS, np.concatenate([town, nowhere]), np.array([900, 100]))}
    assert raised["address"].levels[nearly].u == 0.90003  # 900 of 900 strangers, beside 100 as shipped
    unchanged = [c.name for c in COMPARISONS if raised[c.name] == c]
    assert unchanged == [name for name in names if name != "address"]
    assert raised["address"].levels[-1] == COMPARISONS[names.index("address")].levels[-1]
