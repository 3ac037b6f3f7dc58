"""Scores: the share that is as it should be, weighted over several measures."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipelines.audit import Status
from pipelines.audit.scorecard import Measure, Score, measure_fields, measure_results, score_build
from pipelines.settings import Settings
from pipelines.warehouse import connect
from tests.unit.audit.audits import RESULT


def score_at(scores: list[Score], *place: str | None) -> float | None:
    return next(s.score for s in scores if (s.level, s.scope, s.entity, s.field, s.dimension) == place)


def measure(good: int, weight: float = 1.0, *, dimension: str = "validity", scope: str = "crm") -> Measure:
    return Measure(scope, "contacts", "email", dimension, 10, good, weight)


def test_a_score_over_several_is_the_weighted_mean_of_their_shares() -> None:
    scores = score_build([measure(5, 3.0), replace(measure(9), field="phone"), measure(10, dimension="accuracy")])
    assert score_at(scores, "field", "crm", "contacts", "email", "validity") == 0.5
    assert score_at(scores, "entity", "crm", "contacts", None, "validity") == pytest.approx((0.5 * 3 + 0.9) / 4)
    assert score_at(scores, "scope", "crm", None, None, None) == pytest.approx((0.5 * 3 + 0.9 + 1) / 5)
    assert score_at(scores, "total", None, None, None, None) == score_at(scores, "scope", "crm", None, None, None)


def test_a_million_good_records_do_not_hide_ten_bad_ones() -> None:
    many = Measure("web", "events", "url", "validity", 1_000_000, 1_000_000, 1.0)
    assert score_at(score_build([many, measure(0)]), "total", None, None, None, None) == 0.5


def test_what_is_only_shown_has_a_score_and_counts_in_none() -> None:
    scores = score_build([measure(2, 0.0), measure(8, scope="shop")])
    assert score_at(scores, "field", "crm", "contacts", "email", "validity") == 0.2
    assert score_at(scores, "scope", "crm", None, None, None) is None
    assert score_at(scores, "total", None, None, None, None) == 0.8


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, [(10, 6)]),
        ({"status": Status.PASSED, "failed_count": 0}, [(10, 10)]),
        ({"status": Status.NOT_RUN, "element_count": None, "failed_count": None}, [(1, 0)]),
        ({"status": Status.NOT_APPLICABLE, "element_count": 0, "failed_count": None}, []),
        ({"status": Status.WARNED, "element_count": 0, "failed_count": 1}, [(1, 0)]),
    ],
    ids=["some fail", "all pass", "could not run", "nothing to check", "a statement about the whole"],
)
def test_a_result_is_one_measure(change: dict[str, object], expected: list[tuple[int, int]]) -> None:
    measures = measure_results([replace(RESULT, **change)], {})  # type: ignore[arg-type]
    assert [(m.element_count, m.good_count) for m in measures] == expected
    assert {m.weight for m in measures} <= {2.0}


def test_fields_are_measured_as_they_were_delivered(company: Settings) -> None:
    with connect(company.build_warehouse, company) as connection:
        connection.execute("update meta.source_profile set record_count = 2, filled_count = 2")
        for column, filled in (("first_name", 1), ("phone", 0)):
            connection.execute(
                "update meta.source_profile set filled_count = ? where entity = 'contacts' and column_name = ?",
                [filled, column],
            )
        connection.execute("update clean.corrections set after = null")
        measures = measure_fields(connection)
    found = {(m.scope, m.entity, m.field, m.dimension): (m.element_count, m.good_count, m.weight) for m in measures}
    assert found["crm", "contacts", "first_name", "completeness"] == (2, 1, 1.0)
    assert found["crm", "contacts", "last_name", "validity"] == (2, 1, 1.0)  # cleaning took one away
    assert found["shop", "orders", "total_amount", "completeness"][2] == 0.0
    assert ("crm", "contacts", "phone", "completeness") not in found  # no contact has one
