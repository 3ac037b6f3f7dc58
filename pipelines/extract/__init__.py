"""Extract: connectors deliver records; each source lands in a DuckDB file of its own; `raw.*` unites the landings.

Add a connector here as a module that fills table `delivered`; comparing, landing and reporting stay as they are.
Cleaning a value does not belong here: what is landed is what was delivered, in the type the contract declares.
"""

from pipelines.extract.load import load_source
from pipelines.extract.profile import Proposal, profile_file
from pipelines.extract.raw import build_raw, find_removed_sources
from pipelines.extract.report import Counts, LoadReport, UnmappedColumn

__all__ = [
    "Counts",
    "LoadReport",
    "Proposal",
    "UnmappedColumn",
    "build_raw",
    "find_removed_sources",
    "load_source",
    "profile_file",
]
