"""The golden record: whose value wins, and that it can be said where it came from."""

from __future__ import annotations

import re
from typing import Any

import pytest

from pipelines.configuration.survivorship import FIELD_GROUPS
from pipelines.settings import DBT_PROJECT_DIR
from tests.unit.unify.conftest import Marts
from tests.unit.unify.world import World, records


def state_facts(world: World) -> None:
    anna = "c_anna"
    world.person(
        anna,
        "anna",
        "crm",
        first_name="Anna",
        last_name="Beispiel",
        email="anna@crm.example",
        street="Alte Gasse",
        house_number="1",
        postal_code="10115",
        city="Berlin",
        birth_date="1980-02-29",
        mobile="+4915112345678",
        updated_at="2026-01-01",
    )
    world.person(
        anna,
        "anna",
        "shop",
        first_name="Anne",
        last_name="Beispiel",
        title="Dr.",
        email="anna@shop.example",
        street="Neue Gasse",
        postal_code="20095",
        city="Hamburg",
        updated_at="2025-06-01",
    )
    world.person(anna, "anna_old", "crm", email="old@crm.example", updated_at="2025-01-01", phone="+493012345")
    world.person(anna, "anna_gone", "crm", phone="+49309999", updated_at="2026-06-01", is_deleted=True)
    world.person(anna, "anna_unseen", "support", is_inferred=True)
    world.person(
        "c_half", "half", "crm", last_name="Halb", email="broken@", is_email_valid=False, updated_at="2026-01-01"
    )
    world.person("c_half", "half", "support", first_name="Hanna", last_name="Halb", email="h@example.org")
    world.person("c_gone", "gone", "crm", first_name="Weg", is_deleted=True)
    methods = world.person("c_methods", "methods", "crm", email="own@method.example", created_at="2024-01-01")
    world.contact_point(methods, "email", "checked@method.example", is_verified=True, valid_from="2025-05-01")
    world.contact_point(methods, "email", "dead@method.example", is_undeliverable=True)
    world.contact_point(methods, "email", "old@method.example", valid_until="2025-06-01")
    world.contact_point(methods, "email", "leaving@method.example", valid_until="2026-12-31")
    again = world.person("c_methods", "methods", "shop", created_at="2024-02-01")
    world.contact_point(again, "email", "regained@method.example", source="shop", valid_until="2025-01-01")
    world.contact_point(methods, "email", "regained@method.example", valid_from="2025-03-01")
    world.person("c_tie", "tie2", "crm", language="de")
    world.person("c_tie", "tie1", "crm", language="fr")
    _state_strategies(world)
    _state_pins(world)


def _state_strategies(world: World) -> None:
    """Gender survives by frequency, mobile numbers by how long they are proven, before anything else is asked."""
    world.choose_by(["most_frequent", "most_recent"], group="gender")
    world.choose_by(["longest_verified", "most_recent"], group="mobile")
    for record, gender, updated_at in (("g1", "female", "2025-01-01"), ("g2", "female", "2025-02-01")):
        world.person("c_counted", record, "crm", gender=gender, updated_at=updated_at)
    world.person("c_counted", "g3", "shop", gender="male", updated_at="2026-01-01")
    proven = {"phone1": ("+4917600001", "2025-03-01"), "phone2": ("+4917600002", "2025-02-01")}
    for record, (number, verified_since) in proven.items():
        key = world.person("c_proven", record, "crm", mobile=number, updated_at="2025-01-01")
        world.connection.execute(
            "update clean.contact_points set is_verified = true, valid_from = ? where record_key = ?",
            [verified_since, key],
        )
    world.person("c_proven", "phone3", "crm", mobile="+4917600003", updated_at="2026-01-01")


