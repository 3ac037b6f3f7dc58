"""Which expectations of Great Expectations a suite may use on DuckDB, and why not the others.

Add a type here when it was proven to give the counts that plain SQL gives (a test does this for every type).
Nothing here imports Great Expectations: suites are checked when they are loaded.
"""

from __future__ import annotations

UNEXPECTED_ROWS = "unexpected_rows_expectation"
USUAL_METRICS = "expect_metrics_to_be_usual"

_COLUMN = frozenset({"column"})
_COLUMN_OPTIONS = frozenset({"mostly"})
_LIMITS = frozenset({"min_value", "max_value", "strict_min", "strict_max"})
_PAIR = frozenset({"column_A", "column_B"})
_LIST = frozenset({"column_list"})
_IGNORE = frozenset({"mostly", "ignore_row_if"})


def _column(*required: str, options: frozenset[str] = frozenset()) -> tuple[frozenset[str], frozenset[str]]:
    return _COLUMN | set(required), _COLUMN_OPTIONS | options


# By type: required arguments, further arguments.
SUPPORTED: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    UNEXPECTED_ROWS: (frozenset({"unexpected_rows_query"}), frozenset()),
    # conditions on every value of a column
    "expect_column_values_to_be_null": _column(),
    "expect_column_values_to_not_be_null": _column(),
    "expect_column_values_to_be_unique": _column(),
    "expect_column_values_to_be_between": _column(options=_LIMITS),
    "expect_column_values_to_be_in_set": _column("value_set"),
    "expect_column_values_to_not_be_in_set": _column("value_set"),
    "expect_column_values_to_match_regex": _column("regex"),
    "expect_column_values_to_not_match_regex": _column("regex"),
    "expect_column_values_to_match_regex_list": _column("regex_list", options=frozenset({"match_on"})),
    "expect_column_values_to_not_match_regex_list": _column("regex_list"),
    "expect_column_values_to_match_like_pattern": _column("like_pattern", options=frozenset({"escape"})),
    "expect_column_values_to_not_match_like_pattern": _column("like_pattern", options=frozenset({"escape"})),
    "expect_column_values_to_match_like_pattern_list": _column(
        "like_pattern_list", options=frozenset({"match_on", "escape"})
    ),
    "expect_column_values_to_not_match_like_pattern_list": _column("like_pattern_list", options=frozenset({"escape"})),
    "expect_column_value_lengths_to_be_between": _column(options=_LIMITS),
    "expect_column_value_lengths_to_equal": _column("value"),
    "expect_column_value_z_scores_to_be_less_than": _column("threshold", "double_sided"),
    # conditions on several columns of a row
    "expect_column_pair_values_a_to_be_greater_than_b": (_PAIR, _IGNORE | {"or_equal"}),
    "expect_column_pair_values_to_be_equal": (_PAIR, _IGNORE),
    "expect_column_pair_values_to_be_in_set": (_PAIR | {"value_pairs_set"}, _IGNORE),
    "expect_compound_columns_to_be_unique": (_LIST, _IGNORE),
    "expect_multicolumn_sum_to_equal": (_LIST | {"sum_total"}, _IGNORE),
    "expect_multicolumn_values_to_be_equal": (_LIST, _IGNORE),
    "expect_select_column_values_to_be_unique_within_record": (_LIST, _IGNORE),
    # statements about a column as a whole
    "expect_column_distinct_values_to_be_in_set": (_COLUMN | {"value_set"}, frozenset()),
    "expect_column_distinct_values_to_contain_set": (_COLUMN | {"value_set"}, frozenset()),
    "expect_column_distinct_values_to_equal_set": (_COLUMN | {"value_set"}, frozenset()),
    "expect_column_most_common_value_to_be_in_set": (_COLUMN | {"value_set"}, frozenset({"ties_okay"})),
    "expect_column_max_to_be_between": (_COLUMN, _LIMITS),
    "expect_column_min_to_be_between": (_COLUMN, _LIMITS),
    "expect_column_mean_to_be_between": (_COLUMN, _LIMITS),
    "expect_column_median_to_be_between": (_COLUMN, _LIMITS),
    "expect_column_quantile_values_to_be_between": (_COLUMN | {"quantile_ranges"}, frozenset()),
    "expect_column_stdev_to_be_between": (_COLUMN, _LIMITS),
    "expect_column_sum_to_be_between": (_COLUMN, _LIMITS),
    "expect_column_unique_value_count_to_be_between": (_COLUMN, _LIMITS),
    "expect_column_proportion_of_unique_values_to_be_between": (_COLUMN, _LIMITS),
    "expect_column_proportion_of_non_null_values_to_be_between": (_COLUMN, _LIMITS),
    # statements about the object as a whole
    "expect_table_row_count_to_be_between": (frozenset(), _LIMITS),
    "expect_table_row_count_to_equal": (frozenset({"value"}), frozenset()),
    "expect_table_column_count_to_be_between": (frozenset(), frozenset({"min_value", "max_value"})),
    "expect_table_column_count_to_equal": (frozenset({"value"}), frozenset()),
    "expect_table_columns_to_match_set": (frozenset({"column_set"}), frozenset({"exact_match"})),
    "expect_table_columns_to_match_ordered_list": (_LIST, frozenset()),
    "expect_column_to_exist": (_COLUMN, frozenset({"column_index"})),
}

