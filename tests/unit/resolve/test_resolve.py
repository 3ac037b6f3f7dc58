"""The stage as a whole: every record in one customer, whatever is missing, in any order, again and again the same."""

from __future__ import annotations

import logging
import random
from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from duckdb import DuckDBPyConnection

from pipelines.build import Build
from pipelines.configuration import Configuration
from pipelines.configuration.identity import IdentityConfig
from pipelines.resolve import model, resolve_identities, training
from pipelines.resolve.comparisons import COMPARISONS, SWAPPED
from pipelines.resolve.drift import AGREEMENT, KNOWN
from pipelines.resolve.model import Model
from pipelines.settings import Settings
from tests.unit.resolve.conftest import Resolve, create_persons, fetch, make_build, publish

SYLLABLES = ("an", "ber", "co", "dal", "en", "fri", "gor", "hel", "im", "jos", "kar", "lu", "mar", "nel", "ot", "pir")


def make_people(count: int, seed: int = 7) -> list[dict[str, Any]]:
    """Two records of each of `count` people: the second with a slip, another mailbox, or another address."""
    chance = random.Random(seed)

    def word(parts: int) -> str:
        return "".join(chance.choice(SYLLABLES) for _ in range(parts)).capitalize()

    first_names = [word(2) for _ in range(60)]
    rows = []
    for i in range(count):
        person = {
            "first_name": chance.choice(first_names),
            "last_name": word(3),
            "birth_date": date(1950, 1, 1) + timedelta(days=chance.randrange(18_000)),
            "email": f"{word(3).lower()}{i}@x.de",
            "phone": f"+4930{1_000_000 + i}",
            "street": word(3) + "weg",
            "house_number": str(chance.randrange(90)),
            "postal_code": f"{10_000 + chance.randrange(400)}",
            "city": word(2),
        }
        other = dict(person)
        for field in chance.sample(["email", "phone", "birth_date", "street"], k=2):
            other[field] = None
        if chance.random() < 0.5:
            other["last_name"] = person["last_name"][1] + person["last_name"][0] + person["last_name"][2:]
        rows += [
            {"record_key": f"r_{i:05}a", "source_system": "crm", **person},
            {"record_key": f"r_{i:05}b", "source_system": "shop", **other},
        ]
    return rows


@pytest.mark.parametrize("count", [0, 1])
def test_hardly_any_records_resolve(resolve: Resolve, count: int) -> None:
    result = resolve([{"record_key": f"r_{i}", "first_name": "Anna"} for i in range(count)])
    assert result.report.customer_count == count
    assert len(result.customer_of) == count


def test_every_record_is_in_one_customer_also_deleted_inferred_and_empty_ones(resolve: Resolve) -> None:
    rows: list[dict[str, Any]] = [
        {
            "record_key": "r_deleted",
            "first_name": "Anna",
            "last_name": "Schmidt",
            "email": "a@x.de",
            "is_deleted": True,
        },
        {"record_key": "r_live", "first_name": "Anna", "last_name": "Schmidt", "email": "a@x.de"},
        {"record_key": "r_inferred", "is_inferred": True},
        {"record_key": "r_other_inferred", "is_inferred": True},
        {"record_key": "r_mailbox", "kind": "role_mailbox", "email": "buchhaltung@x.de"},
        {"record_key": "r_person", "first_name": "Bernd", "last_name": "Koch", "email": "buchhaltung@x.de"},
    ]
    result = resolve(rows)
    assert result.customer_of.keys() == {r["record_key"] for r in rows}
    assert result.together("r_deleted", "r_live")
    assert result.apart("r_live", "r_inferred", "r_other_inferred", "r_mailbox", "r_person")


@pytest.mark.parametrize(
    "fields",
    [
        {"first_name", "last_name", "email"},
        {"first_name", "last_name", "birth_date"},
        {"last_name", "postal_code", "street", "house_number", "city"},
        {"email"},
        set(),
    ],
    ids=["only name and e-mail", "only name and birth date", "only last name and address", "only e-mail", "nothing"],
)
def test_a_source_that_lacks_fields_resolves_by_the_others(resolve: Resolve, fields: set[str]) -> None:
    kept = {"record_key", "source_system", *fields}
    rows = [{k: v for k, v in row.items() if k in kept} for row in make_people(40)]
    result = resolve(rows)
    assert len(result.customer_of) == 80
    assert result.report.customer_count == (
        80 if len(fields) < 2 and fields != {"email"} else pytest.approx(50, abs=29)
    )
    assert result.report.largest_customer <= 2


