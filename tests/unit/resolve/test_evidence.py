"""Each exact rule links what it should, and its safeguard keeps it from linking what it should not."""

from __future__ import annotations

from datetime import date
from typing import Any

from pipelines.configuration.identity import IdentifierConfig, IdentityConfig
from tests.unit.resolve.conftest import Resolve, Row

ANNA = {"first_name": "Anna", "last_name": "Schmidt"}
ULM = {"city": "Ulm"}
CARD = {"identifiers": '{"loyalty_number": "L-7"}'}
HOME = {"street": "Lindenweg", "house_number": "4", "postal_code": "10115", "city": "Berlin"}


# By what is told: the rule, or None where a safeguard keeps them apart, and the two records.
CASES: dict[str, tuple[str | None, Row, Row]] = {
    "one mailbox and name": ("same_email_and_name", {**ANNA, "email": "a@x.de"}, {**ANNA, "email": "a@x.de", **ULM}),
    "an initial": ("same_email_and_name", {**ANNA, "email": "a@x.de"}, {**ANNA, "first_name": "A.", "email": "a@x.de"}),
    "umlauts and hyphens written otherwise": (
        "same_email_and_name",
        {"first_name": "Jürgen", "last_name": "Schmidt-Groß", "email": "a@x.de"},
        {"first_name": "Juergen", "last_name": "Schmidt Gross", "email": "a@x.de", **ULM},
    ),
    "first and last name swapped": (
        "same_email_and_name",
        {**ANNA, "email": "a@x.de"},
        {"first_name": "Schmidt", "last_name": "Anna", "email": "a@x.de"},
    ),
    "one phone and name": ("same_phone_and_name", {**ANNA, "phone": "+4930"}, {**ANNA, "mobile": "+4930", **ULM}),
    "one name, birth date and postal code": (
        "same_name_birth_date_and_postal_code",
        {**ANNA, "birth_date": date(1980, 5, 1), "postal_code": "10115"},
        {**ANNA, "birth_date": date(1980, 5, 1), "postal_code": "10115", "email": "a@x.de"},
    ),
    "one name and address": ("same_name_and_address", {**ANNA, **HOME}, {**ANNA, **HOME, "email": "a@x.de"}),
    "one mailbox, no name": ("same_email_without_name", {**ANNA, "email": "a@x.de"}, {"email": "a@x.de"}),
    "one phone, no name": ("same_phone_without_name", {**ANNA, "phone": "+4930"}, {"phone": "+4930"}),
    "one loyalty card and name": ("same_identifier", {**ANNA, **CARD}, {**ANNA, **CARD, "email": "a@x.de"}),
    "a second mailbox": (
        "same_email_and_name",
        {**ANNA, "email": "a@x.de", "further_email": "s@x.de"},
        {**ANNA, "email": "s@x.de"},
    ),
    "a second phone": ("same_phone_and_name", {**ANNA, "further_phone": "+4930"}, {**ANNA, "phone": "+4930", **ULM}),
    "a former mailbox": ("same_email_and_name", {**ANNA, "former_email": "a@x.de"}, {**ANNA, "email": "a@x.de"}),
    "who asks about the order": ("same_order", ANNA, {**ANNA, "asks_about_order_of": "{a}", "email": "a@x.de"}),
    "somebody else's former mailbox": (
        None,
        {**ANNA, "former_email": "a@x.de"},
        {"first_name": "Bernd", "last_name": "Weber", "email": "a@x.de"},
    ),
    "who asks about somebody else's order": (
        None,
        ANNA,
        {"first_name": "Bernd", "last_name": "Weber", "asks_about_order_of": "{a}"},
    ),
    "everything the same": ("same_details", {**ANNA, "email": "a@x.de"}, {**ANNA, "email": "a@x.de"}),
    "a mailbox kept after a marriage": (
        "same_email_and_first_name",
        {**ANNA, "email": "a@x.de"},
        {"first_name": "Anna", "last_name": "Weber", "email": "a@x.de"},
    ),
    "merged by the source": ("merged_in_source", ANNA, {"first_name": "Bert", "merged_into_record_key": "{a}"}),
    "another first name on one mailbox": (
        None,
        {**ANNA, "email": "a@x.de"},
        {"first_name": "Bernd", "last_name": "Schmidt", "email": "a@x.de"},
    ),
    "a blocked mailbox": (None, {**ANNA, "email": "info@x.de"}, {"email": "info@x.de"}),
    "a namesake of another age at one address": (
        None,
        {**ANNA, **HOME, "birth_date": date(1950, 1, 2)},
        {**ANNA, **HOME, "birth_date": date(1980, 6, 7)},
    ),
    "a namesake elsewhere": (None, {**ANNA, "city": "Berlin"}, {**ANNA, "city": "München"}),
    "nothing but the name": (None, ANNA, ANNA),
    "nothing at all": (None, {}, {}),
    "a loyalty number that had to be filled in": (
        None,
        {**ANNA, "identifiers": '{"loyalty_number": "0000"}'},
        {**ANNA, "identifiers": '{"loyalty_number": "0000"}'},
    ),
    "no loyalty number at all": (
        None,
        {**ANNA, "identifiers": '{"loyalty_number": "n/a"}'},
        {**ANNA, "identifiers": '{"loyalty_number": "n/a"}'},
    ),
    "somebody else's loyalty card": (None, {**ANNA, **CARD}, {"first_name": "Bernd", "last_name": "Weber", **CARD}),
}


