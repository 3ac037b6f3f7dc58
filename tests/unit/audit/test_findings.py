"""A finding opens, stays, closes and comes back over the audits; people accept it for a time."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from pipelines.audit.decisions import Decision, decide, read_decisions
from pipelines.audit.findings import Finding, State, Trend, follow_findings
from pipelines.audit.telling import tell_findings, tell_none_open
from pipelines.errors import ConfigurationError
from pipelines.settings import Settings
from tests.unit.audit.audits import RULE, History, history, night

NAME = "CRM-004:crm.contacts"
NOW = night(10)


def only(past: History, *decisions: Decision, now: datetime = NOW) -> Finding:
    [finding] = follow_findings(past, decisions, now)
    return finding


def accepted(failed: int, until: date, at: int = 5) -> Decision:
    return Decision(NAME, "Erika Beispiel", "The shop replaces its form in spring.", until, failed, night(at))


def test_a_rule_that_was_always_met_is_no_finding() -> None:
    assert follow_findings(history({RULE: 0}, {RULE: 0}), [], NOW) == []


def test_a_finding_is_open_from_the_first_audit_that_sees_it() -> None:
    found = only(history({RULE: 0}, {RULE: 5}, {RULE: 7}))
    assert (found.id, found.state, found.trend) == (NAME, State.OPEN, Trend.RISING)
    assert (found.first_seen_at, found.last_seen_at, found.seen_count) == (night(1), night(2), 2)
    assert (found.failed_count, found.previous_failed_count) == (7, 5)
    assert (found.customers_affected, found.revenue_affected) == (7, 70.0)
    assert found.first_seen_version is None  # that audit refused


def test_it_closes_when_the_rule_is_met_and_reopens_when_it_is_not_met_again() -> None:
    closed = only(history({RULE: 5}, {RULE: 0}, {RULE: 0}))
    assert (closed.state, closed.closed_at, closed.trend) == (State.CLOSED, night(1), Trend.GONE)
    again = only(history({RULE: 5}, {RULE: 0}, {RULE: 5}))
    assert (again.state, again.reopened_count, again.closed_at) == (State.REOPENED, 1, None)
    assert (again.first_seen_at, again.opened_at) == (night(0), night(2))
    assert again.trend is Trend.NEW


@pytest.mark.parametrize(
    ("before", "now", "trend"), [(5, 3, Trend.FALLING), (5, 5, Trend.STEADY), (None, 5, Trend.STEADY)]
)
def test_the_trend_is_that_of_the_share_that_fails(before: int | None, now: int, trend: Trend) -> None:
    assert only(history({RULE: before}, {RULE: now})).trend is trend


def test_the_same_number_among_more_records_is_no_progress() -> None:
    past = history({RULE: 5}, {RULE: 5})
    [last] = past.results["build-1"]
    more = History(past.audits, {**past.results, "build-1": [replace(last, element_count=200)]}, past.texts, {})
    assert only(more).trend is Trend.STEADY


def test_a_check_that_could_not_run_is_a_finding_and_closes_none() -> None:
    assert only(history({RULE: 5}, {RULE: None})).state is State.OPEN


def test_an_audit_of_other_suites_says_nothing_about_it_and_a_whole_one_without_the_rule_closes_it() -> None:
    past = history({RULE: 5}, None)
    assert only(past).closed_at == night(1)
    first, second = past.audits
    partial = History(
        (first, second.__class__(**{**second.__dict__, "is_complete": False})), past.results, past.texts, {}
    )
    assert only(partial).state is State.OPEN


def test_what_needs_work_comes_first_and_most_revenue_before_less() -> None:
    other, third = ("crm_005", "crm.contacts"), ("crm_006", "crm.contacts")
    past = history({RULE: 5, other: 9, third: 50}, {RULE: 5, other: 9, third: 0})
    assert [f.rule_id for f in follow_findings(past, [], NOW)] == ["crm_005", "crm_004", "crm_006"]


def test_an_accepted_finding_needs_no_work_until_its_day_is_over() -> None:
    past, until = history({RULE: 5}), NOW.date()
    found = only(past, accepted(5, until))
    assert (found.state, found.needs_work) == (State.ACCEPTED, False)
    assert only(past, accepted(5, until), now=NOW + timedelta(days=1)).state is State.OPEN


def test_an_acceptance_is_for_what_was_seen_and_not_for_three_times_as_much() -> None:
    until = NOW.date()
    assert only(history({RULE: 10}), accepted(5, until)).state is State.ACCEPTED
    assert only(history({RULE: 11}), accepted(5, until)).state is State.OPEN


def test_an_acceptance_that_was_taken_back_does_not_hold() -> None:
    taken_back = Decision(NAME, "Erika Beispiel", "They are late.", None, 5, night(6))
    assert only(history({RULE: 5}), accepted(5, NOW.date()), taken_back).state is State.OPEN


def test_a_decision_is_kept_with_who_and_why_and_comes_back(settings: Settings) -> None:
    findings = follow_findings(history({RULE: 5}), [], NOW)
    until = NOW.date() + timedelta(days=30)
    said = {"author": "Erika Beispiel", "reason": "Agreed  with\nthe board.", "now": NOW}
    decide(settings, findings, NAME.lower(), until=until, **said)
    [kept] = read_decisions(settings)
    assert (kept.finding_id, kept.author, kept.reason, kept.until) == (
        *(NAME, "Erika Beispiel", "Agreed with the board.", until),
    )
    assert only(history({RULE: 5}), kept).state is State.ACCEPTED
    decide(settings, findings, NAME, until=None, takes_back=True, **said)
    assert only(history({RULE: 5}), *read_decisions(settings)).state is State.OPEN
    file = settings.state_dir / "findings.jsonl"
    assert file.stat().st_mode & 0o777 == 0o600
    assert [json.loads(line)["until"] for line in file.read_text().splitlines()] == [until.isoformat(), None]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"name": "CRM-999:crm.contacts"}, f"no finding 'CRM-999:crm.contacts' is open; open are: {NAME}"),
        ({"author": " "}, "author: say who decides"),
        ({"reason": None}, "reason: say why"),
        ({"reason": "As somebody@mail.example asked."}, "name nobody"),
        ({"until": None}, "until: name the last day"),
        ({"until": NOW.date() - timedelta(days=1)}, "is not between today and a year from now"),
        ({"until": NOW.date() + timedelta(days=400)}, "is not between today and a year from now"),
    ],
)
def test_what_is_missing_or_too_much_is_said(settings: Settings, change: dict[str, object], sentence: str) -> None:
    findings = follow_findings(history({RULE: 5}), [], NOW)
    said: dict[str, object] = {"name": NAME, "author": "E. B.", "reason": "Agreed.", "until": NOW.date(), **change}
    with pytest.raises(ConfigurationError, match=sentence):
        decide(settings, findings, str(said.pop("name")), now=NOW, **said)  # type: ignore[arg-type]
    assert read_decisions(settings) == []


def test_a_finding_is_told_with_extent_customers_owner_and_remedy() -> None:
    [first, second] = tell_findings([only(history({RULE: 5}, {RULE: 7}))], "EUR")
    assert first == (
        f"{NAME}  open since 2026-11-01, seen 2 times, critical: 7 of 100 fail, rising from 5, "
        "7 customers with 70 EUR of revenue."
    )
    assert second == "    E-mail addresses are valid. Owner: CRM team. Correct them."


def test_of_a_team_without_findings_it_is_said_who_has_some() -> None:
    found = [only(history({RULE: 5}))]
    assert tell_none_open(found, "CRM-Team") == "No finding of CRM-Team is open; there are some of CRM team."
    assert tell_none_open([], "CRM team") == tell_none_open([], None) == "No finding is open."
