"""The condition of an audience: understood, or refused with a sentence when the configuration is checked."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipelines.configuration import load_configuration
from pipelines.configuration.activation import audience_columns
from pipelines.configuration.condition import ConditionError, Kind, render_condition
from pipelines.errors import ConfigurationError
from pipelines.settings import Settings
from pipelines.warehouse import connect

COLUMNS = {"a": Kind.NUMBER, "b": Kind.NUMBER, "t": Kind.TEXT, "is_x": Kind.BOOLEAN, "since": Kind.MOMENT}


@pytest.mark.parametrize(
    "condition",
    [
        "is_x",
        "is_x and a > 180",
        "not is_x or (a + 2 * b) / 3 <= -1.5",
        "t in ('DE', 'AT') and t not in ('it''s')",
        "a between 1 and 5 and b not between 2 and 3",
        "since >= date '2026-01-31' and since is not null",
        "t like 'D%' or t is null",
        "is_x = true and a <> 3 and b != 4",
        "IS_X AND NOT (A = 1 OR B = 2)",
    ],
)
def test_what_owners_write_runs_as_sql(settings: Settings, condition: str) -> None:
    table = "(select 1 as a, 2 as b, 'DE' as t, true as is_x, timestamp '2026-02-01' as since)"
    with connect(None, settings) as connection:
        plain, safe = (
            connection.execute(f"select count(*) from {table} where {sql}").fetchall()
            for sql in (condition, render_condition(condition, COLUMNS))
        )
    assert safe == plain


@pytest.mark.parametrize(
    ("condition", "problem"),
    [
        ("is_x; drop table t", "';' is not allowed"),
        ("a > (select 1)", "'select' is not a column"),
        ("t = read_text('/etc/passwd')", "'read_text' is not a column"),
        ("customer.a = 1", "'.' is not allowed"),
        ("is_x -- comment", "'-' is not allowed"),
        ("a", "it is a number, not a condition"),
        ("a > 'x'", "a number is compared with a text"),
        ("since > '2026-01-01'", "a date is written date '2026-01-31'"),
        ("is_x and", "it ends where a value is expected"),
        ("(is_x", "')' is expected, it ends"),
        ("is_x is_x", "'is_x' is not expected after a complete condition"),
        ("is_x and a", "beside 'and', 'or' and 'not' stands a number"),
        ("a = null", "write 'is null'"),
        ("t like 5", "'like' compares two texts"),
        ("since > date 'today'", "a date is written date '2026-01-31'"),
        ("revenue > 5", "'revenue' is not a column; allowed: a, b, is_x, since, t"),
        ("is_y", "'is_y' is not a column; similar are is_x"),
    ],
)
def test_everything_else_is_refused_with_the_reason(condition: str, problem: str) -> None:
    with pytest.raises(ConditionError) as refused:
        render_condition(condition, COLUMNS)
    assert problem in str(refused.value)


def test_an_audience_may_name_the_columns_of_customers_and_their_value() -> None:
    columns = audience_columns()
    assert columns["is_top_20"] is Kind.BOOLEAN
    assert columns["last_ordered_at"] is Kind.MOMENT
    assert columns["revenue_amount_base"] is Kind.NUMBER
    assert "email" not in columns


def test_a_wrong_condition_is_reported_with_file_line_and_key(settings: Settings, tmp_path: Path) -> None:
    config = tmp_path / "config"
    shutil.copytree(settings.config_dir, config)
    file = config / "audiences.yml"
    file.write_text(file.read_text().replace("is_top_20 and", "is_top_30 and"))
    changed = Settings.from_environment(
        {"KUNDENSTAMM_DATA_DIR": str(settings.data_dir), "KUNDENSTAMM_CONFIG_DIR": str(config)}
    )
    with pytest.raises(ConfigurationError) as refused:
        load_configuration(changed)
    [sentence] = refused.value.sentences
    assert sentence.startswith("audiences.yml, line 8: 'audiences[0].where': the condition is not valid: 'is_top_30'")
