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

# Father and son are at least this many days apart, 15 years. A slip in the year leaves the day as it is.
GENERATION_DAYS = 15 * 365

# Folded: salutations and titles that slip into a field of a name.
_TITLES = words(
    "herr herrn frau fraulein hr fr dr prof mag dipl ing "
    "mr mrs ms miss sir madame monsieur mme sig signora senor senora"
)

# Folded: what families and others put before or behind their name in a mailbox.
_AT_HOME = "|".join(
    words(
        "familie familia famiglia famille family fam rodzina perhe csalad aile haus home casa maison mail email post "
        "posta kontakt contact contacto info privat private"
    )
)

# Behind the name of a man: Janina, Pauline, Antonia, Jeanne; and Istvánné, who is the wife of István.
_FEMININE = "ina|ine|ia|ette|etta|ne"

# Of three of one name the third is neither the son nor the father.
_YOUNGER, _ELDER = "(jun|junior|jr|der jungere)", "(sen|senior|sr|der altere)"

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


# Spellings of one first name in several languages: Stefan and Stephan; Sergei, Sergey and Sergej; Khaled and Chalid;
# Zaitsev and Zajcev.
_RESPELLED = (
    ("dsch|dj", "j"),
    ("tsch|tch", "ch"),
    ("zh|sch|sh", "s"),
    ("ph", "f"),
    ("([tdgr])h", "\\1"),
    ("[ck]h|ck|q", "k"),
    ("c([eiy])", "s\\1"),
    ("c", "k"),
    ("x", "ks"),
    ("tz|ts|z", "s"),
    ("w", "v"),
    ("(.)h", "\\1"),
    ("[ea][iyj]", "ai"),
    ("ou|oo|o", "u"),
    ("[eiyj]+", "i"),
)


def _spelling() -> str:
    text = "t"
    for pattern, other in _RESPELLED:
        text = f"regexp_replace({text}, '{pattern}', '{other}', 'g')"
    for letter in "abdfgklmnprstuv":
        text = f"regexp_replace({text}, '{letter}{letter}+', '{letter}', 'g')"
    return f"spelling_of(t) as {text}"


def _sound() -> str:
    text = "replace(t, ' ', '')"
    for pattern, other in _SOUNDS:
        text = f"regexp_replace({text}, '{pattern}', '{other}', 'g')"
    text = f"regexp_replace(translate({text}, '{_LETTERS[0]}', '{_LETTERS[1]}'), '[^0-9]', '', 'g')"
    for digit in "012345678":
        text = f"regexp_replace({text}, '{digit}{digit}+', '{digit}', 'g')"
    return f"sound_of(t) as nullif(left({text}, 1) || replace(substr({text}, 2), '0', ''), '')"


# Cyrillic and Greek letters in the Latin ones they are mostly written in; spellings that differ are for `spelling_of`.
_LATIN = {
    "ου": "ou", "θ": "th", "ξ": "x", "χ": "ch", "ψ": "ps",  # noqa: RUF001
    "ж": "zh", "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch", "ю": "yu", "я": "ya",  # noqa: RUF001
}  # fmt: skip
_LATIN_LETTERS = (
    "αβγδεζηικλμνοπρσςτυφωабвгдезиклмнопрстуфыэіїєґйёъь",
    "avgdeziiklmnoprsstyfoabvgdeziklmnoprstufyeiiegie",
)


def _latin() -> str:
    text = "t"
    for letter, latin in _LATIN.items():
        text = f"replace({text}, '{letter}', '{latin}')"
    text = f"translate({text}, '{_LATIN_LETTERS[0]}', '{_LATIN_LETTERS[1]}')"
    return rf"to_latin(t) as case when regexp_matches(t, '[\x{{0370}}-\x{{04FF}}]') then {text} else t end"


