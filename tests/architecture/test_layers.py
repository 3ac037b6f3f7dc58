"""The layers hold: who may import what, and how fast the code location is."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from pipelines.settings import PROJECT_DIR

PACKAGE = PROJECT_DIR / "pipelines"
SHELL = {"definitions.py"}
HEAVY = {"great_expectations", "splink", "pandas", "dbt", "phonenumbers", "duckdb", "pyarrow", "scipy", "sqlglot"}


def _modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def _top_level_imports(file: Path) -> Iterator[str]:
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0]


def _all_imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0]


@pytest.mark.parametrize("file", _modules(), ids=lambda f: str(f.relative_to(PACKAGE)))
def test_only_the_shell_imports_dagster(file: Path) -> None:
    in_shell = file.name in SHELL or "defs" in file.parts
    assert in_shell or "dagster" not in set(_all_imports(file))


# The sample company is no stage: only its own modules import each other, when a sample is made.
@pytest.mark.parametrize(
    "file", [f for f in _modules() if f.parent.name != "sample"], ids=lambda f: str(f.relative_to(PACKAGE))
)
def test_no_module_imports_a_heavy_library_when_it_is_imported(file: Path) -> None:
    assert not HEAVY & set(_top_level_imports(file))


@pytest.mark.parametrize("file", _modules(), ids=lambda f: str(f.relative_to(PACKAGE)))
def test_only_the_warehouse_opens_databases(file: Path) -> None:
    calls = [
        node
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "connect"
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "duckdb"
    ]
    assert not calls or file.name == "warehouse.py"


@pytest.mark.parametrize("file", _modules(), ids=lambda f: str(f.relative_to(PACKAGE)))
def test_every_module_says_what_lives_in_it(file: Path) -> None:
    assert ast.get_docstring(ast.parse(file.read_text()))


def test_the_code_location_loads_without_heavy_libraries() -> None:
    program = (
        "import sys, json, pipelines.definitions; "
        f"print(json.dumps(sorted(m for m in {sorted(HEAVY)!r} if m in sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=PROJECT_DIR)
    assert json.loads(done.stdout.splitlines()[-1]) == []


def test_workspace_yaml_is_what_dagster_uses() -> None:
    tools = tomllib.loads((PROJECT_DIR / "pyproject.toml").read_text())["tool"]
    assert "dagster" not in tools, "[tool.dagster] would shadow workspace.yaml"
    assert "dg" not in tools, "[tool.dg] would shadow workspace.yaml"
    workspace = yaml.safe_load((PROJECT_DIR / "workspace.yaml").read_text())
    assert workspace["load_from"][0]["python_module"]["module_name"] == "pipelines.definitions"
