"""The SQL that finds the rows which do not meet an expectation: what Great Expectations counts, as rows.

Add a type here when `expectation_types` supports it and it judges rows one by one; a test compares the rows with the
count of Great Expectations for every type. Its own text of this query cannot be run on DuckDB: the rows of a query
asset stand in it without parentheses, and arguments as bare parameters. Nothing here runs a query.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

from pipelines.audit.expectation_types import UNEXPECTED_ROWS
from pipelines.warehouse import identifier, literal

if TYPE_CHECKING:
    from pipelines.audit.rules import Rule, RuleObject

Arguments = Mapping[str, Any]


def failing_rows(type_: str, kwargs: Arguments, rows: str) -> str | None:
    """SQL of the rows that fail, or None for a statement about the rows as a whole.

    Args:
        type_: a supported expectation.
        kwargs: its arguments; `mostly` says how many may fail, and changes nothing here.
        rows: SQL of the rows that are checked.

    Returns:
        A query with all columns of `rows`; for an SQL rule, with the columns that it selects.
    """
    if type_ == UNEXPECTED_ROWS:
        return f"with batch as ({rows}) {rule_query(kwargs)}"
    if type_ in DUPLICATES:
        columns = kwargs["column_list"] if "column_list" in kwargs else [kwargs["column"]]
        return _duplicates(columns, _judged(kwargs), rows)
    if type_ not in CONDITIONS:
        return None
    return f"with batch as ({rows}) select * from batch where ({_judged(kwargs)}) and ({CONDITIONS[type_](kwargs)})"


def failing_rows_of(rule: Rule, checked: RuleObject) -> str | None:
    """SQL of the rows of an object that fail a rule of a suite, or None where there are none to be found."""
    if rule.expectation is None or checked.query is None:
        return None
    return failing_rows(rule.expectation["type"], rule.expectation["kwargs"], checked.query)


def rule_query(kwargs: Arguments) -> str:
    """The query of an SQL rule with `{batch}` as a table named batch, which joins and aliases like any other.

    A query that begins with a common table expression of its own keeps it.
    """
    return f"select * from ({kwargs['unexpected_rows_query'].format(batch='batch')})"


def _judged(kwargs: Arguments) -> str:
    """The rows that are judged at all: a missing value is not, unless the expectation is about missing values."""
    if "column" in kwargs:
        return "true"  # said by the condition
    columns = kwargs.get("column_list") or [kwargs["column_A"], kwargs["column_B"]]
    missing = [f"{identifier(column)} is null" for column in columns]
    ignored = str(kwargs.get("ignore_row_if", "all_values_are_missing"))
    if ignored == "never" or ignored == "neither":
        return "true"
    if ignored.startswith(("any", "either")):
        return f"not ({' or '.join(missing)})"
    return f"not ({' and '.join(missing)})"


def _duplicates(columns: Sequence[str], judged: str, rows: str) -> str:
    names = ", ".join(map(identifier, columns))
    known = " and ".join(f"{identifier(column)} is not null" for column in columns)
    return (
        f"with batch as ({rows}), repeated as (select {names} from batch where {known} and ({judged}) "
        f"group by {names} having count(*) > 1) select batch.* from batch inner join repeated using ({names})"
    )


def _value(value: object) -> str:
    """An argument of a rule as SQL. Quoted, it takes the type of the column that it is compared with."""
    if isinstance(value, bool | int | float):
        return str(value)
    return literal(value)


def _set(values: Sequence[object]) -> str:
    return ", ".join(_value(value) for value in values if value is not None) or "null"


def _column(kwargs: Arguments) -> str:
    return identifier(kwargs["column"])


def _unless(condition: Callable[[Arguments], str]) -> Callable[[Arguments], str]:
    """Values that do not meet the condition."""
    return lambda kwargs: f"{_column(kwargs)} is not null and not ({condition(kwargs)})"


def _where(condition: Callable[[Arguments], str]) -> Callable[[Arguments], str]:
    """Values that meet the condition."""
    return lambda kwargs: f"{_column(kwargs)} is not null and ({condition(kwargs)})"


def _within_limits(value: str, kwargs: Arguments) -> str:
    limits = []
    if kwargs.get("min_value") is not None:
        limits.append(f"{value} {'>' if kwargs.get('strict_min') else '>='} {_value(kwargs['min_value'])}")
    if kwargs.get("max_value") is not None:
        limits.append(f"{value} {'<' if kwargs.get('strict_max') else '<='} {_value(kwargs['max_value'])}")
    return " and ".join(limits) or "true"


def _matches(kwargs: Arguments) -> str:
    patterns = kwargs["regex_list"] if "regex_list" in kwargs else [kwargs["regex"]]
    found = [f"regexp_matches({_column(kwargs)}, {literal(pattern)})" for pattern in patterns]
    return _joined(found, kwargs)


def _is_like(kwargs: Arguments) -> str:
    patterns = kwargs["like_pattern_list"] if "like_pattern_list" in kwargs else [kwargs["like_pattern"]]
    escape = f" escape {literal(kwargs['escape'])}" if kwargs.get("escape") else ""
    return _joined([f"{_column(kwargs)} like {literal(pattern)}{escape}" for pattern in patterns], kwargs)


def _joined(conditions: Sequence[str], kwargs: Arguments) -> str:
    return f" {'and' if kwargs.get('match_on') == 'all' else 'or'} ".join(conditions)


def _z_score_is_high(kwargs: Arguments) -> str:
    column = _column(kwargs)
    score = f"({column} - (select avg({column}) from batch)) / nullif((select stddev_samp({column}) from batch), 0)"
    return f"{f'abs({score})' if kwargs['double_sided'] else score} >= {_value(kwargs['threshold'])}"


def _a_is_not_greater(kwargs: Arguments) -> str:
    sign = "<" if kwargs.get("or_equal") else "<="
    return f"{identifier(kwargs['column_A'])} {sign} {identifier(kwargs['column_B'])}"


def _pair_differs(kwargs: Arguments) -> str:
    a, b = identifier(kwargs["column_A"]), identifier(kwargs["column_B"])
    return f"coalesce({a} <> {b}, true)"


def _pair_is_unknown(kwargs: Arguments) -> str:
    a, b = identifier(kwargs["column_A"]), identifier(kwargs["column_B"])
    pairs = [f"({a} = {_value(first)} and {b} = {_value(second)})" for first, second in kwargs["value_pairs_set"]]
    return f"not ({' or '.join(pairs)})"


def _sum_differs(kwargs: Arguments) -> str:
    return f"{' + '.join(map(identifier, kwargs['column_list']))} <> {_value(kwargs['sum_total'])}"


def _values_differ(kwargs: Arguments) -> str:
    first, *others = map(identifier, kwargs["column_list"])
    return " or ".join(f"{first} is distinct from {other}" for other in others)


def _values_repeat(kwargs: Arguments) -> str:
    pairs = combinations(map(identifier, kwargs["column_list"]), 2)
    return " or ".join(f"{one} is not distinct from {other}" for one, other in pairs)


DUPLICATES = frozenset({"expect_column_values_to_be_unique", "expect_compound_columns_to_be_unique"})

# By type: the condition under which a row fails.
CONDITIONS: dict[str, Callable[[Arguments], str]] = {
    "expect_column_values_to_be_null": lambda kwargs: f"{_column(kwargs)} is not null",
    "expect_column_values_to_not_be_null": lambda kwargs: f"{_column(kwargs)} is null",
    "expect_column_values_to_be_between": _unless(lambda kwargs: _within_limits(_column(kwargs), kwargs)),
    "expect_column_values_to_be_in_set": _unless(lambda kwargs: f"{_column(kwargs)} in ({_set(kwargs['value_set'])})"),
    "expect_column_values_to_not_be_in_set": _where(
        lambda kwargs: f"{_column(kwargs)} in ({_set(kwargs['value_set'])})"
    ),
    "expect_column_values_to_match_regex": _unless(_matches),
    "expect_column_values_to_match_regex_list": _unless(_matches),
    "expect_column_values_to_not_match_regex": _where(_matches),
    "expect_column_values_to_not_match_regex_list": _where(_matches),
    "expect_column_values_to_match_like_pattern": _unless(_is_like),
    "expect_column_values_to_match_like_pattern_list": _unless(_is_like),
    "expect_column_values_to_not_match_like_pattern": _where(_is_like),
    "expect_column_values_to_not_match_like_pattern_list": _where(_is_like),
    "expect_column_value_lengths_to_be_between": _unless(
        lambda kwargs: _within_limits(f"length({_column(kwargs)})", kwargs)
    ),
    "expect_column_value_lengths_to_equal": _unless(
        lambda kwargs: f"length({_column(kwargs)}) = {_value(kwargs['value'])}"
    ),
    "expect_column_value_z_scores_to_be_less_than": _where(_z_score_is_high),
    "expect_column_pair_values_a_to_be_greater_than_b": _a_is_not_greater,
    "expect_column_pair_values_to_be_equal": _pair_differs,
    "expect_column_pair_values_to_be_in_set": _pair_is_unknown,
    "expect_multicolumn_sum_to_equal": _sum_differs,
    "expect_multicolumn_values_to_be_equal": _values_differ,
    "expect_select_column_values_to_be_unique_within_record": _values_repeat,
}
