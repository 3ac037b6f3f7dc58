"""The SQL of intermediate and marts runs on Spark as well: compiled by dbt, translated without loss."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.settings import DBT_PROJECT_DIR, Settings
from pipelines.transform import run_dbt

FOLDERS = ("intermediate", "marts")


@pytest.fixture
def compiled(settings: Settings) -> dict[str, str]:
    """The SQL of each model as dbt sends it to DuckDB."""
    settings.build_dir.mkdir(parents=True)
    run_dbt(settings, "compile", [f"{folder},resource_type:model" for folder in FOLDERS])
    return {file.stem: file.read_text() for file in (settings.build_dir / "dbt" / "compiled").rglob("*.sql")}


def test_every_model_is_portable_to_spark(compiled: dict[str, str]) -> None:
    models = {file.stem: file for folder in FOLDERS for file in (DBT_PROJECT_DIR / "models" / folder).rglob("*.sql")}
    found = {name: _not_portable(compiled[name], file) for name, file in models.items()}
    assert {name: problems for name, problems in found.items() if problems} == {}


def test_what_spark_does_not_know_is_found(tmp_path: Path) -> None:
    file = tmp_path / "model.sql"
    file.write_text("select a::text")
    sql = "select * exclude (b), list_transform(c, x -> x + 1) from t asof join u on t.a >= u.a qualify true"
    assert _not_portable(sql, file) == ["qualify", "lambda", "asof join", "exclude", "cast with ::"]


def _not_portable(sql: str, file: Path) -> list[str]:
    import sqlglot
    from sqlglot import exp

    tree = sqlglot.parse_one(sql, read="duckdb")
    found = {
        "qualify": tree.find(exp.Qualify),
        "lambda": tree.find(exp.Lambda),
        "asof join": next((j for j in tree.find_all(exp.Join) if j.method), None),
        "exclude": next((s for s in tree.find_all(exp.Star) if s.args.get("except_") or s.args.get("except")), None),
        "cast with ::": "::" in file.read_text(),  # dbt's own macros are dispatched
    }
    problems = [name for name, node in found.items() if node]
    if not problems:
        try:
            tree.sql("spark", unsupported_level=sqlglot.ErrorLevel.RAISE)
        except sqlglot.errors.UnsupportedError as error:
            problems.append(str(error))
    return problems
