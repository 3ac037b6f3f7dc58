"""Phone numbers: to E.164 by country, and the table `clean.phones` with one row per distinct text and country.

Add a rule to the tables below. Parsing itself is the library's; only it is Python, on distinct values that no run
before has seen.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pipelines import keys
from pipelines.clean.cache import load_phones, save_phones
from pipelines.clean.rules import Rule, apply_rules

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow
    from duckdb import DuckDBPyConnection

    from pipelines.settings import Settings

MIN_DIGITS = 5  # fewer digits are an extension or a short code, not somebody's number

# The digits alone, with the plus that makes a number international and without an extension: what is parsed once.
_DIALED = r"""
    case when regexp_matches(value, '^[^\d]*\+') then '+' else '' end
    || regexp_replace(regexp_replace(value, '(?i)(?:ext|durchwahl|dw|app|x)[.:\s]*\d+\s*$', ''), '\D+', '', 'g')
"""
_SUBSCRIBER = r"regexp_replace(regexp_replace(value, '[^0-9+]+', '', 'g'), '^(?:(?:\+|00)\d{2})?0*', '')"
_SEQUENCES = ("12345678901234567890", "98765432109876543210")
_IS_PLACEHOLDER = f"""
    is_placeholder(value)
    or regexp_matches(value, '\\d') and (
        replace({_SUBSCRIBER}, left({_SUBSCRIBER}, 1), '') = ''
        or length({_SUBSCRIBER}) >= {MIN_DIGITS}
        and ({" or ".join(f"starts_with('{sequence}', {_SUBSCRIBER})" for sequence in _SEQUENCES)})
    )
"""


def clean_phones(connection: DuckDBPyConnection, settings: Settings) -> None:
    """Apply the rules to `phone_drafts`; make the temporary table `phone_values` by its ids, and write `clean.phones`."""
    connection.execute("alter table phone_drafts add column dialed text")
    rules = (
        Rule("phone_placeholder", {"value": "cast(null as text)"}, when=_IS_PLACEHOLDER, confidence=0.95),
        Rule(
            "phone_e164",
            {"value": _parsed("value")},
            when=f"{_parsed('value')} is not null",
            prepare=partial(_parse_numbers, settings=settings),
            is_final=True,
        ),
        Rule(
            "phone_invalid",
            {"value": "cast(null as text)"},
            when=f"value is not null and {_parsed('value')} is null",
            is_final=True,
        ),
    )
    apply_rules(connection, "phone_drafts", rules)
    connection.execute(
        """
        create or replace temp table phone_values as
        select
            drafts.id, drafts.raw_value, drafts.country, drafts.rejected, drafts.value,
            coalesce(parsed.is_mobile, false) as is_mobile, coalesce(parsed.is_valid, false) as is_valid
        from phone_drafts as drafts
        left join parsed_phones as parsed on parsed.dialed = drafts.dialed and parsed.country = drafts.country
        """
    )
    connection.execute(
        f"""
        create or replace table clean.phones as
        select raw_value, country, value, is_mobile, is_valid,
            {keys.contact_point_key("'phone'", "value")} as contact_point_key
        from phone_values where rejected is null
        """
    )


def _parsed(column: str) -> str:
    return (
        f"(select parsed_phones.{column} from parsed_phones "
        f"where parsed_phones.dialed = phone_drafts.dialed and parsed_phones.country = phone_drafts.country)"
    )


def _parse_numbers(connection: DuckDBPyConnection, _: str, settings: Settings) -> None:
    """Make the temporary table `parsed_phones` for every number that is no placeholder, and carry it as cache."""
    import phonenumbers

    connection.execute(f"update phone_drafts set dialed = {_DIALED}")
    connection.execute(
        "create or replace temp table parsed_phones "
        "(dialed text, country text, value text, is_mobile boolean, is_valid boolean)"
    )
    known = load_phones(settings, phonenumbers.__version__)
    if known is not None:
        connection.register("known_phones", known)
        connection.execute(
            """
            insert into parsed_phones
            select known_phones.* from known_phones
            semi join phone_drafts using (dialed, country)
            """
        )
        connection.unregister("known_phones")
    missing = connection.execute(
        """
        select distinct dialed, country from phone_drafts
        anti join parsed_phones using (dialed, country)
        where dialed is not null order by all
        """
    ).fetchall()
    if missing:
        connection.register("new_phones", parse_phones(missing))
        connection.execute("insert into parsed_phones from new_phones")
        connection.unregister("new_phones")
    parsed = connection.execute("from parsed_phones order by dialed, country").to_arrow_table()
    if missing or (known is not None and known.num_rows != parsed.num_rows):
        save_phones(settings, phonenumbers.__version__, parsed)


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
        format_number,
        is_possible_number,
        number_type,
        parse,
    )

    rows: list[tuple[str, str, str | None, bool, bool]] = []
    for dialed, country in numbers:
        try:
            number = parse(dialed, country)
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
