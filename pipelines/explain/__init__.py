"""Explain: why these records are one customer, why two are not, and where each value comes from, for who asks.

Add here a way to tell it. It reads the published version and computes nothing that is published.
"""

from pipelines.explain.page import write_page
from pipelines.explain.read import UnknownError, explain_customer, explain_pair
from pipelines.explain.tell import tell_customer, tell_pair

__all__ = ["UnknownError", "explain_customer", "explain_pair", "tell_customer", "tell_pair", "write_page"]