@pytest.fixture(scope="module")
def people() -> list[dict[str, Any]]:
    return make_people(300)


def test_a_trained_model_finds_the_people_in_whatever_order_they_come(
    resolve: Resolve, people: list[dict[str, Any]]
) -> None:
    result = resolve(people)
    assert {"last_name", "email", "address"} <= set(result.report.trained)
    assert result.report.scored_link_count > 50
    assert sum(result.together(f"r_{i:05}a", f"r_{i:05}b") for i in range(300)) >= 297
    assert result.report.customer_count >= 300
    again = resolve(random.Random(3).sample(people, len(people)))
    assert again.report.weighed_pair_count == 0  # the pairs are the same, so are their scores
    report = replace(again.report, weighed_pair_count=result.report.weighed_pair_count)
    assert replace(again, report=report) == result


def test_a_second_build_changes_no_id_and_has_no_events(resolve: Resolve) -> None:
    rows = make_people(20)
    first = resolve(rows, then_publish=True)
    second = resolve(rows, version="20261122T000000Z-0000000b")
    assert second.customer_of == first.customer_of
    assert second.history == first.history
    assert second.events == first.events
    assert second.report.created == second.report.merged == 0


def test_a_link_that_appears_and_goes_away_gives_the_old_ids_back(resolve: Resolve) -> None:
    anna = {"record_key": "r_a", "first_name": "Anna", "last_name": "Schmidt", "email": "a@x.de"}
    other = {"record_key": "r_b", "first_name": "Anna", "last_name": "Schmidt", "phone": "+493012345"}
    bridge = {
        "record_key": "r_c",
        "first_name": "Anna",
        "last_name": "Schmidt",
        "email": "a@x.de",
        "phone": "+493012345",
    }
    apart = resolve([anna, other], version="v1", then_publish=True)
    joined = resolve([anna, other, bridge], version="v2", then_publish=True)
    assert joined.together("r_a", "r_b", "r_c")
    assert {e["event"] for e in joined.events if e["version"] == "v2"} == {"merged"}
    again = resolve([anna, other], version="v3", then_publish=True)
    assert again.customer_of == apart.customer_of
    assert {e["event"] for e in again.events if e["version"] == "v3"} == {"restored", "split"}
    assert all(row["status"] == "active" for row in again.history.values())


def test_a_new_record_founds_nothing_where_a_customer_is_known(resolve: Resolve) -> None:
    anna = {"record_key": "r_b", "first_name": "Anna", "last_name": "Schmidt", "email": "a@x.de"}
    older = {**anna, "record_key": "r_a", "city": "Ulm", "created_at": datetime.fromisoformat("2001-01-01")}
    before = resolve([anna], then_publish=True)
    assert resolve([anna, older], version="v2").customer_of["r_a"] == before.customer_of["r_b"]


def test_ten_thousand_records_in_one_chain_of_evidence_are_one_customer(
    warehouse: DuckDBPyConnection, settings: Settings, configuration: Configuration
) -> None:
    create_persons(warehouse, [])
    warehouse.execute(
        """
        insert into clean.persons (record_key, kind, first_name, last_name, email_match, phone, is_deleted, created_at)
        select md5(i::text), 'person', 'Anna', 'Schmidt', (i // 2)::text || '@x.de', '+49301' || ((i + 1) // 2)::text,
            false, timestamp '2020-01-01'
        from range(10000) as t(i)
        """
    )
    report = resolve_identities(warehouse, settings, configuration, make_build())
    assert report.customer_count == 1
    assert report.largest_customer == 10_000
    assert not report.refused_links