_MACROS = (
    _latin(),
    # Looked for first, because `translate` is dear.
    "without_strokes(t) as case when regexp_matches(t, '[øłđðħŧəı\u2019`\u00b4'']') "
    "then translate(t, 'øłđðħŧəı\u2019`\u00b4''', 'olddhtai') else t end",
    # ä, ae and a are one letter, as are ß and ss; 'ue' stays after a, e and q (Bauer, Neuer, Jacqueline).
    """
    fold(t) as nullif(trim(regexp_replace(
        replace(replace(replace(replace(replace(replace(
            without_strokes(to_latin(strip_accents(lower(t)))),
        'ß', 'ss'), 'æ', 'a'), 'œ', 'o'), 'þ', 'th'), 'ae', 'a'), 'oe', 'o'),
    '[^\\p{L}\\p{N}]+', ' ', 'g')), '')
    """,
    r"name_of_folded(t) as nullif(trim(regexp_replace(regexp_replace(t, '(^|[^aeq])ue', '\1u', 'g'), '[\p{N}]+| +', "
    r"' ', 'g')), '')",
    "fold_name(t) as name_of_folded(fold(t))",
    # What stands in front of a name or behind it is no part of it, unless nothing else is left.
    r"without_titles(t) as coalesce(nullif(trim(regexp_replace(t, '\b("
    + "|".join(_TITLES)
    + r")\b *', '', 'g')), ''), t)",
    # What tells father and son of one name apart, behind the last name, or behind the first.
    rf"""generation_of(first_name, last_name) as case
        when regexp_matches(last_name, '\w {_YOUNGER}$') or regexp_matches(first_name, '\w (jr|junior)$') then 'younger'
        when regexp_matches(last_name, '\w {_ELDER}$') or regexp_matches(first_name, '\w (sr|senior)$') then 'elder'
        when last_name[-4:] = ' iii' then 'third'
        when last_name[-3:] = ' iv' then 'fourth'
    end""",
    rf"without_generation(t) as regexp_replace(t, '(\w) ({_YOUNGER}|{_ELDER}|iii|iv)$', '\1')",
    "squeeze(t) as replace(t, ' ', '')",
    "street_of_name(t) as regexp_replace(squeeze(t), '(strasse|str)$', 'str')",
    "fold_street(t) as street_of_name(fold_name(t))",
    r"fold_code(t) as nullif(regexp_replace(upper(t), '[^\p{L}\p{N}]+', '', 'g'), '')",
    "fold_house(t) as nullif(lower(regexp_replace(t, '[^\\p{L}\\p{N}]+', '', 'g')), '')",
    # One or two slips of the keyboard, counted against the length of the shorter spelling. Counting them is dear. An
    # ending of a wife is none.
    "is_slip(a, b) as case when abs(length(a) - length(b)) > 2 or b = a || 'ne' or a = b || 'ne' then false "
    "else damerau_levenshtein(a, b) <= case "
    "when least(length(a), length(b)) >= 7 then 2 when least(length(a), length(b)) >= 3 then 1 else 0 end end",
    _spelling(),
    "consonants_of(t) as left(t, 1) || translate(substr(t, 2), 'aiu', '')",
    "has_all_tokens(a, b) as list_has_all(string_split(a, ' '), string_split(b, ' '))",
    "are_same_words(a, b) as case when contains(a, ' ') or contains(b, ' ') "
    "then has_all_tokens(a, b) or has_all_tokens(b, a) else a = b end",
    # A shortened name: an initial, or at least three letters less (Max, Maximilian), never Daniel and Daniela.
    "is_short_for(a, b) as (length(b) - length(a) >= 3 and starts_with(b, a)) "
    "or (length(split_part(a, ' ', 1)) = 1 and starts_with(b, a[1]))",
    f"are_both_established(ua, ub) as (ua.is_known and ub.is_known) or "
    f"(least(ua.bearers, ub.bearers) >= {ESTABLISHED_BEARERS} "
    f"and least(ua.bearers, ub.bearers) >= {ESTABLISHED_SHARE} * greatest(ua.bearers, ub.bearers))",
    f"is_established(u) as u.is_known or u.bearers >= {ESTABLISHED_BEARERS}",
    # Youssef and Yusuf, Artem and Artyom: vowels are written in many ways, but an a at first is no u (Hassan, Hussein).
    "have_same_consonants(ua, ub) as length(consonants_of(ua.spelling)) >= 3 "
    "and consonants_of(ua.spelling) = consonants_of(ub.spelling) and not have_other_vowels(ua.spelling, ub.spelling)",
    "have_other_vowels(a, b) as a[2] in ('a', 'u') and b[2] in ('a', 'u') and a[2] <> b[2]",
    # One is a pet form of the other; of two that many people bear it is not certain that it is.
    # Kathi is Catharina as well: names that a pet form stands for are there in the common spelling, too.
    "is_nickname(a, ua, b, ub) as coalesce(list_contains(ua.stands_for, split_part(b, ' ', 1)) "
    "or list_contains(ub.stands_for, split_part(a, ' ', 1)) "
    "or list_contains(ua.stands_for, ub.spelling) or list_contains(ub.stands_for, ua.spelling), false)",
    # Without what transliterations write in several ways: Aisha and Aicha, Khadija and Khadiga.
    "skeleton_of(u) as translate(consonants_of(u.spelling), 'kdbvg', 'stpp')",
    # Of a woman and of a man: Johann and Johanna, Paolo and Paola, Jan and Janina. It may be a slip as well, unless the
    # man's name is known or many people bear both; o for a is none, nor are two letters. Yasmin and Yasmine are two
    # spellings, and Pauli is short for Pauline.
    rf"""is_feminine_of(a, b) as length(a) >= 3 and (
        case when starts_with(b, a) then length(a) >= 4 and b in (a || 'a', a || 'e')
                or regexp_full_match(substr(b, length(a) + 1), '{_FEMININE}') else false end
        or length(a) >= 4 and a[-1] in ('o', 'i', 'y') and b = a[:-2] || 'a')""",
    "is_of_woman_and_man(a, ua, b, ub) as is_feminine_of(a, b) and b <> a || 'e' and "
    "((ua.gender = 'm' and ub.gender is null) or are_both_established(ua, ub) or a[-1] = 'o' and b[-1] = 'a' "
    "or b = a || 'ne' and length(a) >= 4 and a[-1] <> 'i')",
    # Last names that have a form for women: Kowalski and Kowalska, Zaitsev and Zaitseva, Novak and Novakova.
    r"""is_feminine_last_name_of(a, b) as case
        when b[-1] = 'a' then b = a || 'ova' or (a[-1] in ('i', 'y') and regexp_matches(a, '[scdz]k[iy]$')
                and b = a[:-2] || 'a')
            or (b = a || 'a' and regexp_matches(a, '(ov|ev|ow|ew|in|yn)$'))
            or regexp_full_match(b, regexp_replace(a, '(sk|tsk)(iy|ii|ij|yi|i|y)$', '\1a[iyj]a'))
        else a[-2:] = 'os' and b = a[:-3] || 'ou' end""",
    "are_of_two_genders(a, b) as coalesce(a <> b and "
    "(is_feminine_last_name_of(squeeze(a), squeeze(b)) or is_feminine_last_name_of(squeeze(b), squeeze(a))), false)",
    # Too far apart for two slips of the keyboard, though they may begin alike: Marten and Margaret.
    "are_far_apart(a, b) as jaro_winkler_similarity(a, b) < 0.8 and damerau_levenshtein(a, b) > 1 "
    "or damerau_levenshtein(a, b) > greatest(2, least(length(a), length(b)) // 3)",
    # NULL when either is unknown or they are neither alike nor clearly different: then they are weighed. `ua` and `ub`
    # are the usage of the first names a and b: the number of last names that bear it, its gender, how it sounds. Paul
    # is not short for Pauline, nor Maria for Marianne, and A. is not R. A.; whether Anna is for Annalena is open, and
    # so it is of two names that many people bear and that differ by a slip: Sergei, Sergej are one, Lona, Lena are two.
    """
    first_names_agree(a, ua, b, ub) as case
        when a is null or b is null then null
        when a[1] <> b[1] and greatest(length(split_part(a, ' ', 1)), length(split_part(b, ' ', 1))) = 1 then false
        when squeeze(a) = squeeze(b) or are_same_words(a, b) then true
        when ua.gender <> ub.gender then false
        when is_nickname(a, ua, b, ub) then case when not are_both_established(ua, ub) then true end
        when least(length(split_part(a, ' ', 1)), length(split_part(b, ' ', 1))) = 1
            and (is_short_for(a, b) or is_short_for(b, a)) then true
        when ua.is_known and ub.is_known then false
        when length(ua.spelling) >= 4 and ua.spelling = ub.spelling then true
        when is_feminine_of(squeeze(a), squeeze(b)) or is_feminine_of(squeeze(b), squeeze(a)) then
            case when is_of_woman_and_man(squeeze(a), ua, squeeze(b), ub)
                or is_of_woman_and_man(squeeze(b), ub, squeeze(a), ua) then false end
        when is_slip(split_part(a, ' ', 1), split_part(b, ' ', 1)) and (contains(a, ' ') or contains(b, ' ')) then
            case when split_part(a, ' ', 2)[1] = split_part(b, ' ', 2)[1] then true end
        when are_both_established(ua, ub) then case
            when is_slip(squeeze(a), squeeze(b)) or have_same_consonants(ua, ub) then null else false end
        when is_short_for(a, b) then case when not is_established(ua) then true end
        when is_short_for(b, a) then case when not is_established(ub) then true end
        when is_slip(squeeze(a), squeeze(b)) then true
        when are_far_apart(squeeze(a), squeeze(b)) and not coalesce(have_same_consonants(ua, ub), false) then false
    end
    """,
    # Of Jan Kowalski and J. or Janina Kowalska the last names say that they are two.
    """
    first_names_of_agree(first_a, ua, last_a, first_b, ub, last_b) as case
        when case when first_a <> first_b and last_a <> last_b and (ua.gender = ub.gender) is distinct from true
            then are_of_two_genders(last_a, last_b) else false end then false
        else first_names_agree(first_a, ua, first_b, ub) end
    """,
    _sound(),
    """
    last_names_agree(a, spelling_a, b, spelling_b) as case
        when a is null or b is null then null
        when squeeze(a) = squeeze(b) or are_same_words(a, b) then true
        else is_slip(squeeze(a), squeeze(b)) or spelling_a = spelling_b
    end
    """,
    "is_initial_of(a, b) as length(a) = 1 and starts_with(b, a)",
    # In the other field, there as an initial, or divided otherwise: Nguyen Thi Lan, whose last name is Nguyen. Words
    # are taken apart only where the first one of a name stands in the other.
    """
    are_swapped(first_a, last_a, first_b, last_b) as coalesce(
        case when is_slip(squeeze(first_a), squeeze(last_b)) then
            (is_slip(squeeze(last_a), squeeze(first_b)) or is_initial_of(last_a, first_b)
                or is_initial_of(first_b, last_a)) and squeeze(first_a) <> squeeze(last_a) else false end
        or case when least(length(first_a), length(last_b)) = 1 then
            last_a = first_b and (is_initial_of(first_a, last_b) or is_initial_of(last_b, first_a)) else false end
        or case when first_a = first_b or last_a = last_b then false
            when contains(first_a || ' ' || last_a, split_part(first_b, ' ', 1))
              or contains(first_b || ' ' || last_b, split_part(first_a, ' ', 1)) then
                are_same_words(first_a || ' ' || last_a, first_b || ' ' || last_b)
                and not are_same_words(first_a, first_b) and not are_same_words(last_a, last_b)
            else false end, false)
    """,
    # One name stands in the other field, and the other one is new: swapped after a marriage. Martin Martin is not.
    "are_half_swapped(first_a, last_a, first_b, last_b) as coalesce(first_a <> last_a and first_b <> last_b "
    "and (squeeze(first_a) = squeeze(last_b) or squeeze(last_a) = squeeze(first_b)), false)",
    # Other letters, not other digits or dots: anna.koch84@ and anna_koch88@ are two people, and neither had a slip.
    "without_dots(t) as replace(replace(replace(t, '.', ''), '_', ''), '-', '')",
    "digits_of(t) as regexp_replace(t, '[^0-9]+', '', 'g')",
    "is_email_slip(a, b) as coalesce(without_dots(a) <> without_dots(b) and digits_of(a) = digits_of(b) "
    "and damerau_levenshtein(without_dots(a), without_dots(b)) <= 2, false)",
    # What stands before the @, if it is more than the name, two digits and what anybody may put beside a name:
    # namesakes choose alike.
    rf"""
    telling_user(email, first_name, last_name) as case
        when length(replace(replace(
                 regexp_replace(squeeze(fold_name(split_part(email, '@', 1))), '^({_AT_HOME})|({_AT_HOME})$', ''),
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
    f"are_generation_apart(a, b) as abs(a - b) > {GENERATION_DAYS} "
    "and (month(a), day(a)) is distinct from (month(b), day(b))",
)


def create_macros(connection: DuckDBPyConnection) -> None:
    """Create the macros in the current catalog of the connection."""
    for macro in _MACROS:
        connection.execute(f"create or replace macro {macro.strip()}")
