"""Great Expectations inside DuckDB: the only module that imports it.

Add here what makes its expectations work on DuckDB, and what keeps values out of its results.
Which rules exist, what their results mean and where they are stored is decided elsewhere: this module takes and
returns plain data, and it runs in a process of its own (`worker`), because the import takes seconds.
"""

from __future__ import annotations

import contextlib
import gc
import importlib.util
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from pipelines.audit.expectation_types import SHOWS_OBSERVED_VALUE, UNEXPECTED_ROWS
from pipelines.audit.failing_rows import rule_query
from pipelines.audit.naming import Fetch, NamedRows, columns_of, name_rows
from pipelines.settings import QUIET_ENVIRONMENT
from pipelines.warehouse import attach_parts

if TYPE_CHECKING:
    from great_expectations.core.batch import Batch

# Counts only. Anything more that the library offers would put values of records into the results.
RESULT_FORMAT = {"result_format": "SUMMARY", "partial_unexpected_count": 0}
ROW_COUNT = "__row_count__"


class DuckDBFunctions:
    """Tells Great Expectations how DuckDB writes regular expressions and LIKE.

    It knows no DuckDB, but asks an engine's `dialect_module` which functions it has. The functions of Dremio have
    DuckDB's names and meaning: `regexp_matches` searches (it need not match the whole text), `like` has `escape`.
    """

    DremioDialect = True


def import_great_expectations() -> None:
    """Do the import that takes seconds, with everything that reports home switched off."""
    os.environ.update(QUIET_ENVIRONMENT)
    # Two fifths of the seconds, for one expectation, which no suite may use because its result shows values.
    # Altair draws its pictures; put off it would not be, as something looks at every module that is there.
    _import_lazily("scipy.stats")
    sys.modules.setdefault("altair", ModuleType("altair"))
    gc.disable()  # nothing of an import is garbage, and looking for it takes a fifth of the seconds
    try:
        import great_expectations  # noqa: F401
        import sqlalchemy  # noqa: F401
    finally:
        gc.freeze()
        gc.enable()


def _import_lazily(name: str) -> None:
    """Let importers have the module at once; its code runs when they first use it."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.loader is None or name in sys.modules:
        return
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    parent, _, child = name.rpartition(".")
    setattr(sys.modules[parent], child, module)  # otherwise `from parent import child` looks into it


@contextlib.contextmanager
def open_warehouse(path: Path, options: Mapping[str, Any], *, parts: Mapping[str, Path] | None = None) -> Iterator[Any]:
    """A Great Expectations data source on a DuckDB file, read-only; it is released in the end.

    Args:
        path: the file; of a build, its own.
        options: DuckDB's settings by name, e.g. `warehouse.engine_options` and a temp folder.
        parts: of a build, its further files, by catalog.
    """
    os.environ.update(QUIET_ENVIRONMENT)
    import great_expectations
    from great_expectations.data_context.types.base import ProgressBarsConfig

    # The file is named without its folder, which may hold characters that mean something in a connection string.
    with contextlib.chdir(path.parent):
        context = great_expectations.get_context(mode="ephemeral")
        context.variables.save = lambda: None  # nobody reads the text that would be made of it for every object
        context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
        source = context.data_sources.add_sql(
            "warehouse",
            connection_string=f"duckdb:///{path.name}",
            create_temp_table=False,  # a temporary table per batch would copy every table
            kwargs={
                # Results are read after the connection was given back, and the roll-back on giving back empties
                # a DuckDB cursor: no transactions, no roll-back.
                "isolation_level": "AUTOCOMMIT",
                "skip_autocommit_rollback": True,
                "connect_args": {"read_only": True, "config": dict(options)},
            },
        )
        engine = source.get_execution_engine()
        engine.dialect_module = DuckDBFunctions
        if parts:
            _attach_parts_to(engine.engine, parts)
        try:
            yield source
        finally:
            source.get_engine().dispose()
            engine.engine.dispose()


def _attach_parts_to(engine: Any, parts: Mapping[str, Path]) -> None:
    """Let every connection of a SQLAlchemy engine see the further files of a build, too."""
    from sqlalchemy import event

    def attach(connection: Any, _: Any) -> None:
        cursor = connection.cursor()

        def run(sql: str) -> list[Any]:
            cursor.execute(sql)
            return list(cursor.fetchall())

        attach_parts(run, parts, read_only=True)
        cursor.close()

    event.listen(engine, "connect", attach)
    engine.dispose()  # connections that were made before


def validate_object(source: Any, name: str, query: str, rules: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Check all rules of one object (the rows of a query) with one pass of Great Expectations.

    Args:
        source: an open warehouse.
        name: a name that is unique within the open warehouse.
        query: SQL of the rows to be checked.
        rules: `{"key", "type", "kwargs"}` each; the keys are unique. An SQL rule may say that as many as `kept_keys`
            of its failing rows are named, and by which columns its table does (`grain`).

    Returns:
        `{"row_count": int | None, "results": {key: outcome}}` where an outcome is either `{"error": text}` or
        `{"success", "element_count", "failed_count", "observed", "key_name", "keys"}`. The text of an error may hold
        personal data: it belongs into the private log. Everything else is counts, and keys of failing rows with their
        customer where the rule says it.
    """
    batch = source.add_query_asset(name, query=query).add_batch_definition_whole_table("rows").get_batch()
    return validate_batch(batch, rules)


