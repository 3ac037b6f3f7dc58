"""Run the audit of the open build: dbt's data tests, then every suite, then the verdict on exactly this file.

Add here what belongs to one run of the audit as a whole. How a rule is checked, stored or judged is elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from pipelines.audit import validation
from pipelines.audit.anomalies import find_anomalies, judge_metrics, list_anomalies
from pipelines.audit.approvals import approve, keep_approvals, read_approval
from pipelines.audit.bands import WINDOW
from pipelines.audit.catalogue import load_catalogue
from pipelines.audit.dbt_tests import SUITE as DATA_TESTS
from pipelines.audit.details import detail_tables, follow_audit
from pipelines.audit.failures import find_failures, grain_of
from pipelines.audit.fingerprint import fingerprint, write_logs_back
from pipelines.audit.metrics import Metric, as_points, as_row, collect_metrics, day_of, read_rows
from pipelines.audit.naming import NamedRows
from pipelines.audit.proofs import is_proven_known, is_proven_unique
from pipelines.audit.regressions import compare_failures, read_published_failures
from pipelines.audit.results import RuleResult, Status, Verdict, VerdictStatus, judge, status_of
from pipelines.audit.store import load_verdict, write_verdict
from pipelines.audit.validation import CheckedObject, Outcome
from pipelines.errors import TransformError, WarehouseError
from pipelines.transform import compile_data_tests
from pipelines.warehouse import connect, literal, log_privately, names_of_tables

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.audit.catalogue import Catalogue
    from pipelines.audit.dbt_tests import Reference
    from pipelines.audit.failures import RuleFailure
    from pipelines.audit.rules import Rule, RuleObject
    from pipelines.build import Build
    from pipelines.configuration import Configuration
    from pipelines.settings import Settings

T = TypeVar("T")
U = TypeVar("U")
Named = Mapping[tuple[str, str], NamedRows]


def run_audit(
    settings: Settings,
    configuration: Configuration,
    build: Build,
    *,
    suites: Collection[str] | None = None,
    approved_rule: str | None = None,
    approval_reason: str | None = None,
    keep_warm: bool = False,
) -> Verdict:
    """Run every suite, record the verdict, and write the report. Does not raise when refused.

    The verdict holds for the size and SHA-256 that the build's files had while the rules ran: they must not change any
    more.

    Args:
        settings: names the build and its limits.
        configuration: says which source delivers what.
        build: the open build.
        suites: only these; the gate refuses a verdict that leaves out a critical rule.
        approved_rule, approval_reason: a critical rule that does not refuse this build, and why.
        keep_warm: leave the worker for a further audit instead of ending it.

    Raises:
        ConfigurationError: a suite is invalid or does not exist; the rule cannot be approved.
    """
    from pipelines.audit.report import gather_facts, prepare_report, write_report

    def hash_build() -> tuple[int, str]:
        prepare_report()
        return fingerprint(settings)

    catalogue = load_catalogue(configuration)
    rules = catalogue.select(suites)
    approval = read_approval(approved_rule, approval_reason, rules)
    validation.warm_up()
    write_logs_back(settings)
    try:
        results, named, (size, sha256), facts = _run(
            settings, catalogue, rules, kept_keys=settings.kept_failures, beside=hash_build, waiting=gather_facts
        )
    finally:
        if not keep_warm:
            validation.cool_down()
    metrics, rows = _measure(settings, configuration, build, results)
    results = approve(sorted([*results, *_judge_metrics(rules, metrics)], key=_order), approval)
    status = judge(results)
    verdict = Verdict(
        build_id=build.build_id,
        version=None if status is VerdictStatus.REFUSED else build.version,
        status=status,
        config_digest=configuration.digest,
        warehouse_bytes=size,
        warehouse_sha256=sha256,
        ran_at=_now(),
        results=tuple(results),
    )
    keep_approvals(settings, build, results, verdict.ran_at)  # first: no approved verdict without its lasting record
    failures = [*_locate(settings, catalogue, results, named), *list_anomalies(rules, metrics)]
    customers = [(f.rule_id, f.object, f.customer_id) for f in failures if f.customer_id is not None]
    details = follow_audit(settings, build, verdict, rules, customers=customers, is_complete=suites is None)
    write_verdict(settings, verdict, failures, rows, detail_tables(build, verdict, details))
    write_report(settings, configuration, build, verdict, rules, details, facts)
    return verdict


def run_rules(
    settings: Settings, configuration: Configuration, build: Build, rules: Sequence[Rule]
) -> list[RuleResult]:
    """Run some rules on the open build, for a check selected alone. Neither verdict nor report changes."""
    results, *_ = _run(
        settings, load_catalogue(configuration), rules, kept_keys=0, beside=lambda: None, waiting=lambda _: None
    )
    if any(rule.metrics for rule in rules):
        verdict = load_verdict(settings)  # shares of other rules are figures too
        known = verdict.results if verdict and verdict.build_id == build.build_id else results
        metrics, _ = _measure(settings, configuration, build, known)
        results += _judge_metrics(rules, metrics)
    return sorted(results, key=_order)


def _locate(settings: Settings, catalogue: Catalogue, results: Sequence[RuleResult], named: Named) -> list[RuleFailure]:
    """The rows behind the results, as far as there are any."""
    failed = [result for result in results if result.failed_count]
    if not failed:
        return []
    tests = compile_data_tests() if any(result.suite == DATA_TESTS for result in failed) else {}
    return find_failures(settings, catalogue, failed, named, tests)


def _run(
    settings: Settings,
    catalogue: Catalogue,
    rules: Sequence[Rule],
    *,
    kept_keys: int,
    beside: Callable[[], T],
    waiting: Callable[[Settings], U],
) -> tuple[list[RuleResult], Named, T, U]:
    """Results ordered by suite, rule and object, exactly one per rule and object, and what else was done meanwhile.

    Args:
        kept_keys: how many failing rows of a rule and object are named at once, by the rules that can.
        beside: what needs no engine.
        waiting: what reads the build while Great Expectations, which has more to do than the data tests, still works.
    """
    # All only read, and Great Expectations works in a process of its own: side by side they use both cores, and one
    # computes while another waits for the disk. Each process has an engine, and together they keep to the limit.
    each = settings.share_memory(2)
    checked = [r for r in rules if r.expectation]
    with ThreadPoolExecutor(max_workers=2) as threads:
        expectations = threads.submit(_run_expectations, each, checked, catalogue.grains, kept_keys)
        made = threads.submit(beside)
        results = _run_data_tests(each, [r for r in rules if r.dbt_test], catalogue.references)
        read = waiting(each)
        more, named = expectations.result()
        return sorted([*results, *more], key=_order), named, made.result(), read


def _order(result: RuleResult) -> tuple[str, str, str]:
    return result.suite, result.rule_id, result.object


def _measure(
    settings: Settings, configuration: Configuration, build: Build, results: Sequence[RuleResult]
) -> tuple[list[Metric], list[tuple[Any, ...]]]:
    """The figures of the build with the bands they are expected in, and their rows of `audit.metrics`."""
    day = day_of(build.as_of, configuration.company.zone)
    history = as_points(read_rows(settings, day - WINDOW))
    metrics = judge_metrics(collect_metrics(settings, results), history, day)
    rows = [as_row(metric, build.version, day) for metric in metrics]
    return metrics + compare_failures(results, read_published_failures(settings, build)), rows


def _judge_metrics(rules: Sequence[Rule], metrics: Sequence[Metric]) -> list[RuleResult]:
    ran_at = _now()
    results = []
    for rule in rules:
        for checked in rule.objects if rule.metrics else ():
            found = find_anomalies(metrics, rule.metrics or "", checked.name)
            status = status_of(not found.unusual, rule.severity) if found.judged else Status.NOT_APPLICABLE
            result = _rule_result(
                rule,
                checked.name,
                status,
                ran_at,
                element_count=found.judged,
                failed_count=len(found.unusual) if found.judged else None,
                observed=round(len(found.unusual) / found.judged, 6) if found.judged else None,
            )
            results.append(replace(result, note=found.note or None))
    return results


def _run_expectations(
    settings: Settings, rules: Sequence[Rule], grains: Mapping[str, Sequence[str]], kept_keys: int
) -> tuple[list[RuleResult], Named]:
    """Rules on the same rows are validated together: each set of rows is one batch."""
    by_query: dict[str, list[tuple[Rule, RuleObject]]] = {}
    for rule in rules:
        for checked in rule.objects:
            if checked.query is not None:
                by_query.setdefault(checked.query, []).append((rule, checked))
    outcomes = validation.validate(
        settings,
        [
            CheckedObject(checks[0][1].name, query, [_check(*check, grains, kept_keys) for check in checks])
            for query, checks in by_query.items()
        ],
    )
    ran_at = _now()
    found = {(rule.id, checked.name): outcomes.get(_key(rule, checked)) for rule in rules for checked in rule.objects}
    results = [
        _result(rule, checked.name, found[rule.id, checked.name], ran_at) for rule in rules for checked in rule.objects
    ]
    named = {
        place: NamedRows(outcome.failed_count or 0, outcome.key_name, outcome.keys)
        for place, outcome in found.items()
        if outcome and outcome.key_name
    }
    return results, named


def _check(rule: Rule, checked: RuleObject, grains: Mapping[str, Sequence[str]], kept_keys: int) -> dict[str, Any]:
    """A rule as the worker takes it."""
    asked = {"key": _key(rule, checked), **(rule.expectation or {})}
    return {**asked, "grain": grain_of(rule, checked.name, grains), "kept_keys": kept_keys}


def _key(rule: Rule, checked: RuleObject) -> str:
    return f"{rule.id}|{checked.name}"


def _result(rule: Rule, name: str, outcome: Outcome | None, ran_at: datetime) -> RuleResult:
    """Judge one outcome; None means that nobody delivers the object."""
    if outcome is None or (outcome.was_run and _is_empty(outcome, rule)):
        return _rule_result(rule, name, Status.NOT_APPLICABLE, ran_at, element_count=0)
    if not outcome.was_run:
        return _rule_result(rule, name, Status.NOT_RUN, ran_at)
    elements, failed = outcome.element_count or 0, outcome.failed_count or 0
    met = outcome.success or 0 < failed <= rule.tolerated_share * elements
    share = failed / elements if elements else float(failed > 0)
    return _rule_result(
        rule,
        name,
        status_of(met, rule.severity),
        ran_at,
        element_count=elements,
        failed_count=failed,
        observed=outcome.observed if outcome.observed is not None else round(share, 6),
    )


def _is_empty(outcome: Outcome, rule: Rule) -> bool:
    """Whether there was nothing to check: no row, or no row with a value."""
    return not rule.applies_when_empty and (outcome.row_count == 0 or outcome.element_count == 0)


def _run_data_tests(settings: Settings, rules: Sequence[Rule], references: Mapping[str, Reference]) -> list[RuleResult]:
    """dbt's data tests; a test on a table without rows is not applicable, one that broke is not run."""
    if not rules:
        return []
    counts = _count_rows(settings, {rule.objects[0].name for rule in rules})
    failures = _count_failures(settings, rules, references, counts)
    ran_at = _now()
    return [
        _data_test_result(rule, failures.get(str(rule.dbt_test)), counts.get(rule.objects[0].name), ran_at)
        for rule in rules
    ]