def test_nothing_is_left_behind_but_the_tables_of_identity(
    warehouse: DuckDBPyConnection, settings: Settings, configuration: Configuration, capfd: pytest.CaptureFixture[str]
) -> None:
    create_persons(warehouse, make_people(30))
    with_logging, catalogs = logging.getLogger("splink").handlers, _list_catalogs(warehouse)
    resolve_identities(warehouse, settings, configuration, make_build())
    tables = warehouse.execute(
        "select schema_name || '.' || table_name from duckdb_tables() union "
        "select schema_name || '.' || view_name from duckdb_views() where not internal order by all"
    ).fetchall()
    assert [name for (name,) in tables if not name.startswith(("clean.", "config."))] == [
        "identity.customer_id_events",
        "identity.customer_id_history",
        "identity.links",
        "identity.members",
        "identity.model",
        "identity.model_fit",
        "identity.model_frequencies",
        "identity.refused_links",
        "identity.review_queue",
        "identity.silenced_values",
    ]
    assert warehouse.execute("select current_database(), current_schema()").fetchone() == ("warehouse", "main")
    assert _list_catalogs(warehouse) == catalogs
    output = capfd.readouterr()
    assert output.out + output.err == ""
    assert logging.getLogger("splink").handlers == with_logging


def test_a_failure_leaves_the_connection_as_it_was(
    warehouse: DuckDBPyConnection, settings: Settings, configuration: Configuration
) -> None:
    import duckdb

    catalogs = _list_catalogs(warehouse)
    with pytest.raises(duckdb.CatalogException):
        resolve_identities(warehouse, settings, configuration, make_build())
    assert warehouse.execute("select current_database()").fetchone() == ("warehouse",)
    assert _list_catalogs(warehouse) == catalogs


def _list_catalogs(connection: DuckDBPyConnection) -> list[str]:
    rows = connection.execute("select database_name from duckdb_databases() where not internal order by all")
    return [name for (name,) in rows.fetchall()]


def test_training_on_blocks_without_pairs_leaves_the_shipped_probabilities(
    resolve: Resolve, people: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "FEWEST_TRAINING_PAIRS", 10**9)
    result = resolve(people)
    assert result.report.trained == ()
    assert result.report.customer_count < 330


def test_swapped_names_prove_little_where_first_names_are_last_names() -> None:
    names = next(c for c in COMPARISONS if c.name == "first_name")
    (position,) = (i for i, level in enumerate(names.levels) if level.condition == SWAPPED)
    assert training.with_chance_of_swap(COMPARISONS, 0.0) == COMPARISONS
    raised = next(c for c in training.with_chance_of_swap(COMPARISONS, 0.0016) if c.name == "first_name")
    assert raised.u[position] == pytest.approx(0.0016, rel=0.01)
    assert sum(raised.u) == pytest.approx(1, abs=0.001)


def test_matches_are_counted_by_the_other_fields_among_pairs_that_have_the_field() -> None:
    comparisons = tuple(c for c in COMPARISONS if c.name in ("first_name", "birth_date", "email"))
    birth_date = [c.name for c in comparisons].index("birth_date")
    other_date, other_mail = (len(c.levels) - 1 for c in comparisons[1:])
    # Birth dates differ in 40 persons and 900 pairs of namesakes; of 70 persons one is known.
    levels = np.array([[0, other_date, 0], [0, other_date, other_mail], [0, -1, 0]])
    matches = training.count_matches(comparisons, levels, np.array([40, 900, 70]), 0.0001)
    assert matches[birth_date] == 40
    assert matches[2] == 0  # by the name alone nobody is another


def test_birth_dates_that_only_namesakes_have_are_believed(resolve: Resolve) -> None:
    """One list has birth dates, and each person once: the pairs that have two are namesakes, of one town by chance."""
    chance = random.Random(3)
    first_names = [f"{a}{b}" for a in ("An", "Ber", "Cla", "Dor") for b in ("na", "ta", "ra", "the")]
    last_names = [f"{a}{b}" for a in ("Ad", "Bra", "Con", "Eg") for b in ("ler", "ndt", "rad")]
    rows, namesakes = [], Counter[tuple[str, str]]()
    for i in range(300):
        name = chance.choice(first_names), chance.choice(last_names)
        namesakes[name] += 1
        known = {
            "first_name": name[0],
            "last_name": name[1],
            "email": f"{name[0]}.{name[1]}{namesakes[name]}@gmx.de".lower(),
            "postal_code": chance.choice(["28195", "26122", "27472"]),
        }
        born = date(1940, 1, 1) + timedelta(days=chance.randrange(22_000))
        rows.append({"record_key": f"r_{i:03}a", "source_system": "crm", "birth_date": born, **known})
        rows.append({"record_key": f"r_{i:03}b", "source_system": "shop", **known})
        known.pop("postal_code")
        rows.append({"record_key": f"r_{i:03}c", "source_system": "support", **known})
    result = resolve(rows)
    assert result.report.customer_count == 300
    assert "birth_date" not in result.report.trained


