"""Relatives are told from errors, and what they differ in is then no error that everybody makes."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest

from pipelines.resolve.comparisons import COMPARISONS
from pipelines.resolve.relatives import Relatives, are_twins_seen, limit_differing, limit_errors, observe_relatives
from tests.unit.resolve.conftest import Resolve

FIRST = ("Lukas", "Anna", "Jonas", "Emma", "Paul", "Mia", "Felix", "Lea", "Simon", "Clara", "Tobias", "Nele")
LAST = ("berger", "hofer", "mann", "stein", "wald", "ricker", "lohner")


@pytest.mark.parametrize(
    ("both", "name_alone", "seen"),
    [(90, 10, True), (5, 95, False), (8, 1, False)],
    ids=["relatives", "errors", "too few to tell"],
)
def test_relatives_differ_in_name_and_birth_date_together_and_errors_do_not(
    both: int, name_alone: int, seen: bool
) -> None:
    comparisons = tuple(c for c in COMPARISONS if c.name in ("first_name", "birth_date", "email"))
    other_name, other_date = (len(c.levels) - 1 for c in comparisons[:2])
    levels = np.array([[other_name, other_date, 0], [other_name, 0, 0], [0, other_date, 0], [0, 0, 0]])
    counts = np.array([both, name_alone, 50, 950])
    assert observe_relatives(comparisons, levels, counts, 0.01).are_seen == seen
    # Where nothing else makes them one person, nothing is said.
    levels[:, 2] = len(comparisons[2].levels) - 1
    assert not observe_relatives(comparisons, levels, counts, 0.01).are_seen


def test_birth_dates_of_one_first_name_are_wrong_within_ten_years_and_a_generation_apart_are_two_people() -> None:
    comparisons = tuple(c for c in COMPARISONS if c.name in ("first_name", "birth_date", "email"))
    other_name, far = (len(c.levels) - 1 for c in comparisons[:2])
    levels = np.array([[other_name, far, 0], [0, far - 1, 0], [0, far, 0], [0, 0, 0]])
    found = observe_relatives(comparisons, levels, np.array([90, 80, 50, 870]), 0.01)
    assert found == Relatives(are_seen=True, misdated_share=0.08)


def test_a_limited_comparison_keeps_its_proportions() -> None:
    (first_name,) = (c for c in COMPARISONS if c.name == "first_name")
    m = [0.5, 0.1, 0.1, 0.05, 0.05, 0.1, 0.1]
    limited = limit_differing(first_name, m, 0.03)
    assert limited[-1] == pytest.approx(0.03)
    assert limited[0] / limited[1] == pytest.approx(5, rel=1e-3)
    assert limit_differing(first_name, limited, 0.03) == limited


def test_nothing_is_limited_where_no_relatives_are_seen() -> None:
    learned = [[0.5, *(0.0 for _ in c.m[1:-1]), 0.5] for c in COMPARISONS]
    assert limit_errors(COMPARISONS, learned, Relatives(are_seen=False)) == learned
    limited = limit_errors(COMPARISONS, learned, Relatives(are_seen=True, misdated_share=0.08))
    differing = {c.name: sum(m[c.first_difference :]) for c, m in zip(COMPARISONS, limited, strict=True) if m}
    assert differing["first_name"] == pytest.approx(0.03, rel=1e-3)
    assert differing["birth_date"] == pytest.approx(0.08, rel=1e-3)
    assert differing["last_name"] == 0.5


@pytest.mark.parametrize(
    ("in_use", "strange", "seen"),
    [(40, 10, True), (5, 45, False), (6, 0, False)],
    ids=["two names in use", "names that nobody has", "too few"],
)
def test_twins_are_told_from_errors_by_names_that_are_in_use(in_use: int, strange: int, seen: bool) -> None:
    comparisons = tuple(c for c in COMPARISONS if c.name in ("first_name", "birth_date", "email"))
    other_name = len(comparisons[0].levels) - 1
    levels = np.array([[other_name, 0, 0, 0], [other_name, 0, 0, 1], [0, 0, 0, 0], [other_name, -1, 0, 0]])
    assert are_twins_seen(comparisons, levels, np.array([in_use, strange, 900, 500]), 0.01) == seen


def test_twins_are_two_also_where_one_has_a_rare_name(resolve: Resolve) -> None:
    """Half of the homes have twins, who share all but the first name; so first names seem to be full of errors."""
    rows: list[dict[str, Any]] = []
    for i in range(240):
        names = [FIRST[i % len(FIRST)], *([FIRST[(i + 5) % len(FIRST)]] if i % 2 else [])]
        if i % 20 == 1:
            names[1] = f"{chr(97 + i // 20) * 2}kemal".title()  # who else is called so?
        last = f"{chr(97 + i % 26)}{chr(97 + i // 26)}{LAST[i % len(LAST)]}".title()
        rows += [
            {
                "record_key": f"r_{i:03}_{name}_{n}",
                "first_name": name,
                "last_name": last if n else f"{last}e",
                "birth_date": date(1985 + i % 20, 1 + i % 12, 1 + i % 28),
                "postal_code": f"{10000 + 37 * i}",
                "city": f"{LAST[i % 5]}dorf{chr(97 + i % 26)}",
                "street": f"{LAST[i % 7]}weg{chr(97 + i % 19)}",
                "house_number": f"{1 + i % 90}",
                "phone": f"+49305550{i:03}" if n else None,
            }
            for name in names
            for n in range(2)
        ]
    result = resolve(rows)
    assert "first_name" in result.report.trained
    persons = {(customer, key.rsplit("_", 1)[0]) for key, customer in result.customer_of.items()}
    assert len(persons) == len({customer for customer, _ in persons})