def _count_failures(
    settings: Settings,
    rules: Sequence[Rule],
    references: Mapping[str, Reference],
    counts: Mapping[str, int],
) -> dict[str, int]:
    """How many rows each of dbt's data tests finds, by the test; one that cannot be run is left out.

    dbt compiled them. Running them by dbt too costs 45 ms for each beside the query, in Python: 4 s for a hundred.
    """
    import duckdb

    found: dict[str, int] = {}
    try:
        queries = compile_data_tests()
        with connect(settings.build_warehouse, settings, read_only=True) as connection:
            for rule in rules:
                test = str(rule.dbt_test)
                if test not in queries:  # dbt leaves out what it cannot compile
                    log_privately(settings, TransformError(f"dbt did not compile the data test {test}."))
                    continue
                try:
                    is_proven = _is_proven(connection, rule, references.get(test), counts)
                    found[test] = 0 if is_proven else _count_failing(connection, queries[test])
                except duckdb.Error as error:  # the table is missing, or the test is wrong
                    log_privately(settings, error)
    except (TransformError, WarehouseError) as error:
        log_privately(settings, error)
    return found


def _is_proven(
    connection: DuckDBPyConnection, rule: Rule, reference: Reference | None, counts: Mapping[str, int]
) -> bool:
    """Whether a data test is met for certain without its query. False says nothing."""
    table = rule.objects[0].name
    if rule.unique_key:
        return is_proven_unique(connection, table, rule.unique_key, counts.get(table, 0))
    if reference:
        row_counts = counts.get(table, 0), counts.get(reference.table, 0)
        return is_proven_known(connection, (table, reference.column), (reference.table, reference.key), row_counts)
    return False


