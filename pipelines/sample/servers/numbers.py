"""The numbers that the sample's records have at vendors, where every id is a number: `K-10100` is 110100 at HubSpot.

Add here how an id of the sample's files becomes one of a vendor. Ids that are numbers already stay what they are.
"""

from __future__ import annotations

import re
from typing import overload


@overload
def number(text: str) -> str: ...
@overload
def number(text: str | None) -> str | None: ...
def number(text: str | None) -> str | None:
    """The number of an id: its letter becomes 1, the hyphen before a part 00."""
    return None if text is None else re.sub(r"^[A-Z]-?", "1", text).replace("-", "00")


def number_in_sql(expression: str) -> str:
    """The same over a column of a file, for a mapping."""
    return f"replace(regexp_replace({expression}, '^[A-Z]-?', '1'), '-', '00')"
