"""Run dbt on the open build: in this process, quietly, and with the file released afterwards.

Add here what every dbt call must obey. Which models a stage runs is decided in `defs/`.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.errors import TransformError
from pipelines.files import brought_to_disk_meanwhile
from pipelines.scratch import scratch_folder
from pipelines.settings import DBT_PROJECT_DIR, QUIET_ENVIRONMENT, Settings
from pipelines.warehouse import log_privately, written_files

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

PACKED = "partial_parse.msgpack"
DATA_TESTS = "data_tests.json"
# What the audit counts: every row that a data test finds.
PLAIN_TEST = {"fail_calc": "count(*)", "limit": None, "warn_if": "!= 0", "error_if": "!= 0"}
PARSED_SUFFIXES = {".sql", ".yml", ".yaml", ".csv", ".md"}


@dataclass(frozen=True)
class NodeResult:
    """What dbt did with one model or test.

    Attributes:
        unique_id: dbt's id, e.g. `model.kundenstamm.customers`.
        status: `success`, `pass`, `warn`, `fail`, `error` or `skipped`.
        failures: failing rows of a test, else None.
        seconds: execution time.
    """

    unique_id: str
    status: str
    failures: int | None
    seconds: float

    @property
    def name(self) -> str:
        return self.unique_id.split(".")[2]


def project_hash() -> str:
    """SHA-256 over every file dbt parses; the parsed project is kept under this name."""
    digest = hashlib.sha256()
    for file in sorted(DBT_PROJECT_DIR.rglob("*")):
        relative = file.relative_to(DBT_PROJECT_DIR)
        if file.is_file() and file.suffix in PARSED_SUFFIXES and relative.parts[0] not in {"target", "logs"}:
            digest.update(str(relative).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def parsed_project() -> Path:
    """The folder with `manifest.json` and `partial_parse.msgpack` of the project as it is; parsed when missing.

    What an earlier state of the project has in common with it is not parsed again.
    """
    folder = DBT_PROJECT_DIR / "target" / project_hash()
    if folder.is_dir():
        return folder
    folder.parent.mkdir(exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix="parse-", dir=folder.parent))
    try:
        for earlier in folder.parent.glob(f"*/{PACKED}"):
            with contextlib.suppress(OSError):  # another process removed it
                shutil.copy(earlier, work)
        result = _invoke(["parse"], target=work, write_json=True)
        if not result.success:
            raise TransformError(f"The dbt project cannot be parsed: {_reason(result.exception)}")
        with contextlib.suppress(OSError):  # another process parsed the same state and was first
            work.rename(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    for old in folder.parent.iterdir():
        if old.is_dir() and old != folder and not old.name.startswith("parse-"):
            shutil.rmtree(old, ignore_errors=True)
    return folder


def load_manifest() -> Mapping[str, Any]:
    """dbt's manifest of the project as it is, as plain data that nobody may change."""
    return _read_plain_manifest(parsed_project())


@lru_cache(maxsize=1)
def _read_plain_manifest(folder: Path) -> Mapping[str, Any]:
    """Read once a process: a run asks for it six times."""
    data: Mapping[str, Any] = json.loads((folder / "manifest.json").read_text())
    return data


def compile_data_tests() -> dict[str, str]:
    """The SQL of every data test by dbt's id, which finds the failing rows; kept with the parsed project.

    Raises:
        TransformError: the tests cannot be compiled, or one is configured to judge otherwise than by counting rows.
    """
    kept = parsed_project() / DATA_TESTS
    with contextlib.suppress(FileNotFoundError):
        found: dict[str, str] = json.loads(kept.read_text())
        return found
    with tempfile.TemporaryDirectory(prefix="compile-") as work:
        # dbt opens a file to compile; the tables it will name are in a catalog that is called like the file.
        empty = Settings.from_environment({**os.environ, "KUNDENSTAMM_DATA_DIR": work})
        empty.build_dir.mkdir()
        arguments = ["compile", "--select", "resource_type:test", "--no-populate-cache"]
        result = _invoke(arguments, target=Path(work) / "target", settings=empty, spill=empty.temp_dir)
    if not result.success:
        raise TransformError(f"The data tests of the dbt project cannot be compiled: {_reason(result.exception)}")
    nodes = [compiled.node for compiled in result.result]
    if odd := sorted(n.name for n in nodes if {k: getattr(n.config, k) for k in PLAIN_TEST} != PLAIN_TEST):
        raise TransformError(
            f"The data tests {', '.join(odd)} set fail_calc, limit, warn_if or error_if, but the audit "
            f"counts failing rows; remove these from their config."
        )
    compiled_tests = {n.unique_id: n.compiled_code for n in nodes}
    partial = kept.with_name(f"{DATA_TESTS}.{os.getpid()}")
    partial.write_text(json.dumps(compiled_tests))
    partial.replace(kept)
    return compiled_tests