def _count_failing(connection: DuckDBPyConnection, query: str) -> int:
    [(count,)] = connection.execute(f"select count(*) from ({query})").fetchall()
    return int(count)


def _data_test_result(rule: Rule, failed: int | None, rows: int | None, ran_at: datetime) -> RuleResult:
    name = rule.objects[0].name
    if failed is None:
        return _rule_result(rule, name, Status.NOT_RUN, ran_at)
    if not failed and not rows:
        return _rule_result(rule, name, Status.NOT_APPLICABLE, ran_at, element_count=0)
    return _rule_result(
        rule,
        name,
        status_of(failed == 0, rule.severity),
        ran_at,
        element_count=rows,
        failed_count=failed,
        observed=round(failed / rows, 6) if rows else None,
    )


def _count_rows(settings: Settings, tables: Collection[str]) -> Mapping[str, int]:
    """Rows of each table that exists, by `schema.table`."""
    with connect(settings.build_warehouse, settings, read_only=True) as connection:
        there = sorted(names_of_tables(connection).intersection(tables))
        if not there:
            return {}
        counted = " union all ".join(f"select {literal(table)}, count(*) from {table}" for table in there)
        return dict(connection.execute(counted).fetchall())


def _rule_result(
    rule: Rule,
    name: str,
    status: Status,
    ran_at: datetime,
    *,
    element_count: int | None = None,
    failed_count: int | None = None,
    observed: float | None = None,
) -> RuleResult:
    return RuleResult(
        suite=rule.suite,
        rule_id=rule.id,
        object=name,
        dimension=rule.dimension,
        severity=rule.severity,
        status=status,
        element_count=element_count,
        failed_count=failed_count,
        threshold=rule.threshold,
        observed=observed,
        owner=rule.owner,
        description=rule.description,
        description_de=rule.description_de,
        remedy=rule.remedy,
        remedy_de=rule.remedy_de,
        ran_at=ran_at,
        rule_digest=rule.digest,
    )


def _now() -> datetime:
    """When a rule really ran; nothing is computed from it."""
    return datetime.now(UTC).replace(tzinfo=None)
