"""The audit as one asset and one check per rule.

The checks do not block: blocking checks across layers would make the graph circular and hide later suites. Only
publishing asks the verdict.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import dagster as dg
from pydantic import Field

from pipelines.audit import Catalogue, Rule, RuleResult, tell_result
from pipelines.build import read_steps
from pipelines.defs.steps import BUILD, WAREHOUSE_POOL, Step, step, step_name
from pipelines.defs.translator import describe_asset

VERDICT = dg.AssetKey(["audit", "verdict"])


class VerdictConfig(dg.Config):
    approved_rule: str | None = Field(
        default=None, description="A critical rule, as IDE-010, that does not refuse this run; needs a reason."
    )
    approval_reason: str | None = Field(
        default=None, description="Why; it is published with the version, so it names nobody."
    )


SEVERITY = {
    "critical": dg.AssetCheckSeverity.ERROR,
    "warning": dg.AssetCheckSeverity.WARN,
    "info": dg.AssetCheckSeverity.WARN,
}
GOOD = {"passed", "not_applicable"}
SHOWN_FINDINGS = 15
SHOWN_OBJECTS = 20


def verdict_asset(audited: Iterable[dg.AssetKey]) -> dg.AssetsDefinition:
    """The asset that runs every suite once. `audited` are all assets of the build."""

    @dg.multi_asset(
        name="audit_verdict",
        specs=[
            describe_asset(
                ("audit", "verdict"),
                "All suites over every layer, run once on exactly this build, with results, report and verdict. "
                "A refused build does not fail here: it fails to publish. One row per build.",
                deps=audited,
                kinds=("greatexpectations", "duckdb"),
            )
        ],
        pool=WAREHOUSE_POOL,
    )
    def verdict(context: dg.AssetExecutionContext, config: VerdictConfig) -> Iterator[dg.MaterializeResult[Any]]:
        from pipelines.audit import list_findings, refusal_sentences, run_audit, tabulate_findings

        with step(context) as working:
            rule, reason = config.approved_rule, config.approval_reason
            if rule and _is_of_another_build(context, working):
                context.log.warning("The approval was given for the build of an earlier run, so it does not hold here.")
                rule = reason = None
            found = run_audit(
                working.settings, working.configuration, working.build, approved_rule=rule, approval_reason=reason
            )
            facts: dict[str, Any] = {
                "verdict": str(found.status),
                "report": dg.MetadataValue.path(working.settings.build_dir / "report" / "index.html"),
                **{status.replace("_", " "): count for status, count in found.status_counts.items()},
            }
            if sentences := refusal_sentences(found):
                facts["refused because"] = dg.MarkdownMetadataValue("\n".join(f"- {s}" for s in sentences))
            findings = [f for f in list_findings(working.settings, working.build.as_of) if f.closed_at is None]
            facts["open findings"] = sum(f.needs_work for f in findings)
            if findings:
                facts["findings"] = dg.MarkdownMetadataValue(
                    tabulate_findings(findings[:SHOWN_FINDINGS], working.configuration.company.base_currency)
                )
            yield working.materialized(VERDICT, rows=len(found.results), metadata=facts)

    return verdict


def _is_of_another_build(context: dg.AssetExecutionContext, working: Step) -> bool:
    """A run that is executed again takes its configuration along, also the approval; the build it opened is new."""
    opened, run = read_steps(working.settings).get(step_name(BUILD)), context.run
    is_repeated = run.root_run_id not in (None, run.run_id)
    return is_repeated and (opened is None or opened.run_id != run.root_run_id)


def rule_checks(catalogue: Catalogue) -> dg.AssetChecksDefinition:
    """One check per rule, on the table it looks at: reports the verdict's result, or runs the rule when alone."""
    rules = {(dg.AssetKey(rule.asset_key), rule.check_name): rule for rule in catalogue.rules}

    @dg.multi_asset_check(
        name="rules",
        specs=[
            dg.AssetCheckSpec(
                rule.check_name,
                asset=key,
                additional_deps=[] if key == VERDICT else [VERDICT],
                description=f"{rule.display_id} ({rule.severity}, {rule.dimension}): {rule.description}",
                metadata={
                    "suite": rule.suite,
                    "owner": rule.owner,
                    "severity": str(rule.severity),
                    "allowed": "nothing" if not rule.threshold else f"{rule.threshold:.1%} of the elements",
                    "protects": rule.protects,
                    "reason": rule.reason,
                    "remedy": rule.remedy,
                    "auf Deutsch": rule.description_de,
                },
            )
            for (key, _), rule in rules.items()
        ],
        can_subset=True,
        pool=WAREHOUSE_POOL,
    )
    def check_rules(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        with step(context) as working:
            chosen = [rules[key.asset_key, key.name] for key in sorted(context.selected_asset_check_keys)]
            results = _results(working, chosen)
            for rule in chosen:
                yield _check_result(rule, results.get(rule.id, []))

    return check_rules


def _results(working: Step, rules: list[Rule]) -> Mapping[str, list[RuleResult]]:
    """The verdict's results when it was made in this run, else the rules run now on the open build."""
    from pipelines.audit import load_verdict, run_rules

    made = read_steps(working.settings).get(step_name(VERDICT))
    verdict = load_verdict(working.settings) if made and made.run_id == working.run_id else None
    found = verdict.results if verdict else run_rules(working.settings, working.configuration, working.build, rules)
    grouped: dict[str, list[RuleResult]] = {}
    for result in found:
        grouped.setdefault(result.rule_id, []).append(result)
    return grouped


def _check_result(rule: Rule, results: list[RuleResult]) -> dg.AssetCheckResult:
    """One check result for a rule over all its objects; counts only, as texts: of numbers Dagster draws plots."""
    bad = [r for r in results if r.status not in GOOD]
    shown = sorted(results, key=lambda r: (r.status in GOOD, r.object))[:SHOWN_OBJECTS]
    return dg.AssetCheckResult(
        asset_key=dg.AssetKey(rule.asset_key),
        check_name=rule.check_name,
        passed=bool(results) and not bad,
        severity=SEVERITY[rule.severity],
        description=f"{rule.description} Owner: {rule.owner}. {rule.remedy}" if bad else rule.description,
        metadata={
            "rule": f"{rule.display_id} ({rule.severity})",
            "status": ", ".join(sorted({r.status.replace("_", " ") for r in results})) or "not run",
            **{f"on {r.object}": tell_result(r) for r in shown},
            **({"and on": f"{len(results) - len(shown)} more"} if len(results) > len(shown) else {}),
            "owner": rule.owner,
            "remedy": rule.remedy,
        },
    )
