"""The SQL of intermediate and marts runs on Spark as well: compiled by dbt, translated without loss."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.settings import DBT_PROJECT_DIR

FOLDERS = ("intermediate", "marts")


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The SQL of each model as dbt sends it to DuckDB."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    target: Path = tmp_path_factory.mktemp("compiled")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KUNDENSTAMM_DBT_PATH", str(target / "warehouse.duckdb"))
        patch.setenv("KUNDENSTAMM_DBT_TEMP", str(target / "tmp"))
        try:
            result = dbtRunner().invoke(
                [
                    *("--quiet", "--log-level", "none", "--log-level-file", "none"),
                    *("compile", "--select", *(f"{folder},resource_type:model" for folder in FOLDERS)),
                    *("--project-dir", str(DBT_PROJECT_DIR), "--profiles-dir", str(DBT_PROJECT_DIR)),
                    *("--target-path", str(target), "--log-path", str(target)),
                    *("--no-populate-cache", "--no-introspect"),
                ]
            )
        finally:
            DuckDBConnectionManager.close_all_connections()
    assert result.success, result.exception
    return {r.node.name: r.node.compiled_code for r in result.result}


MODELS = {
    file.stem: file for folder in FOLDERS for file in sorted((DBT_PROJECT_DIR / "models" / folder).rglob("*.sql"))
}


@pytest.mark.parametrize("model", MODELS)
def test_a_model_is_portable_to_spark(model: str, compiled: dict[str, str]) -> None:
    import sqlglot
    from sqlglot import exp

    sql = compiled[model]
    sqlglot.transpile(sql, read="duckdb", write="spark", unsupported_level=sqlglot.ErrorLevel.RAISE)
    tree = sqlglot.parse_one(sql, read="duckdb")
    found = {
        "qualify": tree.find(exp.Qualify),
        "lambda": tree.find(exp.Lambda),
        "asof join": next((j for j in tree.find_all(exp.Join) if j.method), None),
        "exclude": next((s for s in tree.find_all(exp.Star) if s.args.get("except_") or s.args.get("except")), None),
    }
    assert [name for name, node in found.items() if node] == []
    assert "::" not in MODELS[model].read_text(), "write cast(... as ...)"  # dbt's own macros are dispatched
