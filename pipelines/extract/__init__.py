"""Extract: connectors deliver records; each source lands in a DuckDB file of its own; `raw.*` unites the landings.

Add a connector in `connectors/`; what it hands over is an `offers.Offer`, and landing and reporting stay as they are.
Cleaning a value does not belong here: what is landed is what was delivered, in the type the contract declares.
"""

from pipelines.extract.arrivals import find_arrivals, look_at_files
from pipelines.extract.check import Finding, assert_something_to_read, check_sources
from pipelines.extract.early import begin_early_landings, end_early_landings, take_early_landing
from pipelines.extract.freshness import StaleSource, find_stale_sources
from pipelines.extract.load import load_source
from pipelines.extract.profile import Proposal, profile_file
from pipelines.extract.proposals import SourcesProposal, propose_sources, write_entry
from pipelines.extract.raw import build_raw, find_removed_sources
from pipelines.extract.report import Counts, LoadReport, UnmappedColumn
from pipelines.extract.summary import summarize_reconciliation, summarize_rejects

__all__ = [
    "Counts",
    "Finding",
    "LoadReport",
    "Proposal",
    "SourcesProposal",
    "StaleSource",
    "UnmappedColumn",
    "assert_something_to_read",
    "begin_early_landings",
    "build_raw",
    "check_sources",
    "end_early_landings",
    "find_arrivals",
    "find_removed_sources",
    "find_stale_sources",
    "load_source",
    "look_at_files",
    "profile_file",
    "propose_sources",
    "summarize_reconciliation",
    "summarize_rejects",
    "take_early_landing",
    "write_entry",
]
