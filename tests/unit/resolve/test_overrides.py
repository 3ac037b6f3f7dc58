"""What people decide about two records holds, always; taken back, everything is as it was, with the ids it had."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from duckdb import DuckDBPyConnection
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pipelines.overrides import TABLE_COLUMNS
from pipelines.resolve import OverrideReport, write_outcomes
from pipelines.resolve.overrides import find_path
from tests.unit.resolve.conftest import Resolve, Resolved, make_build

ANNA = {"first_name": "Anna", "last_name": "Schmidt", "email": "a.schmidt@x.de", "phone": "+493012345678"}
BERND = {"first_name": "Bernd", "last_name": "Koch", "email": "koch@y.de", "birth_date": "1970-05-06"}
CARLA = {"first_name": "Carla", "last_name": "Weiß", "email": "carla@z.de", "birth_date": "1990-07-08"}

# Anna in three systems, Bernd in two, Carla in one: found out without anybody's help.
PEOPLE: list[dict[str, Any]] = [
    {"record_key": "r_a1", "source_system": "crm", "birth_date": "1980-01-02", **ANNA},
    {"record_key": "r_a2", "source_system": "shop", **ANNA},
    {"record_key": "r_a3", "source_system": "support", **ANNA | {"phone": None}},
    {"record_key": "r_b1", "source_system": "crm", **BERND},
    {"record_key": "r_b2", "source_system": "shop", **BERND | {"birth_date": None}},
    {"record_key": "r_c1", "source_system": "crm", **CARLA},
]
KEYS = [row["record_key"] for row in PEOPLE]
MUST, CANNOT = "must-link", "cannot-link"
Decision = tuple[str, str, str]


class Office:
    """People who decide, and what resolving makes of it."""

    def __init__(self, connection: DuckDBPyConnection, resolve: Resolve) -> None:
        self.connection, self._resolve = connection, resolve
        self.nights = itertools.count()
        self.undecided: Resolved | None = None  # what everything is without any decision, once somebody has resolved
        connection.execute("create schema if not exists config")

    def resolve(self, *decisions: Decision, active: bool = True) -> Resolved:
        """Resolve with these decisions in the lines from 2 on, and publish the result."""
        self.connection.execute(f"create or replace table config.overrides ({TABLE_COLUMNS})")
        for line, (kind, a, b) in enumerate(decisions, start=2):
            self.connection.execute(
                "insert into config.overrides (kind, a_record_key, b_record_key, is_active, line) "
                "values (?, ?, ?, ?, ?)",
                [kind, a, b, active, line],
            )
        version = f"202611{next(self.nights):04}T000000Z-00000000"
        return self._resolve(PEOPLE, version=version, then_publish=True)

    def judge(self) -> OverrideReport:
        self.connection.execute("create or replace table identity.account_records (record_key text, account_id text)")
        return write_outcomes(self.connection, make_build().as_of.date())


@pytest.fixture
def office(warehouse: DuckDBPyConnection, resolve: Resolve) -> Office:
    return Office(warehouse, resolve)


def test_people_join_what_nothing_else_would_against_other_names_and_birth_dates(office: Office) -> None:
    assert office.resolve().apart("r_a1", "r_b1", "r_c1")
    result = office.resolve((MUST, "r_b1", "r_a1"))
    assert result.together("r_a1", "r_a2", "r_a3", "r_b1", "r_b2")
    [link] = [link for link in result.links if link["rule"] == "must_link"]
    assert (link["record_key_a"], link["record_key_b"], link["method"]) == ("r_a1", "r_b1", "override")


def test_people_separate_what_the_same_mailbox_joins_also_through_a_third_record(office: Office) -> None:
    assert office.resolve().together("r_a1", "r_a2", "r_a3")
    result = office.resolve((CANNOT, "r_a3", "r_a1"))
    assert result.apart("r_a1", "r_a3")
    assert "cannot_link" in result.reasons()


def test_people_question_also_what_the_source_merged(warehouse: DuckDBPyConnection, resolve: Resolve) -> None:
    rows = [PEOPLE[0], {"record_key": "r_x", "first_name": "Anna", "merged_into_record_key": "r_a1"}]
    assert resolve(rows).together("r_a1", "r_x")
    warehouse.execute(
        "insert into config.overrides (kind, a_record_key, b_record_key, is_active) "
        "values ('cannot-link', 'r_x', 'r_a1', true)"
    )
    assert resolve(rows).apart("r_a1", "r_x")


def test_what_expired_or_names_nobody_changes_nothing(office: Office) -> None:
    before = office.resolve().customer_of
    assert office.resolve((CANNOT, "r_a1", "r_a2"), (MUST, "r_a1", "r_b1"), active=False).customer_of == before
    assert office.judge().counts == {"inactive": 2}
    assert office.resolve((MUST, "r_a1", "r_gone")).customer_of == before
    report = office.judge()
    assert report.counts == {"stale": 1}
    assert report.sentences == (
        "overrides.csv, line 2: a record it names is not there any more, so it has no effect; correct it or take it "
        "out.",
    )


def test_a_decision_that_is_dated_ahead_holds_and_is_told(office: Office) -> None:
    result = office.resolve((MUST, "r_a1", "r_b1"))
    office.connection.execute("update config.overrides set decided_on = date '2062-11-21'")
    report = office.judge()
    assert result.together("r_a1", "r_b1")
    assert report.counts == {"in_force": 1}
    assert report.sentences == (
        "overrides.csv, line 2: its date is later than the day of this run; it holds all the same, so correct the "
        "date.",
    )


def test_a_contradiction_is_told_with_all_its_lines(office: Office) -> None:
    office.resolve((CANNOT, "r_a1", "r_c1"), (MUST, "r_a1", "r_b1"), (MUST, "r_a2", "r_a3"), (MUST, "r_c1", "r_b1"))
    report = office.judge()
    assert report.counts == {"contradicted": 1, "in_force": 3}
    assert report.sentences == (
        "overrides.csv, line 2: it keeps two records apart that lines 3, 5 make one; take one of them back.",
    )


def test_an_override_that_does_not_hold_is_found_out(office: Office) -> None:
    office.resolve((CANNOT, "r_a1", "r_b1"))
    office.connection.execute("update identity.members set customer_id = 'c_one'")
    assert office.judge().counts == {"broken": 1}


def test_a_path_has_the_fewest_lines() -> None:
    links = [(2, "a", "b"), (3, "b", "c"), (4, "c", "d"), (5, "a", "d"), (6, "x", "y")]
    assert find_path(links, "a", "d") == [5]
    assert find_path(links, "b", "d") in ([2, 5], [3, 4])
    assert find_path(links, "a", "x") == []
    assert find_path([], "a", "a") == []


PAIRS = st.tuples(st.sampled_from(KEYS), st.sampled_from(KEYS)).filter(lambda p: p[0] < p[1])
DECISIONS = st.lists(st.tuples(st.sampled_from([MUST, CANNOT]), PAIRS), min_size=1, max_size=4)


@hypothesis_settings(
    max_examples=4,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(decisions=DECISIONS)
def test_decided_and_taken_back_is_as_it_was_with_the_old_ids(
    office: Office, decisions: list[tuple[str, tuple[str, str]]]
) -> None:
    before = office.undecided or office.resolve()
    decided = [(kind, a, b) for kind, (a, b) in decisions]
    result = office.resolve(*decided)
    report = office.judge()
    must = [(line, a, b) for line, (kind, a, b) in enumerate(decided, start=2) if kind == MUST]
    for kind, a, b in decided:
        if kind == MUST:
            assert result.together(a, b)
        elif not find_path(must, a, b):
            assert result.apart(a, b)
    assert set(report.counts) <= {"in_force", "contradicted"}
    assert office.resolve(*reversed(decided)).customer_of == result.customer_of
    after = office.undecided = office.resolve()
    assert after.customer_of == before.customer_of
    assert {frozenset((link["record_key_a"], link["record_key_b"])) for link in after.links} == {
        frozenset((link["record_key_a"], link["record_key_b"])) for link in before.links
    }