def test_each_rule_links_what_it_should_and_its_safeguard_holds(resolve: Resolve) -> None:
    rows = [
        {"record_key": f"r_{number:02}{side}", **set_apart(row, number)}
        for number, (_, *pair) in enumerate(CASES.values())
        for side, row in zip("ab", pair, strict=True)
    ]
    result = resolve(rows)
    found = {
        (link["record_key_a"], link["record_key_b"]): link["rule"] for link in result.links if link["method"] == "exact"
    }
    for number, (case, (rule, *_)) in enumerate(CASES.items()):
        pair = f"r_{number:02}a", f"r_{number:02}b"
        assert found.get(pair) == rule, case
        assert result.together(*pair) == (rule is not None), case
    assert result.report.largest_customer == 2


def set_apart(row: Row, number: int) -> dict[str, Any]:
    """The same row with values that no other case has, so that all cases can be resolved at once."""
    family = "".join(chr(ord("b") + int(digit) * 2) for digit in f"{number:02}") * 3
    marks = {
        "Schmidt": family.capitalize(),
        "Weber": f"We{family}",
        "@x": f"@{number}x",
        "+4930": f"+4930{number:06}",
        "Lindenweg": f"{family}weg",
        "L-7": f"L-{number}",
        "10115": f"{10115 + number}",
        "{a}": f"r_{number:02}a",
    }
    changed = dict(row)
    for field, value in row.items():
        for old, new in marks.items():
            if isinstance(value, str) and old in value:
                changed[field] = value = value.replace(old, new)
    return changed


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


def test_a_record_without_first_name_joins_nobody_of_a_shared_mailbox_by_score(resolve: Resolve) -> None:
    home = {"last_name": "Schmidt", "email": "s@x.de", **HOME}
    result = resolve(
        [
            {"record_key": "r_a", "first_name": "Anna", **home},
            {"record_key": "r_b", "first_name": "Bernd", **home},
            {"record_key": "r_c", **home, "house_number": None, "city": "Berlin-Mitte"},
        ]
    )
    assert result.apart("r_a", "r_b", "r_c")


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


def test_the_phone_of_an_office_does_not_join_namesakes_through_a_record_without_name(resolve: Resolve) -> None:
    office = {"phone": "+493012345", "postal_code": "10115", "city": "Berlin"}
    result = resolve(
        [
            {"record_key": "r_1", "first_name": "Thomas", "last_name": "Weber", "email": "weber@x.de", **office},
            {"record_key": "r_2", "first_name": "Thomas", "last_name": "Koch", "email": "koch@y.de", **office},
            {"record_key": "r_3", **office},
        ]
    )
    assert result.apart("r_1", "r_2", "r_3")
    assert result.reasons() == {"different_last_names", "shared_by_several_names"}


def test_a_crowd_counts_every_first_name_also_those_with_several_last_names(resolve: Resolve) -> None:
    mailbox = {"email": "team@x.de"}
    names = ["Anna", "Bernd", "Clara", "David", "Emil", "Fritz", "Gustav"]
    rows = [
        {"record_key": f"r_{name}_{last}", "first_name": name, "last_name": last, **mailbox}
        for name in names
        for last in ("Weber", "Koch")
    ]
    rows += [{"record_key": "r_Zoe", "first_name": "Zoe", "last_name": "Wolf", **mailbox}]
    assert resolve(rows).reasons() == {"too_many_names"}


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


def test_a_mailbox_of_two_first_names_says_nothing_about_a_marriage(resolve: Resolve) -> None:
    team = {"email": "team@x.de"}
    result = resolve(
        [
            {"record_key": "r_1", "first_name": "Anna", "last_name": "Schmidt", **team},
            {"record_key": "r_2", "first_name": "Anna", "last_name": "Weber", **team},
            {"record_key": "r_3", "first_name": "Bernd", "last_name": "Koch", **team},
        ]
    )
    assert "same_email_and_first_name" not in result.rules()
    assert result.apart("r_1", "r_3")


def test_a_further_mailbox_that_is_no_evidence_leaves_the_own_one_as_it_is(resolve: Resolve) -> None:
    rows = [
        {"record_key": "r_a", **ANNA, "email": "anna@x.de", "further_email": "info@y.de"},
        {"record_key": "r_b", **ANNA, "email": "anna@x.de", "city": "Ulm"},
    ]
    result = resolve(rows)
    assert result.together("r_a", "r_b")
    assert result.rules() == {"same_email_and_name"}