def test_training_finds_the_probabilities_that_pairs_were_drawn_from() -> None:
    chance = np.random.default_rng(5)
    fields = [next(c for c in COMPARISONS if c.name == name) for name in ("email", "phone", "birth_date")]
    u = [[0.01, 0.02, 0.03, 0.03, 0.01, 0.9], [0.02, 0.98], [0.01, 0.05, 0.04, 0.2, 0.7]]
    m = [[0.6, 0.1, 0.05, 0.05, 0.05, 0.15], [0.6, 0.4], [0.75, 0.1, 0.05, 0.05, 0.05]]
    drawn = [
        chance.choice(len(p), size=20_000, p=p) if is_match else chance.choice(len(q), size=20_000, p=q)
        for is_match in (True, False)
        for p, q in zip(m, u, strict=True)
    ]
    levels = np.vstack([np.column_stack(drawn[:3]), np.column_stack(drawn[3:])])
    levels[::7, 1] = -1  # nobody's phone is always known
    counts = np.ones(len(levels), dtype=np.int64)
    comparisons = [c.with_probabilities(c.m, values) for c, values in zip(fields, u, strict=True)]
    for found, expected in zip(training.maximize_expectation(comparisons, levels, counts, 0.3), m, strict=True):
        assert found == pytest.approx(expected, abs=0.02)


def test_a_single_field_is_learned_from_pairs_that_are_matches_by_what_they_share() -> None:
    birth_date = next(c for c in COMPARISONS if c.name == "birth_date")
    levels, counts = np.array([[0], [1], [4]]), np.array([900, 20, 80])
    (sure,) = training.maximize_expectation([birth_date], levels, counts, 0.9999)
    assert sure is not None
    assert sure[-1] > model.UNRELIABLE_SHARES["birth_date"]


def test_a_field_that_no_pair_has_teaches_nothing() -> None:
    phone = next(c for c in COMPARISONS if c.name == "phone")
    assert training.maximize_expectation([phone], np.array([[-1]]), np.array([9]), 0.5) == [None]


@pytest.mark.parametrize("comparison", COMPARISONS, ids=lambda c: c.name)
def test_the_shipped_probabilities_are_distributions_that_favor_agreement(comparison: Any) -> None:
    levels = comparison.levels
    assert sum(level.m for level in levels) == pytest.approx(1, abs=0.001)
    assert sum(level.u for level in levels) == pytest.approx(1, abs=0.001)
    assert levels[0].m / levels[0].u > 50
    assert levels[-1].m < levels[-1].u
    assert levels[-1].condition == "ELSE"


def test_a_learned_m_that_makes_no_sense_is_not_used() -> None:
    comparison = next(c for c in COMPARISONS if c.name == "phone")
    assert training.trusted_m(comparison, [[0.001, 0.999]]) is None
    assert training.trusted_m(comparison, [[0.7, 0.3]]) == [0.7, 0.3]


def test_a_field_that_often_differs_within_a_person_is_weighed_and_not_a_conflict() -> None:
    birth_date = next(c for c in COMPARISONS if c.name == "birth_date")
    reliable = birth_date.with_probabilities([0.93, 0.05, 0.005, 0.005, 0.01], birth_date.u)
    unreliable = birth_date.with_probabilities([0.60, 0.10, 0.10, 0.10, 0.10], birth_date.u)
    for comparison, trained, expected in (
        (reliable, ("birth_date",), True),
        (unreliable, ("birth_date",), False),
        (unreliable, (), True),
    ):
        learned = Model("v1", (comparison,), 0.001, trained)
        assert learned.is_reliable("birth_date") is expected
        assert learned.is_reliable("first_name")


