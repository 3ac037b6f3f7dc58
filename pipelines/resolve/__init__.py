"""Resolve: which person records are one customer and which company records one account, and their ids for ever.

Add a module here for a new phase of identity resolution. Cleaning values and choosing the best of several are the
business of the stages before and after.
"""

from pipelines.resolve.accounts import AccountReport, resolve_accounts
from pipelines.resolve.diff import IdentityDiff, write_diff
from pipelines.resolve.overrides import OverrideReport, tell_outcomes, write_outcomes
from pipelines.resolve.resolve import ResolveReport, resolve_identities

__all__ = [
    "AccountReport",
    "IdentityDiff",
    "OverrideReport",
    "ResolveReport",
    "resolve_accounts",
    "resolve_identities",
    "tell_outcomes",
    "write_diff",
    "write_outcomes",
]
