"""On random tables the adapter says what Great Expectations' own pandas engine says: same verdict, same counts.

And the rows that are listed as failing are as many as are counted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pipelines.audit import gx
from pipelines.audit.expectation_types import SUPPORTED, UNEXPECTED_ROWS, UNSUPPORTED
from pipelines.audit.failing_rows import failing_rows
from pipelines.settings import PROJECT_DIR, Settings
from pipelines.warehouse import connect, insert_rows

EXAMPLES = 3  # for each group; a rule takes 40 ms of processor time in each engine

TYPES = {
    **dict.fromkeys(("whole", "other"), "bigint"),
    "real": "double",
    "exact": "decimal(18, 4)",
    **dict.fromkeys(("text", "word"), "varchar"),
    "flag": "boolean",
    **dict.fromkeys(("day", "due"), "date"),
    "moment": "timestamp",
}
DAYS = [date(2024, 1, day) for day in (1, 2, 3)]
TEXTS = ["", "a", "b", "ab", "ä", "A%", "a_b", " ", "a\nb", "'"]
VALUES: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(("whole", "other"), st.integers(-2, 2)),
    "real": st.sampled_from([-1.5, -0.0, 0.1, 1.0, 2.5]),
    "exact": st.sampled_from(["-1.5", "0", "0.1", "1", "2.5"]),
    **dict.fromkeys(("text", "word"), st.sampled_from(TEXTS)),
    "flag": st.booleans(),
    **dict.fromkeys(("day", "due"), st.sampled_from(DAYS)),
    "moment": st.sampled_from([datetime(2024, 1, 1), datetime(2024, 1, 2, 12, 30), datetime(2024, 1, 3)]),  # noqa: DTZ001
}
ROWS = st.lists(st.tuples(*(st.none() | values for values in VALUES.values())), max_size=7)

Rule = tuple[str, dict[str, Any]]
LIMITS: Sequence[dict[str, Any]] = (
    {"min_value": -1, "max_value": 1},
    {"min_value": 0, "strict_min": True},
    {"max_value": 1, "strict_max": True},
)
# pandas compares days with moments only.
MIDNIGHTS = [datetime(2024, 1, day) for day in (1, 2)]  # noqa: DTZ001
SETS: dict[str, list[Any]] = {
    "whole": [0, 1, -2],
    "exact": [0, 1, 2.5],
    "text": ["", "a", "ä"],
    "flag": [True],
    "day": MIDNIGHTS,
}
NUMBERS = ("whole", "real", "exact")


def about_missing_values() -> Iterator[Rule]:
    for column in TYPES:
        yield "expect_column_values_to_be_null", {"column": column, "mostly": 0.5}
        yield "expect_column_values_to_not_be_null", {"column": column, "mostly": 0.5}
    for column in ("whole", "text", "day"):
        yield "expect_column_proportion_of_non_null_values_to_be_between", {"column": column, "min_value": 0.5}
        yield "expect_column_proportion_of_unique_values_to_be_between", {"column": column, "max_value": 0.5}
        yield "expect_column_unique_value_count_to_be_between", {"column": column, "min_value": 1, "max_value": 2}
        yield "expect_column_values_to_be_unique", {"column": column, "mostly": 0.5}


def about_sets() -> Iterator[Rule]:
    for column, values in SETS.items():
        yield "expect_column_values_to_be_in_set", {"column": column, "value_set": values, "mostly": 0.6}
        yield "expect_column_values_to_not_be_in_set", {"column": column, "value_set": values}
        yield "expect_column_distinct_values_to_be_in_set", {"column": column, "value_set": values}
        yield "expect_column_distinct_values_to_contain_set", {"column": column, "value_set": values[:1]}
        yield "expect_column_distinct_values_to_equal_set", {"column": column, "value_set": values}
    for ties_okay in (True, False):
        kwargs = {"column": "text", "value_set": ["", "a", "b"], "ties_okay": ties_okay}
        yield "expect_column_most_common_value_to_be_in_set", kwargs


def about_amounts() -> Iterator[Rule]:
    for column, limits in zip(NUMBERS, LIMITS, strict=True):
        yield "expect_column_values_to_be_between", {"column": column, **limits}
        yield "expect_column_value_z_scores_to_be_less_than", {"column": column, "threshold": 1, "double_sided": True}
        for figure in ("max", "min", "mean", "median", "stdev", "sum"):
            yield f"expect_column_{figure}_to_be_between", {"column": column, **limits}
    ranges = {"quantiles": [0.25, 0.5], "value_ranges": [[-1, 1], [0, 2]]}
    yield "expect_column_quantile_values_to_be_between", {"column": "whole", "quantile_ranges": ranges}


def about_days() -> Iterator[Rule]:
    limits = {"min_value": datetime(2024, 1, 2), "max_value": datetime(2024, 1, 3)}  # noqa: DTZ001
    for column in ("day", "moment"):
        yield "expect_column_values_to_be_between", {"column": column, **limits}
        yield "expect_column_max_to_be_between", {"column": column, **limits}
        yield "expect_column_min_to_be_between", {"column": column, **limits}


def about_texts() -> Iterator[Rule]:
    for column in ("text", "word"):
        yield "expect_column_values_to_match_regex", {"column": column, "regex": "^a|ä$", "mostly": 0.5}
        yield "expect_column_values_to_not_match_regex", {"column": column, "regex": "a.?b"}
        for match_on in ("any", "all"):
            kwargs = {"column": column, "regex_list": ["a", "b"], "match_on": match_on}
            yield "expect_column_values_to_match_regex_list", kwargs
        yield "expect_column_values_to_not_match_regex_list", {"column": column, "regex_list": ["a", "%"]}
        yield "expect_column_value_lengths_to_equal", {"column": column, "value": 1}
        yield "expect_column_value_lengths_to_be_between", {"column": column, "min_value": 1, "max_value": 2}


def about_pairs() -> Iterator[Rule]:
    for a, b in (("whole", "other"), ("real", "exact"), ("day", "due")):
        pair = {"column_A": a, "column_B": b}
        for ignored in ("both_values_are_missing", "either_value_is_missing", "neither"):
            yield "expect_column_pair_values_to_be_equal", {**pair, "ignore_row_if": ignored}
        known = {**pair, "ignore_row_if": "either_value_is_missing"}
        yield "expect_column_pair_values_a_to_be_greater_than_b", {**known, "or_equal": a == "real"}
    known = {"column_A": "whole", "column_B": "other", "ignore_row_if": "either_value_is_missing"}
    yield "expect_column_pair_values_to_be_in_set", {**known, "value_pairs_set": [[0, 0], [1, 1], [0, 1]]}


def about_several_columns() -> Iterator[Rule]:
    for ignored in ("all_values_are_missing", "any_value_is_missing", "never"):
        for columns in (["whole", "other"], ["text", "word"]):
            several = {"column_list": columns, "ignore_row_if": ignored}
            yield "expect_multicolumn_values_to_be_equal", several
            yield "expect_select_column_values_to_be_unique_within_record", several
    known = {"column_list": ["whole", "other"], "ignore_row_if": "any_value_is_missing"}
    yield "expect_compound_columns_to_be_unique", known
    yield "expect_compound_columns_to_be_unique", {**known, "column_list": ["text", "flag"]}
    yield "expect_multicolumn_sum_to_equal", {**known, "sum_total": 1}


def about_the_table() -> Iterator[Rule]:
    yield "expect_table_row_count_to_be_between", {"min_value": 1, "max_value": 3}
    yield "expect_table_row_count_to_equal", {"value": 2}
    yield "expect_table_column_count_to_be_between", {"max_value": 9}
    yield "expect_table_column_count_to_equal", {"value": len(TYPES)}
    yield "expect_table_columns_to_match_set", {"column_set": ["whole"], "exact_match": False}
    yield "expect_table_columns_to_match_ordered_list", {"column_list": list(TYPES)}
    yield "expect_column_to_exist", {"column": "whole"}
    yield "expect_column_to_exist", {"column": "nowhere"}


GROUPS: dict[str, Callable[[], Iterator[Rule]]] = {
    group.__name__: group
    for group in (
        *(about_missing_values, about_sets, about_amounts, about_days, about_texts),
        *(about_pairs, about_several_columns, about_the_table),
    )
}
# pandas has no LIKE, and no SQL.
SQL_ONLY = {UNEXPECTED_ROWS, *(type_ for type_ in SUPPORTED if "like_pattern" in type_)}


@pytest.fixture(scope="module")
def pandas_engine() -> Callable[[Any, Sequence[Mapping[str, Any]]], dict[str, dict[str, Any]]]:
    """Great Expectations' own engine: a frame and rules in, outcomes out."""
    gx.import_great_expectations()
    import great_expectations
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = great_expectations.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
    source = context.data_sources.add_pandas("frames").add_dataframe_asset("frame")
    definition = source.add_batch_definition_whole_dataframe("whole")

    def judge(frame: Any, rules: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
        return gx.validate_batch(definition.get_batch({"dataframe": frame}), rules)["results"]

    return judge


def figures(outcome: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(outcome.get(name, "error") for name in ("success", "element_count", "failed_count"))


@pytest.mark.usefixtures("pandas_engine")
def test_every_expectation_that_the_library_registers_works_or_is_refused_by_name() -> None:
    from great_expectations.expectations.registry import list_registered_expectation_implementations

    assert (
        SUPPORTED.keys() <= set(list_registered_expectation_implementations()) <= SUPPORTED.keys() | UNSUPPORTED.keys()
    )


@pytest.mark.usefixtures("pandas_engine")
def test_the_guide_works_as_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    guide = (PROJECT_DIR / "docs" / "great-expectations.md").read_text(encoding="utf-8")
    [code] = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "guide", "exec"), {})  # noqa: S102  what readers will do
    printed = re.sub(r"\s", "", capsys.readouterr().out)
    promised = re.sub(r"[#\s]", "", "".join(line for line in code.splitlines() if line.lstrip().startswith("#")))
    assert printed == promised


