"""The typed contract: SQL that turns a delivered text into a canonical type, or into NULL when it cannot be one.

Add a way of writing a value here (a date form, a number form) together with the evidence that tells it from the
others. Which column has which type is said in `pipelines.entities`; nothing here reads a file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pipelines.entities import Type
from pipelines.warehouse import literal

NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"
WHITE_SPACE = literal(f" \t\n\r{NO_BREAK_SPACE}")
# German, English, Dutch, French, Spanish, Italian and Polish.
_TRUE = "true t yes y 1 ja j wahr on x oui o vrai sí sì si s verdadero vero tak prawda waar"
_FALSE = "false f no n 0 nein falsch off nee onwaar non faux falso nie"
TRUE_WORDS, FALSE_WORDS = tuple(_TRUE.split()), tuple(_FALSE.split())
# What stands in the place of a number, a date, or yes and no, where there is none.
_NOTHING = (
    "-,--,?,n/a,na,k.a.,keine angabe,unbekannt,unknown,none,null,n.v.t.,onbekend,inconnu,n.d.,desconocido,sconosciuto,"
    "brak,nieznany"
)
NO_VALUE_WORDS = tuple(_NOTHING.split(","))
NO_DATE = r"0+[-/.]0+[-/.]0+([T ][0:.]+)?Z?"  # 00.00.0000, 0000-00-00 00:00:00
# More contradicting values than this share make a column undecidable; fewer are single bad values and are rejected.
CONTRADICTION_SHARE = 0.01
_FIRST_DAY, _LAST_DAY = "0001-01-01", "9999-12-31 23:59:59"  # what a text can name, and a calendar has
WHOLE_DOUBLES = "9007199254740992"  # 2^53: larger doubles are not exact whole numbers

NATIVE_INTEGERS = frozenset(
    ["TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"]
)
# How dates are mostly written, by the order of the column: a LIKE pattern, and the strptime pattern that reads it, or
# None where the engine does by itself.
_ISO_DATE = ("____-__-__", None)
USUAL_DATES: dict[str, tuple[tuple[str, str | None], ...]] = {
    "ymd": (_ISO_DATE, ("____/__/__", None)),
    "dmy": (("__.__.____", "%d.%m.%Y"), _ISO_DATE),
    "mdy": (("__/__/____", "%m/%d/%Y"), _ISO_DATE),
}
_POINT = r"[+-]?(\d+|\d{1,3}(,\d{3})+)(\.\d+)?([eE][+-]?\d+)?"
_COMMA = r"[+-]?(\d+|\d{1,3}(\.\d{3})+)(,\d+)?"
_GROUP_SPACE = f" {NO_BREAK_SPACE}\N{NARROW NO-BREAK SPACE}\N{RIGHT SINGLE QUOTATION MARK}'"  # 1 204,50 or 1'204.50
_SPACED = rf"[+-]?\d{{1,3}}([{_GROUP_SPACE}]\d{{3}})+([.,]\d+)?-?"
_SIGN = r"€|\$|£|zł|Kč|Fr\.|kr\.?|[A-Z]{3}"
_SIGNED = rf"^(?:({_SIGN})\s*[-+]?\d[^A-Za-z]*|[-+]?\d[^A-Za-z]*?\s*({_SIGN}))$"
_YEAR_FIRST = r"^\d{4}[-/.]\d{1,2}[-/.]\d{1,2}"
_YEAR_LAST = r"^\d{1,2}[-/.]\d{1,2}[-/.]\d{4}"
_DATE_HEAD = r"^(\d{1,2}[-/.]\d{1,2})[-/.]\d{4}"
_TIME = r"([T ]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?\s*(Z|z|[+-]\d{2}(:?\d{2})?)?)?$"
_ISO = r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2})?)?"
_WITH_ZONE = r"(:\d{2}(?:\.\d+)?)\s*(?:Z|z|[+-]\d{2}(?::?\d{2})?)$"
_ZONE = r":\d{2}(?:\.\d+)?\s*(Z|z|[+-]\d{2}(?::?\d{2})?)$"


@dataclass(frozen=True)
class Conventions:
    """How one column writes what can be written in several ways.

    Attributes:
        decimal: `,` or `.`.
        dates: `dmy`, `mdy` or `ymd`.
        zone: time zone of timestamps that name none.
    """

    decimal: str
    dates: str
    zone: str


def as_text(expression: str, kind: str) -> str:
    """A delivered value of DuckDB type `kind` as trimmed text; '' is NULL."""
    if kind in {"FLOAT", "DOUBLE"}:
        text = (
            f"case when {expression} = trunc({expression}) and abs({expression}) < {WHOLE_DOUBLES} "
            f"then ({expression})::bigint::varchar else ({expression})::varchar end"
        )
    elif kind.endswith("]") or kind.startswith(("STRUCT", "MAP", "UNION")):
        text = f"to_json({expression})::varchar"
    elif kind == "VARCHAR":
        return _trim(expression)
    else:
        text = f"({expression})::varchar"
    return f"nullif(trim({text}, {WHITE_SPACE}), '')"


def _trim(text: str) -> str:
    """SQL for a trimmed text; '' is NULL.

    Nearly no value has anything to trim, and seeing that it has none takes a seventh of trimming it. Of the characters
    that are trimmed all but the no-break space come before '!'.
    """
    ends = " or ".join(f"suffix({text}, {literal(space)})" for space in f" \t\n\r{NO_BREAK_SPACE}")
    is_trimmed = f"{text} >= '!' and not (prefix({text}, {literal(NO_BREAK_SPACE)}) or {ends})"
    return f"case when {is_trimmed} then {text} else nullif(trim({text}, {WHITE_SPACE}), '') end"


def as_date_text(text: str) -> str:
    """A trimmed text that should be a date; NULL where it says that there is none."""
    return f"case when not regexp_full_match({text}, '{NO_DATE}') and not {_says_nothing(text)} then {text} end"


def as_number_text(text: str) -> str:
    """A trimmed text that should be a number, without spaces between thousands, its sign in front.

    NULL where it says that there is none. What is a number to the engine, or nothing but digits and marks, is passed
    by: the one is seen in a quarter of the time that the other takes.
    """
    is_plain = f"try_cast({text} as double) is not null or not regexp_matches({text}, '[^\\d.,+-]|-$')"
    closed = f"translate({text}, {literal(_GROUP_SPACE)}, '')"
    return (
        f"case when {is_plain} then {text} when {_says_nothing(text)} then null "
        f"when regexp_full_match({text}, {literal(_SPACED)}) then {_with_sign_in_front(closed)} "
        f"when regexp_full_match({text}, '[\\d.,]+-') then {_with_sign_in_front(text)} else {text} end"
    )


def currency_sign(text: str) -> str:
    """SQL for the sign or code of a currency beside the amount in a trimmed text; NULL when there is none."""
    return f"nullif(regexp_extract({text}, {literal(_SIGNED)}, 1) || regexp_extract({text}, {literal(_SIGNED)}, 2), '')"


def _with_sign_in_front(text: str) -> str:
    """SQL: `12,50-` as `-12,50`."""
    return f"case when suffix({text}, '-') then '-' || rtrim({text}, '-') else {text} end"


def as_flag_text(text: str) -> str:
    """A trimmed text that should be yes or no; NULL where it says that there is neither."""
    return f"case when not {_says_nothing(text)} then {text} end"


def _says_nothing(text: str) -> str:
    return is_one_of(f"lower({text})", NO_VALUE_WORDS)


def is_one_of(text: str, words: Iterable[str]) -> str:
    """SQL for whether a text is one of these words.

    The engine would make a join of a longer `in (...)`, within a projection as well: to plan and run it took a quarter
    of all conversions.
    """
    return f"list_contains([{', '.join(map(literal, words))}], {text})"


def is_native(kind: str, target: Type) -> bool:
    """Whether a value of DuckDB type `kind` is converted without being read as text."""
    return {
        Type.INTEGER: kind in NATIVE_INTEGERS,
        Type.DECIMAL: kind in NATIVE_INTEGERS or _fits_decimal(kind),
        Type.BOOLEAN: kind == "BOOLEAN",
        Type.DATE: kind == "DATE" or kind.startswith("TIMESTAMP"),
        Type.TIMESTAMP: kind == "DATE" or kind.startswith("TIMESTAMP"),
    }.get(target, False)


def convert_native(value: str, kind: str, target: Type, zone: str) -> str:
    """SQL for a value that already has a fitting type; NULL for a day that no calendar has, such as infinity."""
    if target not in {Type.DATE, Type.TIMESTAMP}:
        return f"try_cast({value} as {target})"
    has_zone = kind == "TIMESTAMP WITH TIME ZONE"
    if target is Type.TIMESTAMP:
        converted = f"timezone('UTC', {value})" if has_zone else to_utc(f"({value})::timestamp", zone)
    else:
        converted = f"timezone({literal(zone)}, {value})::date" if has_zone else f"try_cast({value} as {target})"
    compared = f"({value})::timestamp" if kind == "TIMESTAMP_NS" else value  # whose last year is 2262
    return f"case when {compared} between '{_FIRST_DAY}' and '{_LAST_DAY}' then {converted} end"


def convert_text(text: str, kind: str, target: Type, conventions: Conventions) -> str:
    """SQL for a trimmed text as the canonical type; NULL when it is none. Dates and timestamps come as `iso_text`."""
    if target is Type.BOOLEAN:
        words = {True: TRUE_WORDS, False: FALSE_WORDS}
        branches = " ".join(
            f"when {is_one_of(f'lower({text})', found)} then {str(value).lower()}" for value, found in words.items()
        )
        return f"case {branches} end"
    if target in {Type.DECIMAL, Type.INTEGER}:
        number = plain_number(text, conventions.decimal if kind == "VARCHAR" else ".")
        if target is Type.DECIMAL:
            return f"try_cast({number} as {Type.DECIMAL})"
        whole, digits = f"try_cast({number} as decimal(38, 8))", f"try_cast({text} as bigint)"
        # Most are written as the engine writes them; to see that is a hundred times faster.
        return (
            f"case when {digits}::varchar = {text} then {digits} "
            f"when {whole} = trunc({whole}) then try_cast({whole} as bigint) end"
        )
    if target is Type.DATE:
        day = f"regexp_extract({text}, '^\\d{{4}}-\\d{{1,2}}-\\d{{1,2}}')"
        return f"try_cast(nullif({day}, '') as date)"
    if target is Type.TIMESTAMP:
        return _timestamp(text, conventions.zone)
    if target is Type.JSON:
        return f"case when json_valid({text}) then {text}::json end"
    return text


def convert_usual(text: str, target: Type, conventions: Conventions) -> str:
    """SQL for a date or timestamp that is written in one of the usual ways; NULL for every other text.

    What it gives is what `convert_text` gives for the `iso_text`, several times as fast.
    """
    ways = USUAL_DATES[conventions.dates]
    days = "|".join(way.replace("_", r"\d").replace(".", r"\.") for way, _ in ways)
    if target is Type.DATE:
        is_usual = f"regexp_full_match({text}, '{days}')"
        branches = [f"when {text} like '{way}' then {_read_usual(text, pattern)}::date" for way, pattern in ways]
    else:
        is_usual = rf"regexp_full_match({text}, '({days})( \d\d:\d\d:\d\d)?|\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\dZ')"
        branches = [f"when {text} like '%Z' then {_read_usual(text, None)}"]
        for way, pattern in ways:
            for time, clock in (("", ""), (" __:__:__", " %H:%M:%S")):
                moment = to_utc(_read_usual(text, pattern and pattern + clock), conventions.zone)
                branches.append(f"when {text} like '{way}{time}' then {moment}")
    return f"case when {is_usual} then case {' '.join(branches)} end end"


def _read_usual(text: str, pattern: str | None) -> str:
    return f"try_strptime({text}, '{pattern}')" if pattern else f"try_cast({text} as timestamp)"


def plain_number(text: str, mark: str) -> str:
    """SQL for a number as the engine writes it, without grouping; NULL when the text is no number."""
    if mark == ",":
        return f"case when regexp_full_match({text}, '{_COMMA}') then replace(replace({text}, '.', ''), ',', '.') end"
    return f"case when regexp_full_match({text}, '{_POINT}') then replace({text}, ',', '') end"


def is_rounded(text: str, kind: str, mark: str, typed: str) -> str:
    """SQL: whether a delivered number has more than four decimals that count."""
    if kind in NATIVE_INTEGERS:
        return "false"
    number = plain_number(text, "." if kind != "VARCHAR" else mark)
    return (
        f"case when regexp_matches({text}, '[.,]\\d{{5}}|[eE]') "
        f"then coalesce(try_cast({number} as decimal(38, 18)) <> {typed}, false) else false end"
    )


def to_utc(timestamp: str, zone: str) -> str:
    """SQL for a local timestamp as UTC without zone; one look into the rules of zones, which is dear, not two."""
    return timestamp if zone == "UTC" else f"make_timestamp(epoch_us(timezone({literal(zone)}, {timestamp})))"


def iso_text(text: str, order: str) -> str:
    """SQL for a date or timestamp as `yyyy-m-d[ time]`; NULL when it is written in another way."""
    last = {"dmy": r"\3-\2-\1", "mdy": r"\3-\1-\2"}.get(order)
    compact = {
        "dmy": (r"^(\d{2})(\d{2})(\d{4})$", r"\3-\2-\1"),
        "mdy": (r"^(\d{2})(\d{2})(\d{4})$", r"\3-\1-\2"),
        "ymd": (r"^(\d{4})(\d{2})(\d{2})$", r"\1-\2-\3"),
    }[order]
    branches = [
        f"when regexp_full_match({text}, '{_ISO}') then {text}",  # most dates are written so, and this is fast
        rf"when regexp_matches({text}, '{_YEAR_FIRST}{_TIME}') "
        rf"then regexp_replace({text}, '^(\d{{4}})[-/.](\d{{1,2}})[-/.](\d{{1,2}})', '\1-\2-\3')",
        f"when regexp_matches({text}, '{compact[0]}') then regexp_replace({text}, '{compact[0]}', '{compact[1]}')",
    ]
    if last:  # the usual form of the column is tried first
        branches.insert(
            0,
            rf"when regexp_matches({text}, '{_YEAR_LAST}{_TIME}') "
            rf"then regexp_replace({text}, '^(\d{{1,2}})[-/.](\d{{1,2}})[-/.](\d{{4}})', '{last}')",
        )
    return f"case {' '.join(branches)} end"


def number_evidence(text: str) -> tuple[str, str, str]:
    """SQL aggregates: values that are numbers only with comma, only with point, and with either meaning."""
    comma, point = f"regexp_full_match({text}, '{_COMMA}')", f"regexp_full_match({text}, '{_POINT}')"
    return (
        f"count(*) filter (where {comma} and not {point})",
        f"count(*) filter (where {point} and not {comma})",
        f"count(*) filter (where {comma} and {point} and regexp_matches({text}, '[.,]'))",
    )


def date_head(text: str) -> str:
    """SQL for the first two numbers of a date whose year comes last (`13/04`); '' for every other text."""
    return f"regexp_extract({text}, '{_DATE_HEAD}', 1)"


def date_evidence(heads: Mapping[str, int]) -> tuple[int, int, int]:
    """Dates that can only be day first, only month first, and either with different meanings, from counted heads."""
    day_first = month_first = either = 0
    for head, count in heads.items():
        first, second = (int(number) for number in re.split("[-/.]", head))
        if first > 12 >= second:
            day_first += count
        elif second > 12 >= first:
            month_first += count
        elif first <= 12 and first != second:
            either += count
    return day_first, month_first, either


def decide(first: int, second: int) -> int | None:
    """0 or 1 for the form that the evidence speaks for; None when there is none, or it contradicts itself."""
    if first == second:
        return None
    winner, loser = max(first, second), min(first, second)
    if loser > CONTRADICTION_SHARE * winner:
        return None
    return 0 if first > second else 1


def value_class(text: str, target: Type) -> str:
    """SQL for what a rejected text is, in words without the value."""
    wanted = {
        Type.INTEGER: "a whole number",
        Type.DECIMAL: "a number",
        Type.BOOLEAN: "true or false",
        Type.DATE: "a date",
        Type.TIMESTAMP: "a date and time",
        Type.JSON: "JSON",
    }[target]
    number = f"(regexp_full_match({text}, '{_POINT}') or regexp_full_match({text}, '{_COMMA}'))"
    date = f"regexp_matches({text}, '{_YEAR_FIRST}|{_YEAR_LAST}')"
    if target in {Type.DATE, Type.TIMESTAMP}:
        own = f"when {date} then 'impossible date'"
    elif target in {Type.DECIMAL, Type.INTEGER}:
        own = f"when {number} then 'number out of range or in another notation'"
    else:
        own = ""
    return (
        f"case {own} when {number} then 'number instead of {wanted}' "
        f"when {date} then 'date instead of {wanted}' else 'text instead of {wanted}' end"
    )


def _timestamp(iso: str, zone: str) -> str:
    offset = f"regexp_extract({iso}, '{_ZONE}', 1)"
    instant = f"try_cast(regexp_replace({iso}, '{_WITH_ZONE}', '\\1') as timestamp)"
    digits = f"replace(substr({offset}, 2), ':', '')"
    hours, rest = (f"coalesce(try_cast(substr({digits}, {at}, 2) as integer), 0)" for at in (1, 3))
    minutes = f"(case when {offset} like '-%' then -1 else 1 end * ({hours} * 60 + {rest}))"
    # The engine drops the offset when it reads a text as a timestamp without zone, so it is taken off here.
    return (
        f"case when regexp_matches({iso}, '{_ZONE}') then {instant} - to_minutes({minutes}) "
        f"else {to_utc(f'try_cast({iso} as timestamp)', zone)} end"
    )


def _fits_decimal(kind: str) -> bool:
    """A DECIMAL with at most four places is taken as it is; more places are rounded through the text."""
    if not kind.startswith("DECIMAL("):
        return False
    return int(kind.removesuffix(")").rsplit(",", 1)[1]) <= 4
