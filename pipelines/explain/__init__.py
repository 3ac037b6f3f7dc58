"""Explain: why records are one customer or account, why two are not, and where each value comes from, for who asks.

Add here a way to tell it. It reads the published version and computes nothing that is published.
"""

from pipelines.explain.accounts import (
    explain_account,
    explain_account_pair,
    is_account,
    tell_account,
    tell_account_pair,
)
from pipelines.explain.page import write_account_page, write_page
from pipelines.explain.read import UnknownError, explain_customer, explain_pair
from pipelines.explain.tell import tell_customer, tell_pair

__all__ = [
    "UnknownError",
    "explain_account",
    "explain_account_pair",
    "explain_customer",
    "explain_pair",
    "is_account",
    "tell_account",
    "tell_account_pair",
    "tell_customer",
    "tell_pair",
    "write_account_page",
    "write_page",
]
