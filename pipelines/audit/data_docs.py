"""The results of the last audit as Great Expectations' own Data Docs, for those who know them: one page per suite.

Add here what a page of Data Docs needs. They are made from the results that were kept, so nothing is run again and no
value can be on them. The pages take their style from the network; our own report needs none.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.audit.catalogue import load_catalogue
from pipelines.audit.expectation_types import UNEXPECTED_ROWS
from pipelines.audit.results import UNMET, RuleResult, Status, Verdict
from pipelines.audit.store import load_verdict
from pipelines.errors import BuildError
from pipelines.settings import QUIET_ENVIRONMENT

if TYPE_CHECKING:
    from pipelines.audit.rules import Rule
    from pipelines.configuration import Configuration
    from pipelines.settings import Settings


def write_data_docs(settings: Settings, configuration: Configuration, folder: Path) -> list[Path]:
    """Write `<suite>.html` for every suite of the open build's audit; returns the files.

    Raises:
        BuildError: the open build was not audited.
    """
    verdict = load_verdict(settings)
    if verdict is None:
        raise BuildError("The open build was not audited, so there is nothing to show. Start the nightly run.")
    os.environ.update(QUIET_ENVIRONMENT)
    rules = {rule.id: rule for rule in load_catalogue(configuration).rules}
    suites: dict[str, list[RuleResult]] = {}
    for result in verdict.results:
        suites.setdefault(result.suite, []).append(result)
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for suite, results in sorted(suites.items()):
        file = folder / f"{suite}.html"
        file.write_text(_render(suite, results, rules, verdict), encoding="utf-8")
        files.append(file)
    return files


def _render(suite: str, results: Sequence[RuleResult], rules: Mapping[str, Rule], verdict: Verdict) -> str:
    from great_expectations.core import ExpectationSuiteValidationResult
    from great_expectations.render.renderer import ValidationResultsPageRenderer
    from great_expectations.render.view import DefaultJinjaPageView

    judged = [r for r in results if r.status is not Status.NOT_APPLICABLE]
    met = sum(r.status not in UNMET for r in judged)
    validated = ExpectationSuiteValidationResult(
        success=met == len(judged),
        results=[_validation(r, rules.get(r.rule_id)) for r in judged],
        suite_name=suite,
        statistics={
            "evaluated_expectations": len(judged),
            "successful_expectations": met,
            "unsuccessful_expectations": len(judged) - met,
            "success_percent": 100 * met / len(judged) if judged else None,
        },
        meta={
            "run_id": {"run_name": verdict.build_id, "run_time": f"{verdict.ran_at.isoformat()}+00:00"},
            "great_expectations_version": metadata.version("great-expectations"),
        },
    )
    return str(DefaultJinjaPageView().render(ValidationResultsPageRenderer().render(validated)))


def _validation(r: RuleResult, rule: Rule | None) -> Any:
    """One result in Great Expectations' form; a rule that is none of its expectations is shown as one about rows."""
    from great_expectations.core import ExpectationValidationResult
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    shown_as_rows: Mapping[str, Any] = {
        "type": UNEXPECTED_ROWS,
        "kwargs": {"unexpected_rows_query": f"{r.rule_id} on {{batch}}"},
    }
    expectation = (rule.expectation if rule else None) or shown_as_rows
    counts = f"{r.failed_count or 0:,} of {r.element_count or 0:,}"
    share = 100 * r.failed_count / r.element_count if r.failed_count is not None and r.element_count else 0.0
    return ExpectationValidationResult(
        success=r.status not in UNMET,
        expectation_config=ExpectationConfiguration(
            type=expectation["type"],
            kwargs=dict(expectation["kwargs"]),
            description=f"{r.display_id} {r.object}: {r.description}".replace("$", "$$"),
        ),
        result={
            "element_count": r.element_count or 0,
            "unexpected_count": r.failed_count or 0,
            "unexpected_percent": share,
            # Its sign for the status is one of a font, which is missing without the network.
            "observed_value": f"{counts}, {r.status.replace('_', ' ')}" if r.status in UNMET else counts,
        },
        exception_info={"raised_exception": False, "exception_message": None, "exception_traceback": None},
    )