def test_every_expectation_that_pandas_has_is_compared() -> None:
    compared = {type_ for group in GROUPS.values() for type_, _ in group()}
    assert compared == SUPPORTED.keys() - SQL_ONLY


@pytest.mark.parametrize("group", GROUPS)
@hypothesis_settings(
    max_examples=EXAMPLES,
    derandomize=True,
    phases=[Phase.generate],  # making an example smaller costs a minute; it is small
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rows=ROWS)
def test_both_engines_give_the_same_verdict_and_the_same_counts(
    group: str, rows: list[tuple[Any, ...]], settings: Settings, pandas_engine: Any
) -> None:
    rules = [
        {"key": str(number), "type": type_, "kwargs": kwargs} for number, (type_, kwargs) in enumerate(GROUPS[group]())
    ]
    file = _table(settings, rows)
    with gx.open_warehouse(file, {}) as warehouse:
        found = gx.validate_object(warehouse, "things", "select * from things", rules)["results"]
    with connect(file, settings, read_only=True) as connection:
        frame = connection.execute("from things").df()
        # Great Expectations cannot judge pandas' own missing whole numbers.
        frame = frame.astype({name: "float64" for name, kind in frame.dtypes.items() if str(kind).startswith("Int")})
        expected = pandas_engine(frame, rules)
        for rule in rules:
            outcome, said = found[rule["key"]], (rule, rows)
            if not _is_sum_of_nothing(rule, rows):
                assert figures(outcome) == figures(expected[rule["key"]]), said
            query = failing_rows(rule["type"], rule["kwargs"], "select * from things")
            if query is not None:
                counted = connection.execute(f"select count(*) from ({query})").fetchall()
                assert counted == [(outcome["failed_count"],)], (query, *said)


def _table(settings: Settings, rows: Sequence[tuple[Any, ...]]) -> Path:
    settings.build_dir.mkdir(parents=True, exist_ok=True)
    settings.build_warehouse.unlink(missing_ok=True)
    with connect(settings.build_warehouse, settings) as connection:
        columns = ", ".join(f"{name} {type_}" for name, type_ in TYPES.items())
        connection.execute(f"create table things ({columns})")
        insert_rows(connection, "things", rows)
    return settings.build_warehouse


def _is_sum_of_nothing(rule: Mapping[str, Any], rows: Sequence[tuple[Any, ...]]) -> bool:
    """pandas says 0, SQL says that it is not known: a rule about the sum of a column without values is not met."""
    if rule["type"] != "expect_column_sum_to_be_between":
        return False
    position = list(TYPES).index(rule["kwargs"]["column"])
    return all(row[position] is None for row in rows)
