"""What the gate asks before anything is published, and what a refused run says.

Add here a reason why a verdict must not be trusted. Nothing here runs a rule, and nothing here publishes.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pipelines.audit.catalogue import load_catalogue
from pipelines.audit.fingerprint import fingerprint
from pipelines.audit.results import RuleResult, Severity, Status, Verdict, VerdictStatus
from pipelines.audit.store import load_sealed_verdict
from pipelines.errors import ConfigurationError, WarehouseError

if TYPE_CHECKING:
    from pipelines.audit.rules import Rule
    from pipelines.build import Build
    from pipelines.configuration import Configuration
    from pipelines.settings import Settings

# What a critical rule can have answered; `warned` it never does.
ANSWERED = frozenset(Status) - {Status.WARNED}
SHOWN = 15  # refusals that fit on one screen with owner and remedy


def verify_verdict(settings: Settings, configuration: Configuration, build: Build) -> list[str]:
    """Why this build must not be published, one sentence each; empty when it may be.

    Trusts nothing but the rows: the verdict is of this build, this configuration and exactly this file; nobody changed
    it; and every critical rule of the catalogue has exactly one result per object, which is passed or not applicable.
    """
    again = "Run the audit again."
    try:
        verdict, is_sealed = load_sealed_verdict(settings)
        rules = load_catalogue(configuration).select()
    except (WarehouseError, ValueError):  # no database, or a status that there is not
        return [f"The audit record of this build cannot be read. {again}"]
    except ConfigurationError as error:
        return error.sentences
    if verdict is None:
        return [f"This build was not audited. {again}"]
    if verdict.build_id != build.build_id:
        return [
            f"The audit record is of build {verdict.build_id[:8]}, but the open build is {build.build_id[:8]}. {again}"
        ]
    reasons = []
    if not is_sealed:
        reasons.append(f"The audit record was changed after the audit wrote it. {again}")
    if verdict.config_digest != configuration.digest:
        reasons.append(f"The configuration was changed after the audit. {again}")
    if not settings.build_warehouse.exists():
        reasons.append("The build's warehouse file is missing. Start the nightly run again.")
    elif (verdict.warehouse_bytes, verdict.warehouse_sha256) != fingerprint(settings):
        reasons.append(f"The build's warehouse file was changed after the audit. {again}")
    reasons += _coverage_problems(verdict, rules)
    reasons += refusal_sentences(verdict)
    if not reasons and (verdict.status is VerdictStatus.REFUSED or verdict.version != build.version):
        reasons.append(f"The audit record contradicts itself: it refuses, but no rule does. {again}")
    return reasons


def find_changes(settings: Settings, verdict: Verdict) -> list[str]:
    """What is no longer as it was when this verdict opened the gate, one sentence each; empty when all is."""
    again = "nothing was published. Run the audit again."
    changes = []
    try:
        is_same = load_sealed_verdict(settings) == (verdict, True)
    except (WarehouseError, ValueError):
        is_same = False
    if not is_same:
        changes.append(f"The audit record was changed while it was published; {again}")
    if (verdict.warehouse_bytes, verdict.warehouse_sha256) != fingerprint(settings):
        changes.append(f"The build's warehouse file was changed while it was published; {again}")
    return changes


def refusal_sentences(verdict: Verdict) -> list[str]:
    """One sentence per critical rule that failed or could not run: rule, counts, owner, remedy. Fits on one screen."""
    refusing: dict[str, list[RuleResult]] = {}
    for result in verdict.results:
        if result.refuses:
            refusing.setdefault(result.rule_id, []).append(result)
    sentences = [_sentence(results) for _, results in sorted(refusing.items())]
    if len(sentences) > SHOWN:
        rest = len(sentences) - SHOWN
        sentences[SHOWN:] = [f"And {rest} further critical rules; all are in report/index.html of the build."]
    return sentences


def _sentence(results: list[RuleResult]) -> str:
    first = results[0]
    found = []
    for result in results:
        if result.status is Status.NOT_RUN:
            found.append(f"{result.object} could not be checked (see build/errors.log)")
        else:
            found.append(f"{result.object} {_figures(result)}")
    shown = "; ".join(found[:3]) + (f"; and {len(found) - 3} more objects" if len(found) > 3 else "")
    return f"{first.display_id} {first.description} Found: {shown}. Owner: {first.owner}. {first.remedy}"


def _figures(result: RuleResult) -> str:
    if result.threshold is None:
        return "does not meet it"
    elements, failed = result.element_count or 0, result.failed_count or 0
    share = f" ({failed / elements:.1%}, allowed {result.threshold:.1%})" if elements and result.threshold else ""
    return f"{failed:,} of {elements:,} fail{share}"


def _coverage_problems(verdict: Verdict, rules: list[Rule]) -> list[str]:
    """Critical rules without exactly one result, of the rule as it is now, for an object they must be checked on."""
    found = Counter(
        (r.rule_id, r.object, r.rule_digest)
        for r in verdict.results
        if r.severity is Severity.CRITICAL and r.status in ANSWERED
    )
    problems = []
    for rule in rules:
        if rule.severity is not Severity.CRITICAL:
            continue
        for checked in rule.objects:
            count = found[rule.id, checked.name, rule.digest]
            if count != 1:
                said = "no result of the rule as it is now" if count == 0 else f"{count} results"
                problems.append(
                    f"{rule.display_id} is critical but has {said} for {checked.name} in this build. "
                    f"Run the whole audit again."
                )
    return problems
