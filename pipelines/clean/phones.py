"""Phone numbers: to E.164 by country; what is filled in instead of one.

Add a rule to `BLOCKS`, with its name in `pipelines.configuration.cleaning`. Numbers that are written as most are go by
`dialing`; parsing all others is the library's, on distinct values that no run before has seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from pipelines.clean.blocks import Blocks, build_rules
from pipelines.clean.cache import load_values, save_values
from pipelines.clean.dialing import find_plans, judge_numbers
from pipelines.clean.functions import sql_list
from pipelines.clean.rules import Rule, apply_rules
from pipelines.warehouse import literal

if TYPE_CHECKING:
    import pyarrow
    from duckdb import DuckDBPyConnection

    from pipelines.configuration.cleaning import PlaceholderNumbers, RuleConfig
    from pipelines.settings import Settings

CACHED = "phones"
RULES_VERSION = 3  # raise it when the same text becomes another number, so that no run remembers the old one
MIN_DIGITS = 5  # fewer digits are an extension or a short code, not somebody's number

# Behind a number: a remark in brackets, then whatever begins with a word (an extension, another number, hours), then
# an extension behind a sign, and of `231251-11/12` the second extension.
_REMARK = r"\([^()\d]*\p{L}[^()]*\)|\([^()]*\p{L}\s*\)"
_WORDS_BEHIND = r"^((?:[^\d]*\d){7}[^\p{L}]*)\p{L}.*$"
_EXTENSION = r"#\s*\d+\s*$|((?:\d\D*){5,}-\d{1,3})\s*[/,]\s*-?\s*\d{1,3}\s*$"
# A second number: it begins as a whole one, behind a sign.
_SECOND_NUMBER = r"((?:\d\D*){6,}?\d)\s*(?:[,;|/&][^\d+]*(?:\+|0)|\s\+)\D*(?:\d\D*){5,}$"
# 1,71123E+10 has lost digits; what a spreadsheet made of a number without that ends with .0.
_LOST_IN_SPREADSHEET = r"^\s*\d[.,]\d*[eE]\+?\d+\s*$"
_OTHER_DIGITS = "'０１２３４５６７８９٠١٢٣٤٥٦٧٨٩', '01234567890123456789'"
# The digits alone, with the plus that makes a number international, the first of several and without an extension: what
# is parsed once. Most are written with digits and separators only.
_CLEARED = "value"
for _pattern, _by in (
    (_LOST_IN_SPREADSHEET, ""),
    (r"^(\d{8,})\.0$", r"\1"),
    (r"(^|[\d(/+\s-])[oO](\d)", r"\10\2"),
    (r"([\d\s])[lI](\d)", r"\11\2"),
    (_REMARK, ""),
    (_WORDS_BEHIND, r"\1"),
    (_SECOND_NUMBER, r"\1"),
    (_EXTENSION, r"\1"),
):
    _CLEARED = f"regexp_replace({_CLEARED}, {literal(_pattern)}, {literal(_by)})"
_CLEARED = _CLEARED.replace("(value,", f"(translate(value, {_OTHER_DIGITS}),", 1)
_DIALED = rf"""case
    when regexp_full_match(value, '\+?(?:[\d\s()-]*|\d[\d\s()]{{0,5}}/[\d\s()]*)')
    then case when starts_with(value, '+') then '+' else '' end || regexp_replace(value, '\D+', '', 'g')
    else case when regexp_matches(value, '^[^\d]*\+') then '+' else '' end
        || regexp_replace({_CLEARED}, '\D+', '', 'g')
end"""
_SUBSCRIBER = r"regexp_replace(dialed, '^(?:(?:\+|00)(?:[17]|\d{2}))?0*', '')"
_SEQUENCES = ("12345678901234567890", "98765432109876543210")
# Nothing but one digit, or digits in their order.
_IS_PLACEHOLDER = f"""
    is_placeholder(value)
    or regexp_matches(dialed, '\\d') and (
        replace({_SUBSCRIBER}, left({_SUBSCRIBER}, 1), '') = ''
        or length({_SUBSCRIBER}) >= {MIN_DIGITS}
        and ({" or ".join(f"starts_with('{sequence}', {_SUBSCRIBER})" for sequence in _SEQUENCES)})
    )
