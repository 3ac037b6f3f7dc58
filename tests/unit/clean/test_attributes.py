"""Birth date, gender, language."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tests.unit.clean.conftest import shipped_rules

# The other records of a mailbox need records; that is tested with the whole stage.
RULES = tuple(
    rule
    for rule in (*shipped_rules("birth_date"), *shipped_rules("attributes"))
    if rule.name != "birth_date_day_month_swapped"
)


@pytest.mark.parametrize(
    ("delivered", "rule"),
    [
        (date(1899, 12, 31), "birth_date_too_early"),
        (date(1900, 1, 1), "birth_date_placeholder"),
        (date(2026, 11, 22), "birth_date_in_future"),
    ],
    ids=["too early", "placeholder", "in the future"],
)
def test_an_implausible_birth_date_is_dropped_and_logged(apply_to_drafts: Any, delivered: date, rule: str) -> None:
    (draft,), (change,) = apply_to_drafts([{"birth_date": delivered}], RULES)
    assert draft["birth_date"] is None
    assert (change["rule"], change["before"], change["after"]) == (rule, delivered.isoformat(), None)


def test_a_birth_date_on_the_day_of_the_build_or_long_ago_stays(apply_to_drafts: Any) -> None:
    days = [date(2026, 11, 21), date(1900, 1, 2)]
    drafts, changes = apply_to_drafts([{"birth_date": day} for day in days], RULES)
    assert ([d["birth_date"] for d in drafts], changes) == (days, [])


def test_gender_and_language_are_brought_to_their_closed_sets(apply_to_drafts: Any) -> None:
    written = ["w", "Männlich", "DIVERS", "unbekannt", "zebra"]
    drafts, changes = apply_to_drafts([{"gender": g} for g in written], RULES)
    assert [d["gender"] for d in drafts] == ["female", "male", "diverse", None, "zebra"]
    assert {(c["rule"], c["before"], c["status"]) for c in changes if c["status"] == "proposed"} == {
        ("gender_unknown", "zebra", "proposed")
    }
    abroad = {
        "kvinna": "female",
        "žena": "female",
        "Kad\u0131n": "female",
        "женский": "female",
        "férfi": "male",
        "Mann": "male",
    }
    drafts, _ = apply_to_drafts([{"gender": g} for g in abroad], RULES)
    assert [d["gender"] for d in drafts] == list(abroad.values())
    abroad = {
        "sr": "sr",
        "lietuvių": "lt",
        "한국어": "ko",
        "Türkçe": "tr",
        "turkce": "tr",
        "hebräisch": "he",
        "ga": "ga",
    }
    abroad |= {"nb-NO": "no", "English (US)": "en", "de,en": "de", "русский": "ru", "cz": "cs", "deu": "de"}
    drafts, changes = apply_to_drafts([{"language": language} for language in abroad], RULES)
    assert [d["language"] for d in drafts] == list(abroad.values())
    assert not [c for c in changes if c["status"] == "proposed"]
    spoken = ["de-AT", "Deutsch", "ENGLISH", "français", "klingonisch"]
    drafts, changes = apply_to_drafts([{"language": language} for language in spoken], RULES)
    assert [d["language"] for d in drafts] == ["de", "de", "en", "fr", "klingonisch"]
    assert [c["rule"] for c in changes if c["status"] == "proposed"] == ["language_unknown"]


def test_day_and_month_swapped_are_only_ever_proposed(clean: Any) -> None:
    anna = {"first_name": "Anna", "last_name": "Maier", "email": "anna@firma.de"}
    cleaned = clean(
        {
            "crm_contacts": [
                {"source_record_id": "1", **anna, "birth_date": "1980-07-03"},
                {"source_record_id": "2", **anna, "birth_date": "1980-07-03"},
                {"source_record_id": "swapped", **anna, "birth_date": "1980-03-07"},
                {"source_record_id": "another", **anna, "first_name": "Max", "birth_date": "1980-03-07"},
                {"source_record_id": "other day", **anna, "birth_date": "1980-08-03"},
            ]
        }
    )
    (proposal,) = cleaned.tables["corrections"]
    assert (proposal["source_record_id"], proposal["rule"], proposal["status"]) == (
        "swapped",
        "birth_date_day_month_swapped",
        "proposed",
    )
    assert (proposal["before"], proposal["after"]) == ("1980-03-07", "1980-07-03")
    assert cleaned.person("swapped")["birth_date"] == date(1980, 3, 7)
