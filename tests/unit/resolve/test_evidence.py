"""Each exact rule links what it should, and its safeguard keeps it from linking what it should not."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from pipelines.configuration.identity import IdentifierConfig, IdentityConfig
from tests.unit.resolve.conftest import Resolve

ANNA = {"first_name": "Anna", "last_name": "Schmidt"}
HOME = {"street": "Lindenweg", "house_number": "4", "postal_code": "10115", "city": "Berlin"}


@pytest.mark.parametrize(
    ("rule", "a", "b"),
    [
        ("same_email_and_name", {**ANNA, "email": "a@x.de"}, {**ANNA, "email": "a@x.de", "city": "Ulm"}),
        ("same_email_and_name", {**ANNA, "email": "a@x.de"}, {**ANNA, "first_name": "A.", "email": "a@x.de"}),
        (
            "same_email_and_name",
            {"first_name": "Jürgen", "last_name": "Müller-Groß", "email": "a@x.de"},
            {"first_name": "Juergen", "last_name": "Mueller Gross", "email": "a@x.de", "city": "Ulm"},
        ),
        (
            "same_email_and_name",
            {**ANNA, "email": "a@x.de"},
            {"first_name": "Schmidt", "last_name": "Anna", "email": "a@x.de"},
        ),
        ("same_phone_and_name", {**ANNA, "phone": "+493012345"}, {**ANNA, "mobile": "+493012345", "city": "Ulm"}),
        (
            "same_name_birth_date_and_postal_code",
            {**ANNA, "birth_date": date(1980, 5, 1), "postal_code": "10115"},
            {**ANNA, "birth_date": date(1980, 5, 1), "postal_code": "10115", "email": "a@x.de"},
        ),
        ("same_name_and_address", {**ANNA, **HOME}, {**ANNA, **HOME, "street": "Lindenweg ", "email": "a@x.de"}),
        ("same_email_without_name", {**ANNA, "email": "a@x.de"}, {"email": "a@x.de"}),
        ("same_phone_without_name", {**ANNA, "phone": "+493012345"}, {"phone": "+493012345"}),
        (
            "same_identifier",
            {**ANNA, "identifiers": '{"loyalty_number": "L-7"}'},
            {**ANNA, "identifiers": '{"loyalty_number": "L-7"}', "email": "a@x.de"},
        ),
        ("same_details", {**ANNA, "email": "a@x.de"}, {**ANNA, "email": "a@x.de"}),
        ("merged_in_source", ANNA, {"first_name": "Bert", "merged_into_record_key": "r_a"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_rule_links_two_records(resolve: Resolve, rule: str, a: dict[str, Any], b: dict[str, Any]) -> None:
    result = resolve([{"record_key": "r_a", **a}, {"record_key": "r_b", **b}])
    assert result.together("r_a", "r_b")
    assert result.links[0]["rule"] == rule
    assert result.links[0]["method"] == "exact"


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ({**ANNA, "email": "a@x.de"}, {"first_name": "Bernd", "last_name": "Schmidt", "email": "a@x.de"}),
        ({**ANNA, "email": "info@x.de"}, {"email": "info@x.de"}),
        (
            {**ANNA, **HOME, "birth_date": date(1950, 1, 2)},
            {**ANNA, **HOME, "birth_date": date(1980, 6, 7)},
        ),
        ({**ANNA, "city": "Berlin"}, {**ANNA, "city": "München"}),
        (ANNA, ANNA),
        ({}, {}),
        (
            {**ANNA, "identifiers": '{"loyalty_number": "L-7"}'},
            {"first_name": "Bernd", "last_name": "Weber", "identifiers": '{"loyalty_number": "L-7"}'},
        ),
    ],
    ids=[
        "another first name on one mailbox",
        "a blocked mailbox",
        "a namesake of another age at one address",
        "a namesake elsewhere",
        "nothing but the name",
        "nothing at all",
        "somebody else's loyalty card",
    ],
)
def test_a_safeguard_keeps_two_records_apart(resolve: Resolve, a: dict[str, Any], b: dict[str, Any]) -> None:
    assert resolve([{"record_key": "r_a", **a}, {"record_key": "r_b", **b}]).apart("r_a", "r_b")


def test_a_record_without_name_joins_nobody_when_several_share_the_mailbox(resolve: Resolve) -> None:
    result = resolve(
        [
            {"record_key": "r_a", "first_name": "Anna", "last_name": "Schmidt", "email": "s@x.de"},
            {"record_key": "r_b", "first_name": "Bernd", "last_name": "Schmidt", "email": "s@x.de"},
            {"record_key": "r_c", "email": "s@x.de"},
        ]
    )
    assert result.apart("r_a", "r_b", "r_c")
    assert result.reasons() == {"different_first_names", "shared_by_several_names"}


def test_a_value_that_a_crowd_carries_is_no_evidence_and_says_so(resolve: Resolve) -> None:
    names = ["Anna", "Bernd", "Clara", "Dieter", "Erika"]
    rows = [
        {"record_key": f"r_{i}", "first_name": name, "last_name": "Schmidt", "email": "verein@x.de"}
        for i, name in enumerate([*names, "Anna"])
    ]
    limited = IdentityConfig(identifiers={"email": IdentifierConfig(max_names=4)})
    result = resolve(rows, identity=limited)
    assert result.apart(*(f"r_{i}" for i in range(6)))
    assert "too_many_names" in result.reasons()
    assert resolve(rows, identity=IdentityConfig()).together("r_0", "r_5")


def test_spellings_of_one_name_are_one_carrier(resolve: Resolve) -> None:
    rows = [
        {"record_key": f"r_{i}", "first_name": name, "last_name": "Köhler", "email": "k@x.de"}
        for i, name in enumerate(["Katharina", "Katharnia", "K.", "Katharina"])
    ]
    result = resolve(rows, identity=IdentityConfig(identifiers={"email": IdentifierConfig(max_names=1)}))
    assert result.together("r_0", "r_1", "r_2", "r_3")


def test_the_evidence_of_a_refusal_is_a_key_and_never_a_value(resolve: Resolve) -> None:
    result = resolve(
        [
            {"record_key": "r_a", "first_name": "Anna", "last_name": "Schmidt", "email": "s@x.de"},
            {"record_key": "r_b", "first_name": "Bernd", "last_name": "Schmidt", "email": "s@x.de"},
        ]
    )
    (refusal,) = result.refused
    assert refusal["evidence_key"].startswith("p_")
    assert refusal["rule"] == "same_email_and_name"
    assert "s@x.de" not in repr(result.refused) + repr(result.report)


def test_records_merged_into_an_undelivered_record_are_one_customer(resolve: Resolve) -> None:
    rows = [
        {"record_key": f"r_{i}", "first_name": name, "merged_into_record_key": "r_gone"}
        for i, name in enumerate(["Anna", "Bernd", "Clara"])
    ]
    assert resolve(rows).together("r_0", "r_1", "r_2")


def test_what_a_merged_record_says_about_its_name_does_not_divide_its_customer(resolve: Resolve) -> None:
    result = resolve(
        [
            {"record_key": "r_a", "first_name": "Anna", "last_name": "Schmidt", "email": "a@x.de"},
            {"record_key": "r_b", "first_name": "Bernd", "last_name": "Weber", "merged_into_record_key": "r_a"},
            {"record_key": "r_c", "first_name": "Anna", "last_name": "Schmidt", "email": "a@x.de", "city": "Ulm"},
        ]
    )
    assert result.together("r_a", "r_b", "r_c")
