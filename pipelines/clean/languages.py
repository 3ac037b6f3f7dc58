"""The languages of ISO 639-1, and the names people write for them.

The list is `languages.csv` (names from Unicode CLDR in the language itself, in German, English, French, Spanish,
Italian, Dutch, Polish and eight more, and usual variants). Add a name there.
"""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

LANGUAGES_FILE = Path(__file__).with_name("languages.csv")


@cache
def load_languages() -> dict[str, tuple[str, ...]]:
    """The names of each language by its code; the code itself is always understood."""
    with LANGUAGES_FILE.open(encoding="utf-8", newline="") as file:
        return {row["code"]: tuple(row["names"].split("|")) for row in csv.DictReader(file)}
