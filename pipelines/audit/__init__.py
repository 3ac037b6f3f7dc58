"""The audit: rules an owner signs, checked on the open build, and the verdict that decides about publishing.

Add here what concerns rules, their results and the verdict. Suites are data in `expectations/`; publishing is not
decided here but in `pipelines.publish`, which asks `verify_verdict` before it copies and `find_changes` after.
"""

from pipelines.audit.approvals import read_approval
from pipelines.audit.catalogue import Catalogue, load_catalogue
from pipelines.audit.data_docs import write_data_docs
from pipelines.audit.decisions import decide
from pipelines.audit.details import list_findings
from pipelines.audit.fingerprint import hash_files
from pipelines.audit.gate import find_changes, refusal_sentences, verify_verdict
from pipelines.audit.history import was_audited
from pipelines.audit.quarantine import quarantine_records
from pipelines.audit.results import RuleResult, Severity, Status, Verdict, VerdictStatus
from pipelines.audit.rules import Rule, RuleObject
from pipelines.audit.run import run_audit, run_rules
from pipelines.audit.store import load_verdict
from pipelines.audit.telling import tabulate_findings, tell_extent, tell_findings, tell_none_open, tell_result
from pipelines.audit.validation import cool_down, warm_up
from pipelines.audit.worklist import write_worklists_of

__all__ = [
    "Catalogue",
    "Rule",
    "RuleObject",
    "RuleResult",
    "Severity",
    "Status",
    "Verdict",
    "VerdictStatus",
    "cool_down",
    "decide",
    "find_changes",
    "hash_files",
    "list_findings",
    "load_catalogue",
    "load_verdict",
    "quarantine_records",
    "read_approval",
    "refusal_sentences",
    "run_audit",
    "run_rules",
    "tabulate_findings",
    "tell_extent",
    "tell_findings",
    "tell_none_open",
    "tell_result",
    "verify_verdict",
    "warm_up",
    "was_audited",
    "write_data_docs",
    "write_worklists_of",
]
