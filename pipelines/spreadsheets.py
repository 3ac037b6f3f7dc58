"""Cells that a spreadsheet opens and does not compute.

Add here what every file must obey that people open in a spreadsheet. What is in the file belongs to who writes it.
"""

from __future__ import annotations

import re

# A spreadsheet computes a cell that begins like this; names come from forms that anybody may fill in.
_FORMULA = re.compile(r"[=+\-@]")
# Where another language or tool ends a cell, or a line: what follows would be a cell of its own, and may be a formula.
_SEPARATORS = re.compile(r"[;\t\r\n]+")
# A phone number in E.164 form can only be a number, and dialers need it as it is.
_PHONE = re.compile(r"\+[0-9]{6,15}")


def guard_cell(cell: object) -> str:
    """The text of a cell: one line, and with an apostrophe before what would be a formula."""
    if cell is None:
        return ""
    text = _SEPARATORS.sub(" ", str(cell)).strip()
    return f"'{text}" if _FORMULA.match(text) and not _PHONE.fullmatch(text) else text