def run_dbt(
    settings: Settings,
    command: str,
    select: Sequence[str],
    *,
    variables: Mapping[str, Any] | None = None,
    unit_tests: bool = False,
) -> list[NodeResult]:
    """Run `dbt <command>` (`run`, `test`, `build`) for the selected nodes on the open build.

    Args:
        settings: names the build and its limits.
        command: dbt's sub-command.
        select: dbt selection expressions.
        variables: dbt vars.
        unit_tests: run nothing but the unit tests of the models; otherwise they are left out, as on every build.

    Returns:
        One result per node, in the order of execution. Failed data tests do not raise.

    Raises:
        TransformError: when a model failed; dbt's own message, which may hold values, goes to `build/errors.log`.
    """
    arguments = [command, "--select", *select, "--vars", json.dumps(dict(variables or {}))]
    if command in {"build", "test"}:
        arguments += ["--resource-type" if unit_tests else "--exclude-resource-type", "unit_test"]
    with brought_to_disk_meanwhile(written_files(settings)), scratch_folder(settings.temp_dir) as spill:
        result = _invoke(arguments, target=settings.build_dir / "dbt", settings=settings, spill=spill)
    if result.exception is not None:
        if not isinstance(result.exception, Exception):
            raise result.exception  # an interrupt, which dbt takes for an error of its own
        log_privately(settings, result.exception)
        raise TransformError(
            f"dbt could not run ({type(result.exception).__name__}); its own words are in build/errors.log."
        )
    outcomes = [
        NodeResult(r.node.unique_id, str(r.status), r.failures, round(r.execution_time, 3)) for r in result.result
    ]
    failed = [r for r in result.result if str(r.status) == "error"]
    if failed and command != "test":
        log_privately(settings, TransformError("\n\n".join(f"{r.node.unique_id}: {r.message}" for r in failed)))
        names = ", ".join(r.node.name for r in failed)
        raise TransformError(f"dbt could not build {names}; its own words are in build/errors.log.")
    return outcomes


def _invoke(
    arguments: list[str],
    *,
    target: Path,
    settings: Settings | None = None,
    spill: Path | None = None,
    write_json: bool = False,
) -> Any:
    os.environ.update(QUIET_ENVIRONMENT)
    if settings is not None:
        os.environ.update(
            KUNDENSTAMM_DBT_PATH=str(settings.build_warehouse),
            KUNDENSTAMM_DBT_SHARED=str(settings.build_shared),
            KUNDENSTAMM_DBT_RESTRICTED=str(settings.build_restricted),
            KUNDENSTAMM_DBT_INTERIM=str(settings.build_interim),
            KUNDENSTAMM_DBT_MEMORY_LIMIT=settings.memory_limit,
            KUNDENSTAMM_DBT_THREADS=str(settings.threads),
            KUNDENSTAMM_DBT_TEMP=str(spill),
        )
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    # A manifest handed over is not parsed again, also when the data folder is another one than at parsing.
    manifest = None if write_json else _parsed_manifest()
    quiet = ["--quiet", "--log-level", "none", "--log-level-file", "none"]
    where = ["--project-dir", str(DBT_PROJECT_DIR), "--profiles-dir", str(DBT_PROJECT_DIR)]
    paths = ["--target-path", str(target), "--log-path", str(target)]
    json_option = ["--write-json" if write_json else "--no-write-json"]
    try:
        return dbtRunner(manifest=manifest).invoke([*quiet, *arguments, *where, *paths, *json_option])
    finally:
        DuckDBConnectionManager.close_all_connections()  # otherwise the file stays locked


def _parsed_manifest() -> Manifest:
    """The parsed project as dbt's own object, as if nothing of it had been compiled yet."""
    manifest = _read_manifest(parsed_project())
    for node in manifest.nodes.values():
        if getattr(node, "extra_ctes_injected", False):  # else a second compilation leaves out its ephemeral models
            node.compiled, node.compiled_code = False, None
            node.extra_ctes_injected, node.extra_ctes, node._pre_injected_sql = False, [], None
    return manifest


@lru_cache(maxsize=1)
def _read_manifest(folder: Path) -> Manifest:
    """Read once a process, because it takes most of a second and every call of dbt needs it."""
    from dbt.contracts.graph.manifest import Manifest
    from dbt.parser.manifest import extended_mashumuro_decoder

    return Manifest.from_msgpack((folder / PACKED).read_bytes(), decoder=extended_mashumuro_decoder)


def _reason(error: BaseException | None) -> str:
    return " ".join(str(error).split())[:400]
