"""The adapter gives the counts that plain SQL gives, for every expectation a suite may use, and never a value."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import files
from typing import Any

import pytest

from pipelines.audit.expectation_types import SUPPORTED, UNSUPPORTED
from pipelines.audit.validation import CheckedObject, Outcome, validate
from pipelines.settings import Settings
from pipelines.warehouse import connect

pytestmark = pytest.mark.usefixtures("worker")

CANARY = "zsigmondy"
ROWS = "select * from raw.things where id >= 0"
THINGS = f"""
    create schema raw;
    create table raw.things as select
        i as id,
        case when i % 7 > 0 then 'u' || i || case when i % 10 = 0 then '{CANARY}' else '@x.de' end end as email,
        case when i % 10 = 0 then 'a' else 'b' end as kind,
        i % 5 as a,
        2 as b,
        cast(i as decimal(18, 4)) / 4 as amount,
        cast('2020-01-01' as date) + cast(i as integer) as day
    from range(100) as numbers (i);
    create table raw.nothing as select * from raw.things where false;
"""

# Expectation with arguments, and the SQL of the elements that fail: for a statement about the whole, whether it fails.
CASES: dict[str, tuple[dict[str, Any], str]] = {
    "unexpected_rows_expectation": (
        {
            "unexpected_rows_query": "select b.id from {batch} as b left join raw.things as o on b.id = o.id "
            "where regexp_matches(o.email, '^u[0-9]{{2,3}}z')"
        },
        "count(*) filter (where regexp_matches(email, '^u[0-9]{2,3}z'))",
    ),
    "expect_column_values_to_be_null": ({"column": "email"}, "count(email)"),
    "expect_column_values_to_not_be_null": ({"column": "email"}, "count(*) - count(email)"),
    "expect_column_values_to_be_unique": ({"column": "a"}, "count(*)"),
    "expect_column_values_to_be_between": (
        {"column": "day", "min_value": "2020-01-05", "strict_min": True},
        "count(*) filter (where day <= '2020-01-05')",
    ),
    "expect_column_values_to_be_in_set": (
        {"column": "kind", "value_set": ["a"]},
        "count(*) filter (where kind <> 'a')",
    ),
    "expect_column_values_to_not_be_in_set": (
        {"column": "kind", "value_set": ["a"]},
        "count(*) filter (where kind = 'a')",
    ),
    "expect_column_values_to_match_regex": (
        {"column": "email", "regex": "@x"},
        "count(*) filter (where email not like '%@x%')",
    ),
    "expect_column_values_to_not_match_regex": (
        {"column": "email", "regex": "^u1.{2}"},
        "count(*) filter (where email like 'u1__%')",
    ),
    "expect_column_values_to_match_regex_list": (
        {"column": "email", "regex_list": ["@", "^u1"], "match_on": "any"},
        "count(*) filter (where email not like '%@%' and email not like 'u1%')",
    ),
    "expect_column_values_to_not_match_regex_list": (
        {"column": "email", "regex_list": ["^u1", "^u2"]},
        "count(*) filter (where email like 'u1%' or email like 'u2%')",
    ),
    "expect_column_values_to_match_like_pattern": (
        {"column": "email", "like_pattern": "%@%"},
        "count(*) filter (where email not like '%@%')",
    ),
    "expect_column_values_to_not_match_like_pattern": (
        {"column": "email", "like_pattern": "%@%"},
        "count(*) filter (where email like '%@%')",
    ),
    "expect_column_values_to_match_like_pattern_list": (
        {"column": "email", "like_pattern_list": ["%@%", "u1%"], "match_on": "all"},
        "count(*) filter (where not (email like '%@%' and email like 'u1%'))",
    ),
    "expect_column_values_to_not_match_like_pattern_list": (
        {"column": "email", "like_pattern_list": ["u1%", "u2%"]},
        "count(*) filter (where email like 'u1%' or email like 'u2%')",
    ),
    "expect_column_value_lengths_to_be_between": (
        {"column": "email", "min_value": 7, "max_value": 7},
        "count(*) filter (where length(email) <> 7)",
    ),
    "expect_column_value_lengths_to_equal": (
        {"column": "email", "value": 7},
        "count(*) filter (where length(email) <> 7)",
    ),
    "expect_column_value_z_scores_to_be_less_than": (
        {"column": "id", "threshold": 1.5, "double_sided": True},
        "count(*) filter (where abs(id - 49.5) >= 1.5 * (select stddev_samp(id) from raw.things))",
    ),
    "expect_column_pair_values_a_to_be_greater_than_b": (
        {"column_A": "a", "column_B": "b"},
        "count(*) filter (where a <= b)",
    ),
    "expect_column_pair_values_to_be_equal": (
        {"column_A": "a", "column_B": "b"},
        "count(*) filter (where a <> b)",
    ),
    "expect_column_pair_values_to_be_in_set": (
        {"column_A": "a", "column_B": "b", "value_pairs_set": [[1, 2], [2, 2]]},
        "count(*) filter (where a not in (1, 2))",
    ),
    "expect_compound_columns_to_be_unique": ({"column_list": ["a", "kind"]}, "count(*)"),
    "expect_multicolumn_sum_to_equal": (
        {"column_list": ["a", "b"], "sum_total": 3},
        "count(*) filter (where a + b <> 3)",
    ),
    "expect_multicolumn_values_to_be_equal": ({"column_list": ["a", "b"]}, "count(*) filter (where a <> b)"),
    "expect_select_column_values_to_be_unique_within_record": (
        {"column_list": ["a", "b"]},
        "count(*) filter (where a = b)",
    ),
    "expect_column_distinct_values_to_be_in_set": ({"column": "kind", "value_set": ["a"]}, "1"),
    "expect_column_distinct_values_to_contain_set": ({"column": "kind", "value_set": ["a", "b"]}, "0"),
    "expect_column_distinct_values_to_equal_set": ({"column": "kind", "value_set": ["a"]}, "1"),
    "expect_column_most_common_value_to_be_in_set": ({"column": "kind", "value_set": ["b"]}, "0"),
    "expect_column_quantile_values_to_be_between": (
        {"column": "id", "quantile_ranges": {"quantiles": [0.5], "value_ranges": [[90, 99]]}},
        "1",
    ),
    "expect_column_max_to_be_between": ({"column": "id", "max_value": 98}, "1"),
    "expect_column_min_to_be_between": ({"column": "day", "min_value": "2020-01-01"}, "0"),
    "expect_column_mean_to_be_between": ({"column": "amount", "min_value": 12.3, "max_value": 12.4}, "0"),
    "expect_column_median_to_be_between": ({"column": "id", "max_value": 10}, "1"),
    "expect_column_stdev_to_be_between": ({"column": "id", "max_value": 10}, "1"),
    "expect_column_sum_to_be_between": ({"column": "amount", "min_value": 1237.5, "max_value": 1237.5}, "0"),
    "expect_column_unique_value_count_to_be_between": ({"column": "a", "max_value": 4}, "1"),
    "expect_column_proportion_of_unique_values_to_be_between": ({"column": "id", "min_value": 1}, "0"),
    "expect_column_proportion_of_non_null_values_to_be_between": ({"column": "email", "min_value": 0.9}, "1"),
    "expect_table_row_count_to_be_between": ({"min_value": 100, "max_value": 100}, "0"),
    "expect_table_row_count_to_equal": ({"value": 99}, "1"),
    "expect_table_column_count_to_be_between": ({"max_value": 6}, "1"),
    "expect_table_column_count_to_equal": ({"value": 7}, "0"),
    "expect_table_columns_to_match_set": ({"column_set": ["id"]}, "1"),
    "expect_table_columns_to_match_ordered_list": (
        {"column_list": ["id", "email", "kind", "a", "b", "amount", "day"]},
        "0",
    ),
    "expect_column_to_exist": ({"column": "email"}, "0"),
}


@pytest.fixture
def things(settings: Settings) -> Settings:
    settings.build_dir.mkdir(parents=True)
    with connect(settings.build_warehouse, settings) as connection:
        connection.execute(THINGS)
    return settings


def check(settings: Settings, type_: str, kwargs: Mapping[str, Any], query: str = ROWS) -> Outcome:
    [outcome] = validate(settings, [CheckedObject("things", query, [rule("only", type_, kwargs)])]).values()
    return outcome


def rule(key: str, type_: str, kwargs: Mapping[str, Any]) -> dict[str, Any]:
    return {"key": key, "type": type_, "kwargs": dict(kwargs)}


def test_every_expectation_of_great_expectations_is_supported_or_refused_by_name() -> None:
    modules = [file for file in files("great-expectations") or [] if str(file.parent).endswith("expectations/core")]
    shipped = {file.stem for file in modules if file.stem.startswith(("expect_", "unexpected_"))}
    assert shipped == SUPPORTED.keys() | UNSUPPORTED.keys()
    assert not SUPPORTED.keys() & UNSUPPORTED.keys()


def test_every_supported_expectation_fails_exactly_the_elements_that_plain_sql_finds(things: Settings) -> None:
    assert CASES.keys() == SUPPORTED.keys()
    rules = [rule(type_, type_, kwargs) for type_, (kwargs, _) in CASES.items()]
    outcomes = validate(things, [CheckedObject("things", ROWS, rules)])
    with connect(things.build_warehouse, things, read_only=True) as connection:
        counts = ", ".join(failing for _, failing in CASES.values())
        expected = dict(zip(CASES, connection.execute(f"select {counts} from raw.things").fetchall()[0], strict=True))
    assert {type_: outcome.failed_count for type_, outcome in outcomes.items()} == expected
    assert {type_ for type_, outcome in outcomes.items() if not outcome.success} == {
        t for t, n in expected.items() if n
    }


def test_every_refused_expectation_would_not_have_worked_or_shows_values(things: Settings) -> None:
    kwargs: dict[str, Any] = {
        "column": "email",
        "type_": "VARCHAR",
        "type_list": ["VARCHAR"],
        "strftime_format": "%Y",
        "json_schema": {},
        "other_table_name": "things",
    }
    from_suite = {
        "expect_column_values_to_be_increasing": {"column"},
        "expect_column_values_to_be_decreasing": {"column"},
        "expect_column_values_to_be_dateutil_parseable": {"column"},
        "expect_column_values_to_be_json_parseable": {"column"},
        "expect_column_values_to_match_json_schema": {"column", "json_schema"},
        "expect_column_values_to_match_strftime_format": {"column", "strftime_format"},
        "expect_column_type_to_be": {"column", "type_"},
        "expect_column_values_to_be_of_type": {"column", "type_"},
        "expect_column_values_to_be_in_type_list": {"column", "type_list"},
        "expect_table_row_count_to_equal_other_table": {"other_table_name"},
    }
    rules = [rule(type_, type_, {k: kwargs[k] for k in names}) for type_, names in from_suite.items()]
    outcomes = validate(things, [CheckedObject("things", ROWS, rules)])
    assert [type_ for type_, outcome in outcomes.items() if outcome.was_run] == []


def test_a_missing_value_is_not_judged_by_a_condition_on_values(things: Settings) -> None:
    outcome = check(things, "expect_column_values_to_match_regex", {"column": "email", "regex": "@"})
    assert (outcome.row_count, outcome.element_count, outcome.failed_count) == (100, 85, 8)


def test_mostly_decides_about_success_and_not_about_the_count(things: Settings) -> None:
    for mostly, success in ((0.9, True), (0.95, False)):
        kwargs = {"column": "email", "regex": "@", "mostly": mostly}
        outcome = check(things, "expect_column_values_to_match_regex", kwargs)
        assert (outcome.success, outcome.failed_count) == (success, 8)


@pytest.mark.parametrize(
    ("type_", "kwargs", "query"),
    [
        ("expect_column_values_to_be_unique", {"column": "no_such_column"}, ROWS),
        ("unexpected_rows_expectation", {"unexpected_rows_query": "select nothing from {batch}"}, ROWS),
        ("unexpected_rows_expectation", {"unexpected_rows_query": "selec {batch}"}, ROWS),
        ("expect_column_values_to_be_unique", {"column": "id"}, "select * from raw.no_such_table"),
        ("expect_column_values_to_be_unique", {"column": "id", "mostly": 7}, ROWS),
        ("expect_no_such_expectation", {}, ROWS),
    ],
    ids=["missing column", "missing column in SQL", "no SQL", "missing table", "wrong argument", "unknown type"],
)
def test_what_cannot_run_was_not_run(things: Settings, type_: str, kwargs: dict[str, Any], query: str) -> None:
    assert check(things, type_, kwargs, query) == Outcome(was_run=False)


def test_a_rule_that_cannot_run_takes_no_other_rule_with_it(things: Settings) -> None:
    good = rule("good", "expect_column_values_to_be_unique", {"column": "id"})
    broken = rule("broken", "expect_column_values_to_be_unique", {"column": "no_such_column"})
    missing = CheckedObject("missing", "select * from raw.no_such_table", [rule("gone", **without_key(good))])
    outcomes = validate(things, [missing, CheckedObject("things", ROWS, [broken, good])])
    assert {key: outcome.was_run for key, outcome in outcomes.items()} == {"gone": False, "broken": False, "good": True}


def without_key(given: Mapping[str, Any]) -> dict[str, Any]:
    return {"type_": given["type"], "kwargs": given["kwargs"]}


def test_every_expectation_says_of_an_object_without_rows_that_there_are_none(things: Settings) -> None:
    rules = [rule(type_, type_, kwargs) for type_, (kwargs, _) in CASES.items()]
    outcomes = validate(things, [CheckedObject("nothing", "select * from raw.nothing", rules)])
    assert {type_ for type_, o in outcomes.items() if not o.was_run or o.row_count != 0} == set()


def test_the_file_is_free_for_writing_as_soon_as_the_answer_is_there(things: Settings) -> None:
    check(things, "expect_column_values_to_be_unique", {"column": "id"})
    with connect(things.build_warehouse, things) as connection:
        connection.execute("create table written as select 1 as one")


def test_no_value_is_in_any_outcome(things: Settings) -> None:
    rules = [rule(type_, type_, kwargs) for type_, (kwargs, _) in CASES.items()]
    rules.append(
        rule(
            "cast",
            "unexpected_rows_expectation",
            {"unexpected_rows_query": "from {batch} where case when kind = 'a' then email::date end > '2020-01-01'"},
        )
    )
    rules.append(rule("largest", "expect_column_max_to_be_between", {"column": "email", "max_value": "a"}))
    outcomes = validate(things, [CheckedObject("things", ROWS, rules)])
    text = json.dumps({key: asdict(outcome) for key, outcome in outcomes.items()})
    assert CANARY not in text
    assert not outcomes["cast"].was_run
    private = things.build_dir / "errors.log"
    assert CANARY in private.read_text()  # the search would have found it
    assert private.stat().st_mode & 0o077 == 0


def test_a_data_folder_may_have_any_name(settings: Settings) -> None:
    from dataclasses import replace

    odd = replace(settings, data_dir=settings.data_dir.with_name("a b&c=d&e%20f$HOME#g"))
    odd.build_dir.mkdir(parents=True)
    with connect(odd.build_warehouse, odd) as connection:
        connection.execute(THINGS)
    assert check(odd, "expect_column_values_to_be_unique", {"column": "id"}).success


def test_times_are_utc_whatever_the_machine_thinks(things: Settings) -> None:
    query = "select 1 from {batch} where current_setting('TimeZone') <> 'UTC'"
    assert check(things, "unexpected_rows_expectation", {"unexpected_rows_query": query}).success


def test_the_worker_leaves_nothing_in_the_temp_folder(things: Settings) -> None:
    check(things, "expect_column_values_to_be_unique", {"column": "id"})
    assert list(things.temp_dir.iterdir()) == []