def _state_pins(world: World) -> None:
    known = {"first_name": "Piet", "last_name": "Falsch", "email": "piet@crm.example", "birth_date": "1980-01-01"}
    crm = world.person("c_pinned", "pinned", "crm", **known, updated_at="2026-01-01")
    shop = world.person("c_pinned", "pinned", "shop", last_name="Falsch", first_name="Peter", title="Dr.")
    world.pin(crm, "last_name", "Richtig")
    world.pin(crm, "birth_date", "1981-02-03")
    world.pin(crm, "email", "Piet@Shop.example")
    world.pin(shop, "city", "Ulm", line=3)
    world.pin(crm, "city", "Bonn", line=2)
    world.pin(crm, "language", "de", active=False)
    gone = world.person("c_pinned_gone", "pinned_gone", "crm", first_name="Weg", is_deleted=True)
    world.pin(gone, "first_name", "Wieder")


def _profile(marts: Marts, customer_id: str) -> dict[str, Any]:
    [row] = records(marts.settings, f"select * from marts.customer_profiles where customer_id = '{customer_id}'")
    return row


def _lineage(marts: Marts, customer_id: str) -> dict[str, dict[str, Any]]:
    found = records(
        marts.settings,
        "select f.*, k.source_system, k.source_record_id from marts.customer_field_lineage f "
        f"join marts.source_record_keys k using (record_key) where f.customer_id = '{customer_id}'",
    )
    return {row["field"]: row for row in found}


def test_the_preferred_source_wins_and_the_losers_are_named(marts: Marts) -> None:
    assert _profile(marts, "c_anna")["email"] == "anna@crm.example"
    line = _lineage(marts, "c_anna")["email"]
    assert (line["source_system"], line["strategy"], line["losing_count"]) == ("crm", "most_recent", 2)
    losers = records(
        marts.settings,
        "select source_system, source_record_id from marts.source_record_keys "
        f"where record_key in {tuple(line['losing_record_keys'].split())} order by source_system",
    )
    assert losers == [
        {"source_system": "crm", "source_record_id": "anna_old"},
        {"source_system": "shop", "source_record_id": "anna"},
    ]


def test_fields_of_a_group_come_from_one_record(marts: Marts) -> None:
    profile = _profile(marts, "c_anna")
    assert (profile["first_name"], profile["title"]) == ("Anna", None)
    assert (profile["street"], profile["house_number"], profile["city"]) == ("Neue Gasse", None, "Hamburg")
    assert _lineage(marts, "c_anna")["street"]["strategy"] == "source_priority"


def test_deleted_and_inferred_records_give_no_values(marts: Marts) -> None:
    assert _profile(marts, "c_anna")["phone"] == "+493012345"
    assert _lineage(marts, "c_anna")["phone"]["strategy"] == "only_candidate"
    assert {value for field, value in _profile(marts, "c_gone").items() if field != "customer_id"} == {None}


def test_a_complete_name_and_a_valid_address_win_over_a_preferred_source(marts: Marts) -> None:
    profile = _profile(marts, "c_half")
    assert (profile["first_name"], profile["email"]) == ("Hanna", "h@example.org")
    assert _lineage(marts, "c_half")["email"]["strategy"] == "most_complete"


def test_equal_records_are_told_apart_by_their_key(marts: Marts) -> None:
    line = _lineage(marts, "c_tie")["language"]
    assert line["strategy"] == "record_key"
    assert line["record_key"] < line["losing_record_keys"]


def test_types_survive(marts: Marts) -> None:
    assert str(_profile(marts, "c_anna")["birth_date"]) == "1980-02-29"


@pytest.mark.parametrize(
    ("value", "primary", "live"),
    [("anna@crm.example", True, True), ("anna@shop.example", False, True), ("+49309999", False, False)],
)
def test_contact_points_say_whether_they_are_the_customer_s_and_in_use(
    marts: Marts, value: str, primary: bool, live: bool
) -> None:
    [row] = records(
        marts.settings,
        f"select * from marts.customer_contact_points where customer_id = 'c_anna' and value = '{value}'",
    )
    assert (row["is_primary"], row["is_live"]) == (primary, live)


def test_the_primary_address_is_the_winning_record_s(marts: Marts) -> None:
    found = records(
        marts.settings,
        "select value from marts.customer_contact_points "
        "where customer_id = 'c_anna' and kind = 'address' and is_primary",
    )
    assert [row["value"] for row in found] == ["Neue Gasse, 20095, Hamburg"]


