"""Resolve: which person records are one customer, why, and what that customer is called for ever.

Add a module here for a new phase of identity resolution. Cleaning values and choosing the best of several are the
business of the stages before and after.
"""

from pipelines.resolve.resolve import ResolveReport, resolve_identities

__all__ = ["ResolveReport", "resolve_identities"]
