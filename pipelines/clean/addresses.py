"""The rules for addresses: country to ISO 3166, postal code by country, house number, spelling of streets, casing.

Add a rule to `BLOCKS` with its name in `pipelines.configuration.cleaning`; those for postal codes rely on the country
being a code already. What a postal code says about its city is learned in `places`.
Nothing here looks an address up; whether it exists is not known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from pipelines.clean import places
from pipelines.clean.blocks import Blocks, placeholder_block, stray_characters_block
from pipelines.clean.countries import load_countries
from pipelines.clean.functions import sql_list
from pipelines.clean.rules import Rule, Status
from pipelines.warehouse import literal

if TYPE_CHECKING:
    from pipelines.configuration.cleaning import Placeholders, RuleConfig, StreetSpelling

ADDRESS_FIELDS = ("street", "postal_code", "city", "region", "country")

# 12 a, 12-14, 12/A, 12 1/2, 12 bis, and in Vienna 5/3/12 or 5 Top 12; in Helsinki 12 A 5.
_NUMBER = (
    r"\d+(?:\s1/[2-4]|\s?3/4|[½¼¾]|\s?(?:bis|ter)\b|\s?[a-zA-Z]\b(?:\s\d{1,3}\b)?)?"
    r"(?:\s?[-\x{2013}/+]\s?(?:\d+\s?[a-zA-Z]?|[a-zA-Z]|(?-i:II|III|IV))|\s(?:bis|und|u\.|&)\s\d+\s?[a-zA-Z]?)*"
)
# Where in the house: of which floor, door, flat; it stays with the number.
_UNIT = (
    r"(?:[\s,/]+(?:(?:top|tür|stiege|stg|whg|wohnung|app|apt|appt|apartment|flat|unit|suite|haus|halle|bte|bus|int|lgh"
    r"|kv|кв|ap|m|d)[.:]*\s?\w+|\d+\.?\s?(?:og|ug|stock|etage)|eg|dg|vh|hh|hs|vorderhaus|hinterhaus|seitenflügel"
    r"|links|rechts|mitte|li\.|re\.)\b\.?)*"
)
_CALLED_NUMBER = r"(?:(?:nr|no|n|nº|n°|nro|num|hausnr|hausnummer|č\.\s?p|д)[.:]*\s*)?"
_STREET_THEN_NUMBER = rf"(?i)^(.*?[^\d\s,].*?)[\s,]+{_CALLED_NUMBER}({_NUMBER})({_UNIT})[.,]?$"
_PLAIN_STREET = r"^([^\d,]*(?:[^\d\s,.]|[sS]tr\.)) (\d{1,4}\s?[a-zA-Z]?)$"
_NOT_PLAIN = r"(?i)(?:^|\s)(?:nr|no|n|nº|n°|nro|num|hausnr|hausnummer|flat|apartment|apt|unit|haus|bau|box) \d"
_ENDS_WITH_DATE = r"(?i)\d\s+\p{L}+\s+(?:18|19|20)\d\d$"  # Rue du 8 Mai 1945
# 2e Avenue begins with no house, 12 B rue with one.
_IN_FRONT = r"\d+(?:\s?(?:bis|ter)\b|[a-df-zA-DF-Z])?(?:\s?[-\x{2013}/]\s?\d+[a-zA-Z]?)?"
_FLAT = r"(?:(?:apt|apartment|unit|suite|ste|flat)\.?\s?\w+|#\s?\w+)"
_NUMBER_THEN_STREET = rf"(?i)^({_IN_FRONT})[\s,]+((?:[^\d\s]|\d+(?:st|nd|rd|th)\b).*?)((?:[\s,]+{_FLAT})?)$"
_LETTER_THEN_STREET = (
    r"^(\d+\s?[A-Za-z])\s+((?i:rue|avenue|av\.|bd|boulevard|place|chemin|route|allée|impasse|quai|cours)\s.*)$"
)
_HAS_UNIT_BEHIND = rf"(?i)^\d.*[\s,]{_FLAT}$"
_UNIT_IN_FRONT = r"(?i)^((?:flat|apartment|apt|appt|unit|suite)\.?\s*\w+),\s*(\d+[a-z]?)[\s,]+([^\d\s].*)$"
_ONLY_A_UNIT = r"(?i)^(?:flat|apartment|apt|unit|haus|bau|nr|no|č\.\s?p|box)\.?$"
_POST_BOX = (
    r"(?i)^(?:dhl[\s-]+)?(?:postfach|packstation|postfiliale|postnummer|pf\b|p\.?\s?o\.?\s?box|postbus|postboks"
    r"|b\.?p\.?\s*\d|boîte\spostale|case\spostale|casella\spostale|apartado|skrytka)|[\s,](?:postfach|packstation)\b"
)
_POST_BOX_NUMBER = r"(?i)^(?:postfach|postf\.|pf\.?|p\.?\s?o\.?\s?box)\s*[:.]?\s*(\d[\d ]*)$"
_POST_BOX_NAME = "case when regexp_matches(street, '(?i)box') then 'PO Box' else 'Postfach' end"
# Hauptstr.5 and Hauptstraße5: the number sticks to the street.
_STREET_AND_NUMBER = rf"(?i)^(.*?(?:str\.|straße|strasse))({_NUMBER})({_UNIT})[.,]?$"


def _split_street(pattern: str, parts: str) -> dict[str, str]:
    # One expression in both places, which the engine evaluates once.
    found = f"regexp_extract(street, {literal(pattern)}, [{parts}])"
    halves = f"regexp_replace(regexp_replace(lower({found}.number), '\\s1/2', '½'), '\\s(1/[34]|3/4)', ' \\1')"
    to = r"\s*(?:\b(?:bis|und|u\.)|[\x{2013}&])\s*(\d)"
    number = rf"translate(regexp_replace({halves}, '{to}', '-\1', 'g'), ' ', '')"
    if "'unit'" in parts:
        number = f"concat_ws(' ', {number}, {_unit(found + '.unit')})"
    return {"street": f"trim({found}.street, ' ,')", "house_number": number}


def _unit(part: str) -> str:
    """SQL for what stands behind the number; doors are written with a capital."""
    text = f"nullif(trim({part}, ' ,/'), '')"
    for door in ("Top", "Tür", "Stiege"):
        text = f"regexp_replace({text}, '(?i)\\b{door}\\s?', '{door} ')"
    return text


def _matches(field: str, pattern: str) -> str:
    return f"regexp_matches({field}, {literal(pattern)})"


def postal_code_fits() -> str:
    """SQL over `country` and `postal_code`: false when the code has not the form of its country, else true or NULL."""
    forms = " ".join(
        f"when {literal(c.iso2)} then regexp_full_match(postal_code, {literal(c.postal_code)})"
        for c in load_countries()
        if c.postal_code
    )
    return f"case country {forms} else postal_code is not null end"


_SPELLED = "street"
for _written, _unified in (
    (r"([^\s\-A-Z])[sS]tr(?:\.|a[sS]{2}e|aße)?(\s|-|$)", r"\1straße\2"),
    (r"(^|[\s\-])[sS]tr(?:\.|a[sS]{2}e|aße)?(\s|-|$)", r"\1Straße\2"),
):
    _SPELLED = f"regexp_replace({_SPELLED}, {literal(_written)}, {literal(_unified)}, 'g')"

COUNTRY_RULES = (
    Rule(
        "country_normalized",
        {"country": "country_code(country)"},
        when="country_code(country) is not null",
        is_final=True,
    ),
    # The text is no country we know: clean.persons leaves it out, and somebody has to say what it means.
    Rule(
        "country_unknown",
        {"country": "cast(null as text)"},
        when="country is not null and country_code(country) is null",
        confidence=0.5,
        status=Status.PROPOSED,
    ),
)

_CODE_AND_CITY = r"^(?:[A-Z]{1,3}-)?(\d{4,5})\s+(\p{L}.*)$"  # 12043 Berlin
# How codes of two parts are written.
_WRITTEN_CODES = (
    (("NL",), r"^(\d{4})\s*([A-Z]{2})$", r"\1 \2"),
    (("GB",), r"^([A-Z]{1,2}\d[A-Z\d]?)\s*(\d[A-Z]{2})$", r"\1 \2"),
    (("CA",), r"^([A-Z]\d[A-Z])\s*(\d[A-Z]\d)$", r"\1 \2"),
    (("IE",), r"^([A-Z]\d[\dW])\s*([A-Z\d]{4})$", r"\1 \2"),
    (("SE", "CZ", "SK", "GR"), r"^(\d{3})\s*(\d{2})$", r"\1 \2"),
    (("PL",), r"^(\d{2})\s?-?\s?(\d{3})$", r"\1-\2"),
    (("PT",), r"^(\d{4})\s?-?\s?(\d{3})$", r"\1-\2"),
    (("US",), r"^(\d{5})\s?-?\s?(\d{4})$", r"\1-\2"),
    (("DE", "FR", "IT", "ES"), r"^(\d{2})\s(\d{3})$", r"\1\2"),
)

_PLAIN: dict[str, tuple[Rule, ...]] = {
    "country_to_iso": COUNTRY_RULES,
    "postal_code_format": (
        Rule(
            "postal_code_out_of_city",
            {
                "postal_code": f"regexp_extract(city, {literal(_CODE_AND_CITY)}, 1)",
                "city": f"regexp_extract(city, {literal(_CODE_AND_CITY)}, 2)",
            },
            when=f"{_matches('city', _CODE_AND_CITY)} "
            f"and coalesce(postal_code, regexp_extract(city, {literal(_CODE_AND_CITY)}, 1)) "
            f"= regexp_extract(city, {literal(_CODE_AND_CITY)}, 1)",
            confidence=0.95,
        ),
        Rule(
            "city_out_of_postal_code",
            {
                "postal_code": f"regexp_extract(postal_code, {literal(_CODE_AND_CITY)}, 1)",
                "city": f"regexp_extract(postal_code, {literal(_CODE_AND_CITY)}, 2)",
            },
            when=f"{_matches('postal_code', _CODE_AND_CITY)} and city is null",
            confidence=0.95,
        ),
        Rule(
            "country_from_postal_code",
            {"country": r"country_code(regexp_extract(postal_code, '^([A-Z]{1,3})\s?-', 1))"},
            when=r"country is null and regexp_matches(postal_code, '^[A-Z]{1,3}\s?-\s?\d')",
            confidence=0.9,
        ),
        Rule(
            "postal_code_format",
            {
                "postal_code": r"regexp_replace(regexp_replace(upper(postal_code), '^[A-Z]{1,3}\s?-\s?(\d)', '\1'), "
                r"'^(?:[A-Z]{1,2}[ -]+)?(\d{4,5})(?:\.0)?$', '\1')"
            },
            when=r"country is not null or regexp_matches(postal_code, '\.0$')",
        ),
        *(
            Rule(
                "postal_code_format",
                {"postal_code": f"regexp_replace(postal_code, {literal(parts)}, {literal(written)})"},
                when=f"country in ({sql_list(countries)}) and {_matches('postal_code', parts)}",
            )
            for countries, parts, written in _WRITTEN_CODES
        ),
    ),
    "postal_code_leading_zero": (
        # A number in a spreadsheet loses the zeros that codes begin with: in the east of Germany, in Rome and Oslo.
        Rule(
            "postal_code_leading_zero",
            {"postal_code": "lpad(postal_code, case country when 'NO' then 4 else 5 end, '0')"},
            when=r"country in ('DE', 'FR', 'ES', 'US') and regexp_full_match(postal_code, '[1-9]\d{3}') "
            r"or country in ('IT', 'FI') and regexp_full_match(postal_code, '[1-9]\d{2,3}') "
            r"or country = 'NO' and regexp_full_match(postal_code, '[1-9]\d{2}')",
            confidence=0.9,
        ),
    ),
    "postal_code_of_country": (
        Rule(
            "postal_code_invalid",
            {"postal_code": "cast(null as text)"},
            when=f"postal_code is not null and not ({postal_code_fits()})",
            confidence=0.5,
            status=Status.PROPOSED,
        ),
    ),
    "post_box": (
        Rule(
            "post_box_spelling",
            {
                "street": f"{_POST_BOX_NAME} || ' ' || "
                f"replace(regexp_extract(street, {literal(_POST_BOX_NUMBER)}, 1), ' ', '')"
            },
            when=f"regexp_matches(street, {literal(_POST_BOX_NUMBER)})",
            confidence=0.98,
        ),
    ),
    "house_number_out_of_street": (
        Rule(
            "house_number_in_front",
            _split_street(_NUMBER_THEN_STREET, "'number', 'street', 'unit'"),
            when=f"house_number is null and {_matches('street', _HAS_UNIT_BEHIND)} "
            f"and {_matches('street', _NUMBER_THEN_STREET)}",
            confidence=0.9,
        ),
        Rule(
            "house_number_in_front",
            _split_street(_UNIT_IN_FRONT, "'unit', 'number', 'street'"),
            when=f"house_number is null and {_matches('street', _UNIT_IN_FRONT)}",
            confidence=0.9,
        ),
        # Most are Gartenweg 12 a, and what is not needs the longer pattern.
        Rule(
            "house_number_split",
            _split_street(_PLAIN_STREET, "'street', 'number'"),
            when=f"house_number is null and {_matches('street', _PLAIN_STREET)} "
            f"and not {_matches('street', _NOT_PLAIN)} and not {_matches('street', _POST_BOX)}",
            confidence=0.95,
        ),
        Rule(
            "house_number_split",
            _split_street(_STREET_THEN_NUMBER, "'street', 'number', 'unit'"),
            when=f"""house_number is null and {_matches("street", _STREET_THEN_NUMBER)}
            and not {_matches("street", _POST_BOX)} and not {_matches("street", _ENDS_WITH_DATE)}
            and not regexp_matches(
                regexp_extract(street, {literal(_STREET_THEN_NUMBER)}, 1), {literal(_ONLY_A_UNIT)}
            )""",
            confidence=0.95,
        ),
        Rule(
            "house_number_split",
            _split_street(_STREET_AND_NUMBER, "'street', 'number', 'unit'"),
            when=f"house_number is null and {_matches('street', _STREET_AND_NUMBER)}",
            confidence=0.95,
        ),
        *(
            Rule(
                "house_number_in_front",
                _split_street(pattern, "'number', 'street'"),
                when=f"house_number is null and {_matches('street', pattern)}",
                confidence=0.9,
            )
            for pattern in (_LETTER_THEN_STREET, _NUMBER_THEN_STREET)
        ),
    ),
    "street_casing": (
        Rule(
            "street_casing",
            {"street": "place_case(street)"},
            when=f"is_one_case(street) and not {_matches('street', _POST_BOX)}",
        ),
    ),
    "city_casing": (Rule("city_casing", {"city": "place_case(city)"}, when="is_one_case(city)"),),
}


def _street_spelling(entry: StreetSpelling) -> Sequence[Rule]:
    return (
        Rule(
            "street_spelling",
            {"street": _SPELLED},
            # Four digits are a code of Switzerland or Austria: with no country, it may be the one that has no ß.
            when=f"(country in ({sql_list(entry.countries)}) "
            r"or country is null and not coalesce(regexp_full_match(postal_code, '\d{4}'), false)) "
            "and regexp_matches(street, '(?i)str')",
        ),
    )


def _plain(entry: RuleConfig) -> Sequence[Rule]:
    return _PLAIN[entry.rule]


# Towns in Lower Saxony and Piedmont; without a capital they are nothing.
_TOWNS_LIKE_PLACEHOLDERS = ("Ohne", "None")


def _placeholders(entry: Placeholders) -> Sequence[Rule]:
    is_town = f" and (city not in ({sql_list(_TOWNS_LIKE_PLACEHOLDERS)}))"
    return tuple(
        replace(rule, when=f"({rule.when}){is_town}") if "city" in rule.changes else rule
        for rule in placeholder_block(ADDRESS_FIELDS)(entry)
    )


BLOCKS: Blocks = {
    "placeholders": _placeholders,
    "stray_characters": stray_characters_block(ADDRESS_FIELDS),
    **dict.fromkeys(_PLAIN, _plain),
    "street_spelling": _street_spelling,
    **places.BLOCKS,
}
