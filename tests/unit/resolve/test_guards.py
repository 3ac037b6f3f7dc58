"""People who share a household stay separate persons, and errors in a name or date do not divide one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import duckdb
import pytest

from pipelines.resolve.clustering import Component, Edge, Forest, agglomerate
from pipelines.resolve.folding import create_macros
from pipelines.resolve.guards import ONLY_FIT_RANK, Reliability, link_only_fits
from tests.unit.resolve.conftest import Resolve

HOME = {
    "last_name": "Schmidt",
    "email": "familie.schmidt@x.de",
    "phone": "+493012345",
    "street": "Lindenweg",
    "house_number": "4",
    "postal_code": "10115",
    "city": "Berlin",
}


def member(key: str, first_name: str | None, birth: date | None = None, **more: Any) -> dict[str, Any]:
    return {"record_key": key, "first_name": first_name, "birth_date": birth, **HOME, **more}


@pytest.mark.parametrize("has_birth_dates", [True, False])
def test_a_family_with_one_mailbox_phone_and_address_stays_separate_persons(
    resolve: Resolve, has_birth_dates: bool
) -> None:
    family = {
        "Anna": date(1975, 3, 2),
        "Bernd": date(1973, 8, 9),
        "Clara": date(2004, 1, 7),
        "David": date(2006, 11, 30),
    }
    rows = [
        member(f"r_{source}_{name}", name, birth if has_birth_dates else None, source_system=source)
        for name, birth in family.items()
        for source in ("crm", "shop", "support")
    ]
    result = resolve(rows)
    assert result.report.customer_count == 4
    assert all(result.together(*(f"r_{s}_{n}" for s in ("crm", "shop", "support"))) for n in family)


def test_twins_stay_separate_persons(resolve: Resolve) -> None:
    born = date(2001, 4, 5)
    rows = [member(f"r_{s}_{n}", n, born) for n in ("Lukas", "Sophie") for s in ("crm", "shop")]
    result = resolve(rows)
    assert result.apart("r_crm_Lukas", "r_crm_Sophie")
    assert result.together("r_crm_Lukas", "r_shop_Lukas")


@pytest.mark.parametrize(("twin", "reason"), [("Sophie", "different_first_names"), ("Lxkxs", None)])
def test_twins_are_two_persons_also_where_first_names_are_full_of_errors(twin: str, reason: str | None) -> None:
    form = (
        "select '{}' as first_name, 'Schmidt' as last_name, date '2001-04-05' as birth_date, null as generation, "
        "{} as usage"
    )
    usage = "{{'is_known': {}, 'bearers': 1, 'gender': null::text, 'stands_for': null::text[], 'spelling': ''}}"
    forms = [form.format(name, usage.format(name != "Lxkxs")) for name in ("Lukas", twin)]
    with duckdb.connect() as connection:
        create_macros(connection)
        conflict = Reliability(first_names=False).conflict()
        query = f"select {conflict} from ({forms[0]}) as fl, ({forms[1]}) as fr"
        assert connection.execute(query).fetchone() == (reason,)


def test_father_and_son_of_one_name_are_told_apart_by_their_birth_dates(resolve: Resolve) -> None:
    rows = [
        member("r_1", "Hans", date(1950, 3, 2)),
        member("r_2", "Hans", date(1985, 7, 14)),
        member("r_3", "Hans", date(1985, 7, 14), email="hans@x.de"),
        member("r_4", "Hans", date(1950, 3, 2), email="opa@x.de"),
    ]
    result = resolve(rows)
    assert result.together("r_1", "r_4")
    assert result.together("r_2", "r_3")
    assert result.apart("r_1", "r_2")


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (date(1985, 7, 14), "different_birth_dates"),
        (date(1960, 3, 2), None),
        (date(1950, 3, 28), None),
        (date(1980, 3, 2), None),
    ],
    ids=["father and son", "another year", "another day", "a slip in the year"],
)
def test_birth_dates_a_generation_apart_are_two_people_also_where_birth_dates_are_full_of_errors(
    other: date, reason: str | None
) -> None:
    usage = "{'is_known': true, 'bearers': 9, 'gender': 'm', 'stands_for': null::text[], 'spelling': 'hans'}"
    forms = [
        f"select 'hans' as first_name, 'schmidt' as last_name, date '{born}' as birth_date, null as generation, "
        f"{usage} as usage"
        for born in (date(1950, 3, 2), other)
    ]
    with duckdb.connect() as connection:
        create_macros(connection)
        conflict = Reliability(birth_dates=False).conflict()
        query = f"select {conflict} from ({forms[0]}) as fl, ({forms[1]}) as fr"
        assert connection.execute(query).fetchone() == (reason,)


def test_a_slip_in_the_birth_date_does_not_divide_a_person(resolve: Resolve) -> None:
    spelled = {
        "day and month swapped": date(1980, 12, 3),
        "one digit": date(1980, 3, 13),
        "two digits swapped": date(1908, 3, 12),
        "missing": None,
    }
    rows = []
    for number, (case, birth) in enumerate(spelled.items()):
        own = {
            "last_name": ("Schmidt", "Weber", "Krause", "Vogel")[number],
            "email": f"{number}@x.de",
            "phone": f"+4930{number}",
            "street": ("Lindenweg", "Marktplatz", "Schulgasse", "Hafenallee")[number],
            "postal_code": f"1011{number}",
            "city": ("Berlin", "Ulm", "Hamburg", "Kassel")[number],
        }
        rows += [member(f"{case} 1", "Anna", date(1980, 3, 12), **own), member(f"{case} 2", "Anna", birth, **own)]
    result = resolve(rows)
    assert all(result.together(f"{case} 1", f"{case} 2") for case in spelled)
    assert result.report.customer_count == 4


def test_a_birth_date_that_nobody_can_have_is_no_conflict(resolve: Resolve) -> None:
    rows = [member("r_1", "Anna", date(1980, 3, 12)), member("r_2", "Anna", date(2090, 1, 1))]
    assert resolve(rows).together("r_1", "r_2")


def test_a_default_birth_date_is_no_evidence_and_no_conflict(resolve: Resolve) -> None:
    default = date(1970, 1, 1)
    rows = [
        {"record_key": f"r_{i:03}", "birth_date": default if i % 2 else date(1950, 1, 1) + timedelta(days=97 * i)}
        for i in range(120)
    ]
    rows += [member("r_1", "Anna", default), member("r_2", "Anna", date(1982, 5, 6))]
    assert resolve(rows).together("r_1", "r_2")


def test_a_slip_in_the_first_name_does_not_divide_a_person(resolve: Resolve) -> None:
    spellings = ["Katharina", "Katharnia", "Katarina", "K.", "Katharina M."]
    rows = [member(f"r_{i}", spelling) for i, spelling in enumerate(spellings)]
    assert resolve(rows).report.customer_count == 1


def test_names_that_many_people_bear_are_two_names_however_alike(resolve: Resolve) -> None:
    rows = [
        {"record_key": f"r_{name}_{i}", "first_name": name, "last_name": last, "city": "Ulm"}
        for name in ("Lena", "Lina")
        for i, last in enumerate(["Weber", "Koch", "Bauer", "Wolf"])
    ]
    result = resolve([*rows, member("r_1", "Lena"), member("r_2", "Lina")])
    assert result.apart("r_1", "r_2")


@pytest.mark.parametrize(
    ("his", "hers"),
    [("Jan", "Jana"), ("Paul", "Pauline"), ("Franz", "Franziska"), ("Martin", "Maria"), ("Maria", "Marianne")],
)
def test_a_couple_with_nearly_one_name_are_two_persons_in_the_smallest_company(
    resolve: Resolve, his: str, hers: str
) -> None:
    rows = [
        member("r_1", his),
        member("r_2", hers),
        member("r_3", f"{his[0]}."),
        member("r_4", his),
        member("r_5", hers),
    ]
    result = resolve(rows)
    assert result.apart("r_1", "r_2")
    assert result.together("r_1", "r_4")
    assert result.together("r_2", "r_5")


def test_a_record_without_first_name_does_not_bridge_two_persons(resolve: Resolve) -> None:
    anna = {"first_name": "Anna", "last_name": "Schmidt", "email": "a@x.de"}
    bernd = {"first_name": "Bernd", "last_name": "Schmidt", "phone": "+493012345"}
    bridge = {"last_name": "Schmidt", "email": "a@x.de", "phone": "+493012345"}
    result = resolve(
        [{"record_key": "r_a", **anna}, {"record_key": "r_b", **bernd}, {"record_key": "r_bridge", **bridge}]
    )
    assert result.apart("r_a", "r_b")


@pytest.mark.parametrize(
    ("own", "is_one"),
    [
        ({"email": "hans@x.de", "phone": "+49301"}, True),
        ({"email": "anna@y.de", "phone": "+49302"}, False),
        ({"email": None, "phone": None}, True),
    ],
    ids=["a mailbox in common", "own details that differ", "nothing to compare"],
)
def test_a_last_name_at_a_home_is_one_person_unless_details_of_their_own_differ(
    resolve: Resolve, own: dict[str, Any], is_one: bool
) -> None:
    home = {"last_name": "Xylander", "street": "Lindenweg", "house_number": "4", "postal_code": "10115"}
    hans = {"record_key": "r_1", "first_name": "Hans", **home, "email": "hans@x.de", "phone": "+49301"}
    result = resolve([hans, {"record_key": "r_2", **home, **own}])
    assert result.together("r_1", "r_2") == is_one
    assert is_one or "family_only" in result.reasons()


@pytest.mark.parametrize(
    ("names", "mailboxes", "is_one"),
    [
        ((("Theresia", "Ernst"), ("Theresa", "Ernst")), ("theresia.ernst@x.de", "theresa.ernst@y.de"), False),
        ((("Theresia", "Ernst"), ("Theresa", "Ernst")), ("theresia.ernst@x.de", "t.ernst@y.de"), True),
        ((("Stephan", "Ernst"), ("Stefan", "Ernst")), ("stephan.ernst@x.de", "stefan.ernst@y.de"), True),
        ((("Eva", "Jonsson"), ("Eva", "Jansson")), ("eva.jonsson@x.de", "eva.jansson@y.de"), False),
        ((("Eva", "Jonsson"), ("Eva", "Jansson")), ("eva.jonsson@x.de", "eva@y.de"), True),
    ],
    ids=["two first names", "one slip", "two spellings of one", "two last names", "one slip in a last name"],
)
def test_two_spellings_that_stand_in_two_mailboxes_are_two_names(
    resolve: Resolve,
    names: tuple[tuple[str, str], tuple[str, str]],
    mailboxes: tuple[str, str],
    is_one: bool,
) -> None:
    home = {"street": "Lindenweg", "house_number": "4", "postal_code": "10115", "city": "Berlin"}
    pair = [
        {"record_key": f"x_{i}", "first_name": first, "last_name": last, "email": mailbox, **home}
        for i, ((first, last), mailbox) in enumerate(zip(names, mailboxes, strict=True))
    ]
    assert resolve(pair).together("x_0", "x_1") == is_one


def test_a_chain_of_little_differences_does_not_join_its_ends(resolve: Resolve) -> None:
    names = ["Anna", "Anne", "Anni", "Danni", "Dannie", "Daniel"]
    result = resolve([member(f"r_{i}", name) for i, name in enumerate(names)])
    assert result.apart("r_0", "r_5")


def test_every_refused_pair_has_a_reason_and_ends_in_two_customers(resolve: Resolve) -> None:
    result = resolve([member(f"r_{n}", n) for n in ("Anna", "Bernd", "Clara")])
    assert len(result.refused) == 3
    for refusal in result.refused:
        assert refusal["reason"] == "different_first_names"
        assert result.apart(refusal["record_key_a"], refusal["record_key_b"])


def _find_only_fits(
    weight: float = 2.0,
    reason: str | None = None,
    others: Sequence[tuple[int, int, float]] = (),
    links: Sequence[tuple[int, int]] = (),
    match_probability: float = 0.9,
    last_names: bool = True,
) -> list[tuple[int, int]]:
    """What `link_only_fits` links when the records 1 and 2 were weighed against each other, of three not linked."""
    columns = "a integer, b integer, match_weight double, match_probability double"
    with duckdb.connect() as connection:
        connection.execute(f"create table scores ({columns}); create table judged_scores ({columns}, reason text)")
        connection.execute("create table scored_candidates (a int, b int, rule text, rank int, w double, p double)")
        connection.execute("create table exact_edges (a int, b int, rule text, rank int)")
        connection.execute(
            "create view candidates as select a, b from exact_edges union all select a, b from scored_candidates"
        )
        connection.execute("insert into judged_scores values (1, 2, ?, 0.8, ?)", [weight, reason])
        connection.executemany("insert into scores values (?, ?, ?, 0)", [(1, 2, weight), *others])
        for a, b in links:
            connection.execute("insert into exact_edges values (?, ?, 'same_order', 3)", [a, b])
        connection.execute(
            "create table scored_profiles as select a as n from candidates union select b from candidates "
            "union select unnest([1, 2, 3])"
        )
        link_only_fits(connection, match_probability, Reliability(last_names=last_names))
        return connection.execute("select a, b from scored_candidates where rule = 'only_fit'").fetchall()


@pytest.mark.parametrize(
    ("found", "is_linked"),
    [
        pytest.param({}, True, id="nobody else"),
        pytest.param({"others": [(1, 3, -5.0)]}, True, id="somebody far off"),
        pytest.param({"others": [(1, 3, -3.0)]}, False, id="a rival of the first"),
        pytest.param({"others": [(0, 2, 9.0)]}, False, id="a better one for the second"),
        pytest.param({"links": [(2, 9)]}, False, id="a record that is linked already"),
        pytest.param({"match_probability": 0.99}, False, id="an owner who wants to be surer"),
    ],
)
def test_a_grey_pair_is_linked_only_where_neither_fits_anybody_else(found: dict[str, Any], is_linked: bool) -> None:
    assert _find_only_fits(**found) == ([(1, 2)] if is_linked else [])


@pytest.mark.parametrize(
    ("reason", "last_names", "is_linked"),
    [
        pytest.param("different_last_names", True, False, id="names that are mostly right"),
        pytest.param("different_last_names", False, True, id="names that are often wrong"),
        pytest.param("different_first_names", False, False, id="another reason"),
    ],
)
def test_other_last_names_refuse_who_fits_nobody_else_only_where_they_are_reliable(
    reason: str, last_names: bool, is_linked: bool
) -> None:
    found = _find_only_fits(reason=reason, last_names=last_names)
    assert found == ([(1, 2)] if is_linked else [])


def test_who_is_left_where_nearly_all_are_linked_needs_less() -> None:
    assert _find_only_fits(-2.0, links=[(n, n + 1) for n in range(10, 30, 2)]) == []
    assert _find_only_fits(-2.0, links=[(n, n + 1) for n in range(10, 210, 2)]) == [(1, 2)]
    assert _find_only_fits(-4.0, links=[(n, n + 1) for n in range(10, 210, 2)]) == []


def test_who_fits_nobody_else_is_linked_though_little_speaks_for_it() -> None:
    """The pair is alone in its component: its own weight, which it was linked in spite of, is no second reason."""
    component = Component([Edge(0, 1, 2, ONLY_FIT_RANK, -2.0)], {1: 1, 2: 2}, scores=[(1, 2, -2.0)])
    assert agglomerate(component, Forest(component.form_of)) == {}
