"""How values are folded for comparison, and when two names or birth dates may belong to one person.

Add a macro here when a spelling should stop being a difference. Folded values are for matching only: nothing that
is published comes from here. Which agreement is evidence is decided in `evidence`, not here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.wordlist import words

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# A first name borne by this many different last names is a name of its own, not somebody's typing error ...
ESTABLISHED_BEARERS = 3
# ... unless its near-twin is so much more common that a typing error is the better explanation.
ESTABLISHED_SHARE = 0.05

# Folded: salutations and titles that slip into a field of a name.
_TITLES = words(
    "herr herrn frau fraulein hr fr dr prof mag dipl ing "
    "mr mrs ms miss sir madame monsieur mme sig signora senor senora"
)

# The Kölner Phonetik (Postel 1969) of a folded name: letters that sound alike in German are one digit. Each step is a
# pattern and what it becomes; what is left is read letter by letter.
_SOUNDS = (
    ("ph", "f"),
    ("([ckq])x", "\\1s"),
    ("x", "ks"),
    ("[dt]([csz])", "s\\1"),
    ("([sz])c", "\\1s"),
    ("^c([ahkloqrux])", "k\\1"),
    ("c([ahkoqux])", "k\\1"),
)
_LETTERS = ("aeijouybpdtfvwgkqlmnrcszh", "000000011223334445667888")


def _sound() -> str:
    text = "replace(t, ' ', '')"
    for pattern, other in _SOUNDS:
        text = f"regexp_replace({text}, '{pattern}', '{other}', 'g')"
    text = f"regexp_replace(translate({text}, '{_LETTERS[0]}', '{_LETTERS[1]}'), '[^0-9]', '', 'g')"
    for digit in "012345678":
        text = f"regexp_replace({text}, '{digit}{digit}+', '{digit}', 'g')"
    return f"sound_of(t) as nullif(left({text}, 1) || replace(substr({text}, 2), '0', ''), '')"


_MACROS = (
    # ä, ae and a are one letter, as are ß and ss; 'ue' stays after a, e and q (Bauer, Neuer, Jacqueline).
    """
    fold(t) as nullif(trim(regexp_replace(
        regexp_replace(
            regexp_replace(
                replace(replace(replace(replace(
                    translate(strip_accents(lower(t)), 'øłđı\u2019`\u00b4''', 'oldi'),
                'ß', 'ss'), 'æ', 'a'), 'œ', 'o'), 'þ', 'th'),
            'ae', 'a', 'g'),
        'oe', 'o', 'g'),
    '[^\\p{L}\\p{N}]+', ' ', 'g')), '')
    """,
    r"fold_name(t) as nullif(trim(regexp_replace(regexp_replace(fold(t), '(^|[^aeq])ue', '\1u', 'g'), '[\p{N}]+| +', "
    r"' ', 'g')), '')",
    # What stands in front of a name or behind it is no part of it, unless nothing else is left.
    r"without_titles(t) as coalesce(nullif(trim(regexp_replace(t, '\b("
    + "|".join(_TITLES)
    + r")\b *', '', 'g')), ''), t)",
    "squeeze(t) as replace(t, ' ', '')",
    r"fold_street(t) as regexp_replace(squeeze(fold_name(t)), '(strasse|str)$', 'str')",
    r"fold_code(t) as nullif(regexp_replace(upper(t), '[^\p{L}\p{N}]+', '', 'g'), '')",
    "fold_house(t) as nullif(lower(regexp_replace(t, '[^\\p{L}\\p{N}]+', '', 'g')), '')",
    # One or two slips of the keyboard, counted against the length of the shorter spelling.
    "is_slip(a, b) as damerau_levenshtein(a, b) <= case when least(length(a), length(b)) >= 7 then 2 "
    "when least(length(a), length(b)) >= 3 then 1 else 0 end",
    "has_all_tokens(a, b) as list_has_all(string_split(a, ' '), string_split(b, ' '))",
    # A shortened name: an initial, or at least three letters less (Max, Maximilian), never Daniel and Daniela.
    "is_short_for(a, b) as (length(b) - length(a) >= 3 and starts_with(b, a)) "
    "or (length(split_part(a, ' ', 1)) = 1 and starts_with(b, a[1]))",
    f"are_both_established(ua, ub) as (ua.is_known and ub.is_known) or "
    f"(least(ua.bearers, ub.bearers) >= {ESTABLISHED_BEARERS} "
    f"and least(ua.bearers, ub.bearers) >= {ESTABLISHED_SHARE} * greatest(ua.bearers, ub.bearers))",
    # One is a pet form of the other; of two that many people bear it is not certain that it is.
    "is_nickname(a, ua, b, ub) as coalesce(list_contains(ua.stands_for, b) or list_contains(ub.stands_for, a), false)",
    # NULL when either is unknown or they are neither alike nor clearly different. `ua` and `ub` are the usage of the
    # first names a and b: the number of last names that bear it, and its gender. Paul is not short for Pauline, nor
    # Maria for Marianne.
    """
    first_names_agree(a, ua, b, ub) as case
        when a is null or b is null then null
        when squeeze(a) = squeeze(b) or has_all_tokens(a, b) or has_all_tokens(b, a) then true
        when ua.gender <> ub.gender then false
        when is_nickname(a, ua, b, ub) then case when not are_both_established(ua, ub) then true end
        when least(length(split_part(a, ' ', 1)), length(split_part(b, ' ', 1))) = 1
            and (is_short_for(a, b) or is_short_for(b, a)) then true
        when are_both_established(ua, ub) then false
        when is_short_for(a, b) or is_short_for(b, a) then true
        when is_slip(squeeze(a), squeeze(b)) then true
        when jaro_winkler_similarity(squeeze(a), squeeze(b)) < 0.8 then false
    end
    """,
    _sound(),
    """
    last_names_agree(a, b) as case
        when a is null or b is null then null
        when squeeze(a) = squeeze(b) or has_all_tokens(a, b) or has_all_tokens(b, a) then true
        else is_slip(squeeze(a), squeeze(b))
    end
    """,
    "are_swapped(first_a, last_a, first_b, last_b) as coalesce("
    "is_slip(squeeze(first_a), squeeze(last_b)) and is_slip(squeeze(last_a), squeeze(first_b)) "
    "and squeeze(first_a) <> squeeze(last_a), false)",
    # One name stands in the other field, and the other one is new: swapped after a marriage. Martin Martin is not.
    "are_half_swapped(first_a, last_a, first_b, last_b) as coalesce(first_a <> last_a and first_b <> last_b "
    "and (squeeze(first_a) = squeeze(last_b) or squeeze(last_a) = squeeze(first_b)), false)",
    # Other letters, not other digits or dots: anna.koch84@ and anna_koch88@ are two people, and neither had a slip.
    r"without_dots(t) as regexp_replace(t, '[._-]', '', 'g')",
    r"digits_of(t) as regexp_replace(t, '[^0-9]', '', 'g')",
    "is_email_slip(a, b) as coalesce(without_dots(a) <> without_dots(b) and digits_of(a) = digits_of(b) "
    "and damerau_levenshtein(without_dots(a), without_dots(b)) <= 2, false)",
    # What stands before the @, if it is more than the name and two digits: namesakes choose alike.
    """
    telling_user(email, first_name, last_name) as case
        when length(replace(replace(
                 squeeze(fold_name(split_part(email, '@', 1))),
                 coalesce(squeeze(last_name), ''), ''), coalesce(squeeze(first_name), ''), '')) >= 3
          or length(digits_of(split_part(email, '@', 1))) >= 4
        then split_part(email, '@', 1)
    end
    """,
    # Equal, day and month swapped, or one slip in the eight digits.
    """
    birth_dates_agree(a, b) as case
        when a is null or b is null then null
        when a = b then true
        when year(a) = year(b) and month(a) = day(b) and day(a) = month(b) then true
        else damerau_levenshtein(strftime(a, '%Y%m%d'), strftime(b, '%Y%m%d')) <= 1
    end
    """,
)


def create_macros(connection: DuckDBPyConnection) -> None:
    """Create the macros in the current catalog of the connection."""
    for macro in _MACROS:
        connection.execute(f"create or replace macro {macro.strip()}")