def test_random_pairs_that_are_true_do_not_count_as_accidents() -> None:
    fields = [next(c for c in COMPARISONS if c.name == name) for name in ("last_name", "email", "phone")]
    levels = np.array([[0, 0, 0], [0, 5, 1], [len(fields[0].levels) - 1, 5, 1]])
    counts = np.array([80, 200, 99_720])
    last_name, email, phone = training.learn_u(fields, fields, levels, counts, prior=0.0008)
    # The 80 pairs that agree in everything are one person each: nobody shares a mailbox or phone by accident.
    assert email.u[0] < 10 / 100_000
    assert phone.u[0] < 10 / 100_000
    assert last_name.u[0] == pytest.approx(0.002, rel=0.1)


def test_links_cite_their_rule_or_their_weight(
    warehouse: DuckDBPyConnection, settings: Settings, configuration: Configuration
) -> None:
    create_persons(warehouse, make_people(60))
    build: Build = make_build()
    resolve_identities(warehouse, settings, configuration, build)
    publish(warehouse, settings)
    links = fetch(warehouse, "links")
    assert {link["method"] for link in links} == {"exact", "probabilistic"}
    for link in links:
        assert link["record_key_a"] < link["record_key_b"]
        assert (link["match_weight"] is None) == (link["method"] == "exact")
        if link["method"] == "probabilistic":
            assert link["rule"] == "splink"
            assert link["model_version"] == "shipped"
            assert link["match_probability"] >= configuration.identity.match_probability


def test_unrelated_records_change_no_link_and_no_id_while_the_model_is_kept(
    resolve: Resolve, people: list[dict[str, Any]]
) -> None:
    before = resolve(people, then_publish=True)
    assert before.report.is_new_model
    again = resolve(people, version="20261122T000000Z-0000000b")
    assert again.links == before.links
    assert again.customer_of == before.customer_of
    assert not again.report.is_new_model

    # Another country's: no name, mailbox, street or place in common, but thrice as many, and full of one first name.
    unrelated = [
        {
            "record_key": f"x_{i:05}",
            "first_name": "Zoltan" if i % 2 else f"Xy{'abcdefghij'[i % 10]}lo",
            "last_name": f"Qu{'abcdefghij'[i // 100 % 10]}{'klmnopqrst'[i // 10 % 10]}zz{'uvwxyzabcd'[i % 10]}",
            "email": f"zz{i}@y.hu",
            "city": "Zalaegerszeg",
        }
        for i in range(1_800)
    ]
    keep = IdentityConfig(learn_anew_on_drift=False)
    crowded = resolve([*people, *unrelated], version="20261122T000000Z-0000000b", identity=keep)
    assert [link for link in crowded.links if not link["record_key_a"].startswith("x_")] == before.links
    assert {r: crowded.customer_of[r] for r in before.customer_of} == before.customer_of
    assert crowded.report.model_version == before.report.model_version


def test_the_model_is_learned_anew_when_the_configuration_says_so(
    resolve: Resolve, people: list[dict[str, Any]]
) -> None:
    first = resolve(people, then_publish=True)
    anew = resolve(people, version="20261122T000000Z-0000000b", identity=IdentityConfig(model=2))
    assert anew.report.is_new_model
    assert anew.report.model_version == "20261122T000000Z-0000000b" != first.report.model_version
    assert anew.report.trained == first.report.trained


def test_a_model_that_learned_nothing_is_not_kept(resolve: Resolve, people: list[dict[str, Any]]) -> None:
    assert resolve(people[:40], then_publish=True).report.model_version == "shipped"
    assert resolve(people, version="20261122T000000Z-0000000b").report.is_new_model


def test_a_value_seen_once_is_not_kept_with_the_model(
    resolve: Resolve, people: list[dict[str, Any]], warehouse: DuckDBPyConnection
) -> None:
    resolve(people)
    kept = warehouse.execute(
        "select field, count(value), count(*) from identity.model_frequencies where field not in (?, ?) group by all",
        [KNOWN, AGREEMENT],
    )
    counts = {field: (values, rows) for field, values, rows in kept.fetchall()}
    assert counts["last_name"][0] < 300
    assert all(rows - values == (field != "bearers of a first name") for field, (values, rows) in counts.items())
