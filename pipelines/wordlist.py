"""Lists of words, written as one text.

Change here how such a list is read. The lists belong to whoever uses them.
"""

from __future__ import annotations


def words(text: str) -> tuple[str, ...]:
    """The words of a list written as one text."""
    return tuple(text.split())