def validate_batch(batch: Batch, rules: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Check rules on a batch of any data source of Great Expectations; what comes back is that of `validate_object`."""
    expectations, outcomes = _build_expectations(rules)
    validated = dict(_validate(batch, expectations))
    row_count = _row_count(validated)
    validated.pop(ROW_COUNT, None)
    types = {rule["key"]: rule["type"] for rule in rules}
    for key, result in validated.items():
        outcomes[key] = _outcome(result, types[key], row_count)
    return {"row_count": row_count, "results": outcomes}


def _row_count(validated: Mapping[str, Any]) -> int | None:
    """How many rows the batch has, by what was counted on it anyway; None when nothing could be counted."""
    for result in validated.values():
        if not _error_of(result):
            if "row_count" in result.result:  # of an SQL rule
                return int(result.result["row_count"])
            if result.expectation_config.meta["key"] == ROW_COUNT:
                return int(result.result["observed_value"])
    return None


def _build_expectations(rules: Sequence[Mapping[str, Any]]) -> tuple[list[Any], dict[str, dict[str, Any]]]:
    """Expectations, with one that counts rows where no rule does, and the errors of those that cannot be built."""
    from great_expectations.exceptions import GreatExpectationsError
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    wanted = list(rules)
    if any(rule["type"] != UNEXPECTED_ROWS for rule in rules):
        wanted.insert(0, {"key": ROW_COUNT, "type": "expect_table_row_count_to_be_between", "kwargs": {"min_value": 0}})
    built, errors = [], {}
    for rule in wanted:
        type_, kwargs = rule["type"], dict(rule["kwargs"])
        if type_ == UNEXPECTED_ROWS:
            type_ = counted_rows()
            kwargs |= {"grain": list(rule.get("grain", ())), "kept_keys": rule.get("kept_keys", 0)}
        try:
            configuration = ExpectationConfiguration(type=type_, kwargs=kwargs, meta={"key": rule["key"]})
            built.append(configuration.to_domain_obj())
        except (ValueError, TypeError, GreatExpectationsError) as error:
            errors[rule["key"]] = {"error": f"{type(error).__name__}: {error}"}
    return built, errors


class _Counter:
    """Counts rows of one open warehouse and names those that fail; what several rules need is asked once.

    It does not hold the warehouse, by which it is found: `fetch` runs one statement there.
    """

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._columns: dict[str, list[str]] = {}

    def count_rows(self, fetch: Fetch, rows: str) -> int:
        """The rows of a batch."""
        if rows not in self._counts:
            [(count,)] = fetch(f"select count(*) from ({rows})")
            self._counts[rows] = int(count)
        return self._counts[rows]

    def find_failing(
        self, fetch: Fetch, rows: str, unexpected_rows_query: str, grain: Sequence[str], kept_keys: int
    ) -> NamedRows:
        """The rows of a batch that an SQL rule finds; without `kept_keys` they are only counted."""
        query = f"with batch as ({rows}) {rule_query({'unexpected_rows_query': unexpected_rows_query})}"
        columns = self._find_columns(fetch, unexpected_rows_query, query) if kept_keys else ()
        return name_rows(fetch, query, columns, grain, kept_keys)

    def _find_columns(self, fetch: Fetch, asked: str, query: str) -> list[str]:
        """A rule on many batches has the same columns on all of them, unless it selects those of the batch."""
        place = query if "*" in asked else asked
        if place not in self._columns:
            self._columns[place] = columns_of(fetch, query)
        return self._columns[place]


@lru_cache(maxsize=1)
def counted_rows() -> str:
    """Register the expectation that SQL rules are checked by, and return its type.

    That of Great Expectations runs the query twice, once for its rows. This one asks once, for their number and for the
    keys of the first of them. `{batch}` is a name in it that joins and aliases like a table. All rows of a batch are
    counted once for its rules, and not in the same statement: rows that are asked for twice there are kept in between.
    No value of a failing row is fetched.
    """
    from great_expectations.compatibility import pydantic
    from great_expectations.compatibility.sqlalchemy import sqlalchemy as sa
    from great_expectations.core.metric_domain_types import MetricDomainTypes
    from great_expectations.execution_engine import SqlAlchemyExecutionEngine
    from great_expectations.expectations.core import UnexpectedRowsExpectation
    from great_expectations.expectations.metrics.metric_provider import metric_value
    from great_expectations.expectations.metrics.query_metric_provider import QueryMetricProvider

    counters: WeakKeyDictionary[Any, _Counter] = WeakKeyDictionary()  # by open warehouse

    class FailingRowsOfBatch(QueryMetricProvider):  # type: ignore[misc]  # the library has no types
        metric_name = "unexpected_rows_query.count_and_keys"
        value_keys = ("unexpected_rows_query", "grain", "kept_keys")
        query_param_name = "unexpected_rows_query"

        @metric_value(engine=SqlAlchemyExecutionEngine)  # type: ignore[untyped-decorator]
        def _sqlalchemy(
            cls,  # noqa: N805  Great Expectations calls it so
            execution_engine: Any,
            metric_domain_kwargs: dict[str, Any],
            metric_value_kwargs: dict[str, Any],
            **_: Any,
        ) -> tuple[int, NamedRows]:
            def fetch(sql: str) -> list[Any]:
                return list(execution_engine.execute_query(sa.text(sql)).fetchall())

            counter = counters.setdefault(execution_engine, _Counter())
            rows, *_ = execution_engine.get_compute_domain(metric_domain_kwargs, domain_type=MetricDomainTypes.TABLE)
            return counter.count_rows(fetch, str(rows)), counter.find_failing(fetch, str(rows), **metric_value_kwargs)

    class FailingRowsAreCounted(UnexpectedRowsExpectation):  # type: ignore[misc]
        metric_dependencies = (FailingRowsOfBatch.metric_name,)
        success_keys = FailingRowsOfBatch.value_keys

        grain: list[str] = []  # noqa: RUF012  pydantic copies it
        kept_keys: int = 0

        _kept: Any = pydantic.PrivateAttr(None)

        @property
        def configuration(self) -> Any:
            """It is asked for 40 times in a validation, and otherwise made anew each time."""
            if self._kept is None:
                self._kept = super().configuration
            return self._kept

        def _validate(self, metrics: dict[str, Any], *_: Any, **__: Any) -> dict[str, Any]:
            row_count, failing = metrics[FailingRowsOfBatch.metric_name]
            return {
                "success": failing.count == 0,
                "result": {
                    "observed_value": failing.count,
                    "row_count": row_count,
                    "key_name": failing.key_name,
                    "keys": failing.keys,
                },
            }

    return str(FailingRowsAreCounted.expectation_type)


def _validate(batch: Batch, expectations: Sequence[Any]) -> Iterator[tuple[str, Any]]:
    import great_expectations

    suite = great_expectations.ExpectationSuite(name="rules", expectations=list(expectations))
    for result in batch.validate(suite, result_format=RESULT_FORMAT).results:
        yield result.expectation_config.meta["key"], result


def _error_of(result: Any) -> str | None:
    """The traceback of a result whose expectation raised; `exception_info` is one record, or one for each metric."""
    info = result.exception_info or {}
    records = [info] if "raised_exception" in info else [r for r in info.values() if isinstance(r, dict)]
    raised = [str(r.get("exception_traceback") or r.get("exception_message")) for r in records if r["raised_exception"]]
    return "\n".join(raised) or None


def _outcome(result: Any, type_: str, row_count: int | None) -> dict[str, Any]:
    if error := _error_of(result):
        return {"error": error}
    numbers = result.result
    if "element_count" in numbers:  # a condition on every element; missing elements are not judged
        judged = (numbers["element_count"] or 0) - (numbers.get("missing_count") or 0)
        failed = numbers["unexpected_count"] or 0  # both are none where there is no element
    elif type_ == UNEXPECTED_ROWS:
        judged, failed = numbers["row_count"], numbers["observed_value"]
    else:  # a statement about the object as a whole
        judged, failed = row_count, int(not result.success)
    observed = numbers.get("observed_value") if type_ in SHOWS_OBSERVED_VALUE else None
    return {
        "success": bool(result.success),
        "element_count": judged,
        "failed_count": int(failed),
        "observed": None if observed is None else float(observed),
        "key_name": numbers.get("key_name"),
        "keys": numbers.get("keys", []),
    }
