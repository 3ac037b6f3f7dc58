"""SQL functions that the rules share, as temporary macros of the connection.

Add a function here when the rules of two fields need it. What only one field needs belongs to that field's module.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import TYPE_CHECKING

from pipelines.warehouse import literal
from pipelines.wordlist import words

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


# Text that stands for "nothing", compared in lower case. Null and Na are surnames and NA is Namibia: not in the list.
PLACEHOLDERS = (
    *(
        "n/a",
        "n.a.",
        "#n/a",
        "k.a.",
        "k. a.",
        "k/a",
        "n.n.",
        "n. n.",
        "tbd",
        "tba",
        "asdf",
        "qwertz",
        "qwerty",
        "dummy",
    ),
    *(
        "test",
        "testtest",
        "unbekannt",
        "unknown",
        "undefined",
        "anonym",
        "anonymous",
        "nicht angegeben",
        "not provided",
    ),
    *("keine angabe", "keine", "ohne", "none", "(null)", "[null]", "<null>"),
)
EXACT_PLACEHOLDERS = ("NULL", "null", "NN", "NaN", "nan")

# Lower case inside a name of a place: Frankfurt am Main, Straße des 17. Juni.
PLACE_PARTICLES = words(
    "am an auf bei der dem den des die das im in ob und unter vor zu zum zur vom von van de du la le les "
    "sur sous of the on upon s"
)
# Lower case in a family name, also in front: von der Leyen, van den Berg, de la Cruz, zu Guttenberg.
NAME_PARTICLES = words("von van vom zu zur zum de der den del della di da dos du la le ten ter und y el al bin ibn s")


def create_functions(connection: DuckDBPyConnection) -> None:
    """Create the macros on this connection; temporary, so nothing stays in the file."""
    for definition in (_FOLDED, _PLACEHOLDER, _ONE_CASE, _CASED, _PLACE_CASE, _DELETIONS):
        connection.execute(f"create or replace temp macro {definition}")


def sql_list(values: Iterable[str]) -> str:
    """Text literals, separated by commas."""
    return ", ".join(literal(value) for value in values)


def fold(text: str) -> str:
    """What the macro `folded` makes of a text, for lists that are written out in a statement."""
    for umlaut, digraph in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss")):
        text = text.lower().replace(umlaut, digraph)
    return "".join(c for c in unicodedata.normalize("NFD", text) if c.isalnum())


def strip_accents(text: str) -> str:
    """Ä without its dots, as whoever has no such key writes it."""
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))


# For comparing only: lower case, umlauts as digraphs, no accents, letters and digits alone.
_FOLDED = """
folded(x) as regexp_replace(
    strip_accents(replace(replace(replace(replace(lower(x), 'ä', 'ae'), 'ö', 'oe'), 'ü', 'ue'), 'ß', 'ss')),
    '[^\\p{L}\\p{N}]+', '', 'g'
)
"""

# A known word, or nothing but punctuation and x; a single x is an initial, or a gender.
_PLACEHOLDER = f"""
is_placeholder(x) as
    lower(x) in ({sql_list(PLACEHOLDERS)})
    or x in ({sql_list(EXACT_PLACEHOLDERS)})
    or (not regexp_matches(x, '[0-9a-wyzA-WYZ]|[^\\x00-\\x7F]') and lower(x) <> 'x')
"""

# ALL CAPS or all lower case; a single letter is an initial and says nothing.
_ONE_CASE = """
is_one_case(x) as
    (x = upper(x) or x = lower(x)) and upper(x) <> lower(x) and regexp_matches(x, '\\p{L}.*\\p{L}')
"""

# Every word with a capital, particles in lower case from the given position on.
_CASED = """
cased(x, particles, first_position) as array_to_string(
    list_transform(
        regexp_extract_all(lower(x), '[\\p{L}\\p{M}\\p{N}]+|[^\\p{L}\\p{M}\\p{N}]+'),
        lambda word, position: case
            when position >= first_position and list_contains(particles, word) then word
            when starts_with(word, 'mc') and length(word) > 3 then 'Mc' || upper(word[3]) || word[4:]
            else upper(word[1]) || word[2:]
        end
    ),
    ''
)
"""

_PLACE_CASE = f"place_case(x) as cased(x, [{sql_list(PLACE_PARTICLES)}], 2)"

# Every form of a word that lacks one of its letters.
_DELETIONS = """
deletions(x) as list_transform(range(1, length(x) + 1), lambda place: x[1:place - 1] || x[place + 1:])
"""