"""


def clean_phones(connection: DuckDBPyConnection, settings: Settings, entries: Sequence[RuleConfig]) -> None:
    """Apply the rules to `phone_drafts`, and make the temporary table `phone_values` by its ids."""
    _parse_numbers(connection, settings)
    apply_rules(connection, "phone_drafts", build_rules(entries, BLOCKS))
    connection.execute(
        """
        create or replace temp table phone_values as
        select id, raw_value, country, rejected, value,
            value is not null and is_mobile as is_mobile, value is not null and is_valid as is_valid
        from phone_drafts
        """
    )


def _placeholders(entry: PlaceholderNumbers) -> Sequence[Rule]:
    further = [re.sub(r"[^\d+]", "", number) for number in entry.numbers]
    when = _IS_PLACEHOLDER + (f" or dialed in ({sql_list(further)})" if further else "")
    return (Rule("phone_placeholder", {"value": "cast(null as text)"}, when=when, confidence=0.95),)


BLOCKS: Blocks = {
    "placeholders": _placeholders,
    "e164": lambda _: (
        Rule("phone_e164", {"value": "parsed"}, when="value is not null and parsed is not null", is_final=True),
    ),
    "invalid": lambda _: (
        Rule(
            "phone_invalid",
            {"value": "cast(null as text)"},
            when="value is not null and parsed is null",
            is_final=True,
        ),
    ),
}


def rules_version() -> str:
    """What a text becomes is the same as long as this is."""
    import phonenumbers

    return f"{phonenumbers.__version__}, rules {RULES_VERSION}"


def _parse_numbers(connection: DuckDBPyConnection, settings: Settings) -> None:
    """Add `dialed`, and what it is as a number, to `phone_drafts`; what the library said is carried as cache."""
    countries = connection.execute("select distinct country from phone_drafts where country is not null").fetchall()
    plans = find_plans(country for (country,) in countries)
    connection.execute(
        f"""
        create or replace temp table dialed_phones as
        {judge_numbers(f"(select *, {_DIALED} as dialed from phone_drafts)", plans)}
        """
    )
    connection.execute(
        "create or replace temp table parsed_phones "
        "(dialed text, country text, value text, is_mobile boolean, is_valid boolean)"
    )
    known = load_values(settings, CACHED, rules_version())
    if known is not None:
        connection.register("known_phones", known)
        connection.execute(
            """
            insert into parsed_phones
            select known_phones.* from known_phones
            semi join (from dialed_phones where is_mobile is null) using (dialed, country)
            """
        )
        connection.unregister("known_phones")
    missing = connection.execute(
        """
        select distinct dialed, country from dialed_phones
        anti join parsed_phones using (dialed, country)
        where is_mobile is null
        order by all
        """
    ).fetchall()
    if missing:
        connection.register("new_phones", parse_phones(missing))
        connection.execute("insert into parsed_phones from new_phones")
        connection.unregister("new_phones")
    if missing or (known is not None and known.num_rows != _count(connection)):
        parsed = connection.execute("from parsed_phones order by dialed, country").to_arrow_table()
        save_values(settings, CACHED, rules_version(), parsed)
    connection.execute(
        """
        create or replace temp table phone_drafts as
        select
            drafts.* exclude (international, is_mobile),
            case when drafts.is_mobile is null then parsed.value else drafts.international end as parsed,
            coalesce(drafts.is_mobile, parsed.is_mobile) as is_mobile,
            drafts.is_mobile is not null or parsed.is_valid as is_valid
        from dialed_phones as drafts
        left join parsed_phones as parsed using (dialed, country)
        """
    )
    connection.execute("drop table dialed_phones; drop table parsed_phones")


def _count(connection: DuckDBPyConnection) -> int:
    row = connection.execute("select count(*) from parsed_phones").fetchone()
    return int(row[0]) if row else 0


def parse_phones(numbers: Iterable[tuple[str, str]]) -> pyarrow.Table:
    """Parse pairs of dialed text and ISO country to (dialed, country, value, is_mobile, is_valid).

    `value` is E.164, or NULL when the text cannot be a number there. A number of the right length that nobody can have
    keeps its value with `is_valid` false: it is still the same number when it occurs again.
    """
    import pyarrow
    from phonenumbers import (
        NumberParseException,
        PhoneNumberFormat,
        PhoneNumberType,
        country_code_for_region,
        format_number,
        is_possible_number,
        is_valid_number,
        number_type,
        parse,
        region_code_for_number,
    )

    rows: list[tuple[str, str, str | None, bool, bool]] = []
    for dialed, country in numbers:
        try:
            number = parse(dialed, country)
            if dialed.startswith(str(country_code_for_region(country))):  # 49171...: a spreadsheet took the plus
                international = parse(f"+{dialed}")
                if is_valid_number(international) and region_code_for_number(international) == country:
                    number = international
        except NumberParseException:
            rows.append((dialed, country, None, False, False))
            continue
        kind = number_type(number)  # UNKNOWN exactly when the number is not valid
        is_valid = kind != PhoneNumberType.UNKNOWN
        is_number = is_valid or (len(str(number.national_number)) >= MIN_DIGITS and is_possible_number(number))
        value = format_number(number, PhoneNumberFormat.E164) if is_number else None
        rows.append((dialed, country, value, is_valid and kind == PhoneNumberType.MOBILE, is_valid))
    text, flag = pyarrow.string(), pyarrow.bool_()
    types = {"dialed": text, "country": text, "value": text, "is_mobile": flag, "is_valid": flag}
    columns = zip(*rows, strict=True)
    return pyarrow.table(
        {name: pyarrow.array(column, of) for (name, of), column in zip(types.items(), columns, strict=True)}
    )