@pytest.mark.parametrize(
    ("value", "since", "until", "flags"),
    [
        pytest.param("own", "2024-01-01", None, {"live"}, id="a field of the record"),
        pytest.param("checked", "2025-05-01", None, {"live", "verified"}, id="verified by its source"),
        pytest.param("dead", "2024-01-01", None, {"live", "undeliverable"}, id="undeliverable by its source"),
        pytest.param("old", "2024-01-01", "2025-06-01", set(), id="replaced"),
        pytest.param("leaving", "2024-01-01", None, {"live"}, id="to end in the future"),
        pytest.param("regained", "2024-02-01", None, {"live"}, id="given up in one record, in use in another"),
    ],
)
def test_a_contact_point_says_since_when_and_until_when(
    marts: Marts, value: str, since: str, until: str | None, flags: set[str]
) -> None:
    [row] = records(
        marts.settings,
        f"select * from marts.customer_contact_points where customer_id = 'c_methods' "
        f"and value = '{value}@method.example'",
    )
    assert [row[f"valid_{end}"] and str(row[f"valid_{end}"])[:10] for end in ("from", "until")] == [since, until]
    assert {flag for flag in ("live", "verified", "undeliverable") if row[f"is_{flag}"]} == flags


def test_what_most_records_say_wins_where_the_owner_asks_for_it(marts: Marts) -> None:
    line = _lineage(marts, "c_counted")["gender"]
    assert (line["value"], line["source_record_id"], line["strategy"]) == ("female", "g2", "most_recent")
    assert _profile(marts, "c_counted")["gender"] == "female"


def test_what_is_proven_for_the_longest_time_wins_where_the_owner_asks_for_it(marts: Marts) -> None:
    line = _lineage(marts, "c_proven")["mobile"]
    assert (line["value"], line["strategy"], line["losing_count"]) == ("+4917600002", "longest_verified", 2)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        pytest.param("last_name", "Richtig", id="over the other fields of its group"),
        pytest.param("first_name", "Piet", id="the rest of the group stays"),
        pytest.param("birth_date", "1981-02-03", id="with its type"),
        pytest.param("email", "piet@shop.example", id="an address as cleaning writes it"),
        pytest.param("city", "Ulm", id="the later of two decisions of one day"),
        pytest.param("language", "None", id="none that is not active"),
    ],
)
def test_a_pinned_value_wins(marts: Marts, field: str, value: str) -> None:
    assert str(_profile(marts, "c_pinned")[field]) == value


def test_the_lineage_of_a_pinned_value_names_the_record_it_was_pinned_by_and_all_that_lost(marts: Marts) -> None:
    lines = _lineage(marts, "c_pinned")
    pinned = lines["last_name"]
    assert (pinned["strategy"], pinned["value"], pinned["source_system"]) == ("override", "Richtig", "crm")
    assert (pinned["losing_count"], len(pinned["losing_record_keys"].split())) == (2, 2)
    assert (lines["first_name"]["strategy"], lines["first_name"]["losing_count"]) == ("source_priority", 1)
    assert (lines["city"]["losing_count"], lines["city"]["losing_record_keys"]) == (0, None)


def test_a_value_can_be_pinned_for_a_customer_of_whom_no_record_is_left(marts: Marts) -> None:
    profile = _profile(marts, "c_pinned_gone")
    assert (profile["first_name"], profile["last_name"]) == ("Wieder", None)


def test_every_field_that_survives_has_one_value_and_one_line(marts: Marts) -> None:
    lines = _lineage(marts, "c_pinned")
    profile = {f: v for f, v in _profile(marts, "c_pinned").items() if v is not None and f != "customer_id"}
    assert {field: str(value) for field, value in profile.items()} == {f: line["value"] for f, line in lines.items()}


def test_the_groups_an_owner_may_name_are_those_of_the_golden_record() -> None:
    macro = (DBT_PROJECT_DIR / "macros/golden_fields.sql").read_text()
    assert tuple(re.findall(r"^        '(\w+)': \{", macro, re.MULTILINE)) == FIELD_GROUPS
