"""Relatives are told from errors, and what they differ in is then no error that everybody makes."""

from __future__ import annotations

import numpy as np
import pytest

from pipelines.resolve.comparisons import COMPARISONS
from pipelines.resolve.relatives import Relatives, limit_differing, limit_errors, observe_relatives


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
