"""E-mail addresses through the whole stage."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.clean.conftest import Cleaned

CASES = {
    "Anna.Maier@GMX.DE": ("anna.maier@gmx.de", "anna.maier@gmx.de"),
    "mailto:a@firma.de": ("a@firma.de", "a@firma.de"),
    "Anna Maier <anna@firma.de>": ("anna@firma.de", "anna@firma.de"),
    "anna @ firma.de": ("anna@firma.de", "anna@firma.de"),
    "anna(at)firma,de": ("anna@firma.de", "anna@firma.de"),
    "anna+shop@firma.de": ("anna+shop@firma.de", "anna@firma.de"),
    "an.na+x@googlemail.com": ("an.na+x@googlemail.com", "anna@gmail.com"),
    "an.na@web.de": ("an.na@web.de", "an.na@web.de"),
    "anna@gmial.com": ("anna@gmail.com", "anna@gmail.com"),
    "anna@müller.de": ("anna@müller.de", "anna@müller.de"),
    "anna@firma.рф": ("anna@firma.рф", "anna@firma.рф"),
    "anna@firma.de; karl@web.de": ("anna@firma.de", "anna@firma.de"),
    "anna@firma.de oder karl@web.de": ("anna@firma.de", "anna@firma.de"),
    "E-Mail: Anna@firma.de": ("anna@firma.de", "anna@firma.de"),
    "anna@firma.de (privat)": ("anna@firma.de", "anna@firma.de"),
    "mailto:anna@firma.de?subject=Hallo": ("anna@firma.de", "anna@firma.de"),
    '"anna"@firma.de': ("anna@firma.de", "anna@firma.de"),
    "www.anna@firma.de": ("anna@firma.de", "anna@firma.de"),
    "anna (at) firma (punkt) de": ("anna@firma.de", "anna@firma.de"),
    "anna at firma.de": ("anna@firma.de", "anna@firma.de"),
    "anna@firma. de": ("anna@firma.de", "anna@firma.de"),
    "anna@@firma..de": ("anna@firma.de", "anna@firma.de"),
    "anna@firma.cmo": ("anna@firma.com", "anna@firma.com"),
    "anna@firma.ed": ("anna@firma.de", "anna@firma.de"),
    "anna@gmail.con": ("anna@gmail.com", "anna@gmail.com"),
    "anna@outlook.co": ("anna@outlook.com", "anna@outlook.com"),
    "anna@firma.co": ("anna@firma.co", "anna@firma.co"),
    "anna@wep.de": ("anna@wep.de", "anna@wep.de"),
    "anna@firma": (None, None),
    "anna..m@firma.de": (None, None),
    "anna maier@firma.de": (None, None),
    "anna@firma.de alt": ("anna@firma.de", "anna@firma.de"),
    "anna@example.com": (None, None),
    "keine-email@firma.de": (None, None),
    "123@123.de": (None, None),
    "a@b@firma.de": (None, None),
    "keine Angabe": (None, None),
    "test@test.de": (None, None),
    "Keine@keine.de": (None, None),
    "mail@mail.de": ("mail@mail.de", "mail@mail.de"),
    "test@firma.de": ("test@firma.de", "test@firma.de"),
    "maier@maier.de": ("maier@maier.de", "maier@maier.de"),
}


KINDS: dict[str, tuple[dict[str, str], str]] = {
    "a mailbox": ({"email": "Info@firma.de"}, "role_mailbox"),
    "a mailbox of a company": ({"email": "info+x@firma.de", "company_name": "Firma"}, "role_mailbox"),
    "a mailbox with a name": ({"email": "info@firma.de", "last_name": "Maier"}, "person"),
    "a company": ({"email": "anna@firma.de", "company_name": "Firma"}, "company_contact"),
    "nobody's company": ({"email": "anna@firma.de", "company_name": "Privat"}, "person"),
    "a company reference": ({"email": "anna@firma.de", "company_record_id": "c1"}, "company_contact"),
    "no company": ({"email": "anna@firma.de", "company_name": "n/a"}, "person"),
}
MARKS: dict[str, set[str]] = {
    "office@firma.de": {"is_role_mailbox"},
    "kontor@firma.se": set(),
    "biuro@firma.pl": {"is_role_mailbox"},
    "bob@gmx.de": {"is_free_provider"},
    "bob@libero.it": {"is_free_provider"},
    "x@mailinator.com": {"is_disposable"},
    "bob@firma.de": set(),
}


@pytest.fixture(scope="module")
def cleaned(clean_once: Callable[..., Cleaned]) -> Cleaned:
    """A contact for each of `CASES`, `KINDS` and `MARKS`."""
    cases = [{"source_record_id": email, "email": email} for email in (*CASES, *MARKS)]
    return clean_once({"crm_contacts": [*cases, *({"source_record_id": k, **row} for k, (row, _) in KINDS.items())]})


def test_addresses_are_mended_or_refused(cleaned: Cleaned) -> None:
    found = {r["raw_value"]: r for r in cleaned.tables["emails"]}
    assert {raw: (found[raw]["value"], found[raw]["match_value"]) for raw in CASES} == CASES
    assert all(r["is_valid"] == (r["value"] is not None) for r in cleaned.tables["emails"])
    assert all((r["contact_point_key"] is None) == (r["value"] is None) for r in cleaned.tables["emails"])
    assert [p["is_email_valid"] for p in cleaned.rows("persons", email=None)] == [False] * sum(
        value is None for value, _ in CASES.values()
    )


def test_a_record_is_a_person_a_company_contact_or_a_mailbox(cleaned: Cleaned) -> None:
    found = {p["source_record_id"]: p["kind"] for p in cleaned.tables["persons"]}
    assert {case: found[case] for case in KINDS} == {case: kind for case, (_, kind) in KINDS.items()}


def test_mailboxes_of_several_people_of_free_providers_and_to_throw_away_are_marked(cleaned: Cleaned) -> None:
    marks = ("is_role_mailbox", "is_free_provider", "is_disposable")
    found = {e["raw_value"]: {mark for mark in marks if e[mark]} for e in cleaned.tables["emails"]}
    assert {email: found[email] for email in MARKS} == MARKS


def test_a_rare_domain_one_typing_error_from_a_provider_is_put_right(clean: Any) -> None:
    usual = [f"p{i}@freenet.de" for i in range(40)]
    rare = ["a@freenett.de", "b@freeent.de", "c@freenet.be"]
    cleaned = clean(
        {"shop_customers": [{"source_record_id": e, "email": e} for e in [*usual, *rare]]},
    )
    assert cleaned.person("b@freeent.de")["email"] == "b@freenet.de"
    assert cleaned.person("c@freenet.be")["email"] == "c@freenet.be", "another country's domain is no typing error"
    (correction,) = cleaned.rows("corrections", rule="email_domain_typo")
    assert (correction["before"], correction["after"], correction["field"]) == ("b@freeent.de", "b@freenet.de", "email")


def test_a_domain_that_many_use_or_a_short_one_is_no_typing_error(clean: Any) -> None:
    emails = [f"p{i}@freenet.de" for i in range(20)] + [f"p{i}@freenes.de" for i in range(4)]
    emails += [f"p{i}@{domain}" for domain in ("web.de", "live.de") for i in range(40)] + ["a@weg.de", "a@line.de"]
    cleaned = clean({"shop_customers": [{"source_record_id": e, "email": e} for e in emails]})
    assert cleaned.rows("corrections") == []


def test_a_real_domain_that_looks_like_a_provider_stays(clean: Any) -> None:
    providers = ("gmail.com", "icloud.com", "orange.fr")
    real = ["a@email.com", "a@cloud.com", "a@fmail.com", "a@gail.com", "a@grange.fr", "a@gmail.fr"]
    emails = [f"p{i}@{domain}" for domain in providers for i in range(40)] + real
    cleaned = clean({"shop_customers": [{"source_record_id": e, "email": e} for e in [*emails, "b@orage.fr"]]})
    assert [c["after"] for c in cleaned.tables["corrections"]] == ["b@orange.fr"]


def test_a_first_name_is_put_right_where_the_mailbox_says_which_one_is_meant(clean: Any) -> None:
    usual = [{"source_record_id": str(i), "first_name": "Torsten", "last_name": f"Maier{i}"} for i in range(12)]
    told = {"source_record_id": "told", "first_name": "Tosrten", "last_name": "Lang", "email": "torsten.lang@gmx.de"}
    untold = {"source_record_id": "untold", "first_name": "Trosten", "last_name": "Lang", "email": "t.lang@gmx.de"}
    cleaned = clean({"crm_contacts": [*usual, told, untold]})
    assert cleaned.person("told")["first_name"] == "Torsten"
    assert cleaned.person("untold")["first_name"] == "Trosten"
    found = {(c["source_record_id"], c["rule"], c["status"]) for c in cleaned.rows("corrections", field="first_name")}
    assert found == {("told", "first_name_typo_by_email", "applied"), ("untold", "first_name_typo", "proposed")}
