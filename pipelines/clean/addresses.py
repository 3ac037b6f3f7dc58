"""The rules for addresses: country to ISO 3166, postal code by country, house number, spelling of streets, casing.

Add a rule to `BLOCKS` with its name in `pipelines.configuration.cleaning`; those for postal codes rely on the country
being a code already. What a postal code says about its city is learned in `places`.
Nothing here looks an address up; whether it exists is not known.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipelines.clean import places
from pipelines.clean.blocks import Blocks, placeholder_block, stray_characters_block
from pipelines.clean.countries import load_countries
from pipelines.clean.functions import sql_list
from pipelines.clean.rules import Rule, Status
from pipelines.warehouse import literal

if TYPE_CHECKING:
    from pipelines.configuration.cleaning import RuleConfig, StreetSpelling

ADDRESS_FIELDS = ("street", "postal_code", "city", "region", "country")

# 12 a, 12-14, 12/A, and in Vienna 5/3/12 or 5 Top 12.
_NUMBER = (
    r"\d+\s?[a-zA-Z]?(?:\s?[-/+]\s?(?:\d+\s?[a-zA-Z]?|[a-zA-Z]))*"
    r"(?:,?\s?(?:[tT]op|[tT]ür|[sS]tiege)\s?\d+)?"
)
_STREET_THEN_NUMBER = rf"^(.*?[^\d\s,].*?)(?:[\s,]+[nN]r\.?)?[\s,]+({_NUMBER})$"
_ENDS_WITH_DATE = r"(?i)\d\s+\p{L}+\s+(?:18|19|20)\d\d$"  # Rue du 8 Mai 1945
_NUMBER_THEN_STREET = r"^(\d+[a-zA-Z]?)[\s,]+([^\d\s].*)$"
_POST_BOX = r"(?i)^(?:postfach|packstation|pf\b|p\.?\s?o\.?\s?box)"
_POST_BOX_NUMBER = r"(?i)^(?:postfach|postf\.|pf\.?|p\.?\s?o\.?\s?box)\s*[:.]?\s*(\d[\d ]*)$"
_POST_BOX_NAME = "case when regexp_matches(street, '(?i)box') then 'PO Box' else 'Postfach' end"
# Hauptstr.5 and Hauptstraße5: the number sticks to the street.
_STREET_AND_NUMBER = rf"(?i)^(.*?(?:str\.|straße|strasse))({_NUMBER})$"


def _split_street(pattern: str, parts: str) -> dict[str, str]:
    # One expression in both places, which the engine evaluates once.
    found = f"regexp_extract(street, {literal(pattern)}, [{parts}])"
    number = f"translate(lower({found}.number), ' ,', '')"
    for door in ("Top", "Tür", "Stiege"):
        number = f"replace({number}, '{door.lower()}', ' {door} ')"
    return {"street": f"{found}.street", "house_number": number}


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

_PLAIN: dict[str, tuple[Rule, ...]] = {
    "country_to_iso": COUNTRY_RULES,
    "postal_code_format": (
        Rule(
            "postal_code_format",
            {"postal_code": r"regexp_replace(upper(postal_code), '^(?:[A-Z]{1,2}[ -]+)?(\d{4,5})(?:\.0)?$', '\1')"},
            when=r"country is not null or regexp_matches(postal_code, '\.0$')",
        ),
    ),
    "postal_code_leading_zero": (
        # A number in a spreadsheet loses the zero that codes in the east of Germany begin with.
        Rule(
            "postal_code_leading_zero",
            {"postal_code": "'0' || postal_code"},
            when=r"country = 'DE' and regexp_full_match(postal_code, '[1-9]\d{3}')",
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
            "house_number_split",
            _split_street(_STREET_THEN_NUMBER, "'street', 'number'"),
            when=f"""house_number is null and {_matches("street", _STREET_THEN_NUMBER)}
            and not {_matches("street", _POST_BOX)} and not {_matches("street", _ENDS_WITH_DATE)}""",
            confidence=0.95,
        ),
        Rule(
            "house_number_split",
            _split_street(_STREET_AND_NUMBER, "'street', 'number'"),
            when=f"house_number is null and {_matches('street', _STREET_AND_NUMBER)}",
            confidence=0.95,
        ),
        Rule(
            "house_number_in_front",
            _split_street(_NUMBER_THEN_STREET, "'number', 'street'"),
            when=f"house_number is null and {_matches('street', _NUMBER_THEN_STREET)}",
            confidence=0.9,
        ),
    ),
    "street_casing": (Rule("street_casing", {"street": "place_case(street)"}, when="is_one_case(street)"),),
    "city_casing": (Rule("city_casing", {"city": "place_case(city)"}, when="is_one_case(city)"),),
}


def _street_spelling(entry: StreetSpelling) -> Sequence[Rule]:
    return (
        Rule(
            "street_spelling",
            {"street": _SPELLED},
            when=f"(country is null or country in ({sql_list(entry.countries)})) and regexp_matches(street, '(?i)str')",
        ),
    )


def _plain(entry: RuleConfig) -> Sequence[Rule]:
    return _PLAIN[entry.rule]


BLOCKS: Blocks = {
    "placeholders": placeholder_block(ADDRESS_FIELDS),
    "stray_characters": stray_characters_block(ADDRESS_FIELDS),
    **dict.fromkeys(_PLAIN, _plain),
    "street_spelling": _street_spelling,
    **places.BLOCKS,
}