# By type: what `ignore_row_if` must say. In SQL a comparison with a missing value is neither met nor failed, so such a
# row would silently count as good, where pandas counts it as failing or, as a key, as equal to others without it.
ONLY_KNOWN = {
    "expect_column_pair_values_a_to_be_greater_than_b": "either_value_is_missing",
    "expect_column_pair_values_to_be_in_set": "either_value_is_missing",
    "expect_compound_columns_to_be_unique": "any_value_is_missing",
    "expect_multicolumn_sum_to_equal": "any_value_is_missing",
}

# Expectations of our own, which Great Expectations never sees.
OWN: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    USUAL_METRICS: (frozenset({"metrics"}), frozenset()),
}

# Their observed value is a figure about many records. All others show none: the largest birth date is a person's.
SHOWS_OBSERVED_VALUE = frozenset(
    {
        "expect_column_mean_to_be_between",
        "expect_column_stdev_to_be_between",
        "expect_column_sum_to_be_between",
        "expect_column_unique_value_count_to_be_between",
        "expect_column_proportion_of_unique_values_to_be_between",
        "expect_column_proportion_of_non_null_values_to_be_between",
        "expect_table_row_count_to_be_between",
        "expect_table_row_count_to_equal",
        "expect_table_column_count_to_be_between",
        "expect_table_column_count_to_equal",
    }
)

_SORTED = "rows of a table have no order; write the order into an unexpected_rows_expectation"
_PYTHON = "it parses values in Python and has no SQL form; write the condition as an unexpected_rows_expectation"
_TYPES = "it compares names of SQLAlchemy classes, which DuckDB's types do not have; types are fixed at landing"
_STATISTICS = "it has no form for DuckDB; write the statistic as an unexpected_rows_expectation"
_SHOWS_VALUES = "its result lists the values of the column"
_RENAMED = "it was renamed; use expect_select_column_values_to_be_unique_within_record"
_UNFINISHED = "Great Expectations itself has no implementation of it in this release"
_OTHER = "it reads another table under another data source; compare both in an unexpected_rows_expectation"

# By type: why it is refused.
UNSUPPORTED: dict[str, str] = {
    "expect_column_values_to_be_increasing": _SORTED,
    "expect_column_values_to_be_decreasing": _SORTED,
    "expect_column_values_to_be_dateutil_parseable": _PYTHON,
    "expect_column_values_to_be_json_parseable": _PYTHON,
    "expect_column_values_to_match_json_schema": _PYTHON,
    "expect_column_values_to_match_strftime_format": _PYTHON,
    "expect_column_type_to_be": _TYPES,
    "expect_column_values_to_be_of_type": _TYPES,
    "expect_column_values_to_be_in_type_list": _TYPES,
    "expect_column_kl_divergence_to_be_less_than": _SHOWS_VALUES,
    "expect_column_values_to_not_be_outliers": _STATISTICS,
    "expect_multicolumn_values_to_be_unique": _RENAMED,
    "expect_table_row_count_to_equal_other_table": _OTHER,
    "expect_query_results_to_match_comparison": _OTHER,
    "expect_column_bootstrapped_ks_test_p_value_to_be_greater_than": _UNFINISHED,
    "expect_column_chisquare_test_p_value_to_be_greater_than": _UNFINISHED,
    "expect_column_pair_cramers_phi_value_to_be_less_than": _UNFINISHED,
    "expect_column_parameterized_distribution_ks_test_p_value_to_be_greater_than": _UNFINISHED,
}
