"""Phone numbers as most are written, judged by SQL: the library's own numbering plan of a country, in the engine.

The library takes 40 µs a number, this a fiftieth of that. Add a way of writing here that leaves nothing to judge; what
is not clearly a number of the plan stays the library's. That both say the same is tested for every plan.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.warehouse import literal

if TYPE_CHECKING:
    from phonenumbers import PhoneNumberDesc

# Kinds that the library tries before fixed lines and mobiles: a number of one of them is no mobile's.
_SPECIAL = ("premium_rate", "toll_free", "shared_cost", "voip", "personal_number", "pager", "uan", "voicemail")
_ABROAD = "00"  # dialed before the calling code; countries where it is another one are left to the library


@dataclass(frozen=True)
class Plan:
    """The numbers of one country; the patterns are SQL over `national`, the number without code and prefix.

    Attributes:
        country: ISO code.
        calling_code: 49.
        prefix: what is dialed before a number inside of the country, `0` or nothing.
        is_number: whether there may be such a number at all.
        is_other: whether it is a number that is certainly or possibly no mobile's.
        is_mobile: whether it is a mobile's unless it is another one.
    """

    country: str
    calling_code: str
    prefix: str
    is_number: str
    is_other: str
    is_mobile: str


def find_plans(countries: Iterable[str]) -> list[Plan]:
    """The plans of those countries that have a calling code for themselves and dial as most of the world does."""
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE
    from phonenumbers.phonemetadata import PhoneMetadata

    plans = []
    for country in sorted(set(countries)):
        metadata = PhoneMetadata.metadata_for_region(country, None)
        if (
            metadata is None
            or metadata.country_code is None
            or COUNTRY_CODE_TO_REGION_CODE[metadata.country_code] != (country,)
            or metadata.international_prefix != _ABROAD
            or metadata.national_prefix not in {None, "0"}
            or metadata.national_prefix_for_parsing != metadata.national_prefix
            or metadata.national_prefix_transform_rule
            or metadata.same_mobile_and_fixed_line_pattern
        ):
            continue
        others = [getattr(metadata, kind) for kind in (*_SPECIAL, "fixed_line")]
        plans.append(
            Plan(
                country,
                str(metadata.country_code),
                metadata.national_prefix or "",
                _matches(metadata.general_desc),
                " or ".join(_matches(kind) for kind in others),
                _matches(metadata.mobile),
            )
        )
    return plans


def _matches(kind: PhoneNumberDesc | None) -> str:
    """SQL over `national`: whether it is a number of this kind."""
    if kind is None or not kind.national_number_pattern:
        return "false"
    is_match = f"regexp_full_match(national, {literal(kind.national_number_pattern)})"
    lengths = ", ".join(map(str, kind.possible_length))
    return f"(length(national) in ({lengths}) and {is_match})" if lengths else is_match


def international_form(plans: Iterable[Plan]) -> str:
    """SQL over `dialed` and `country`: the number with + and calling code, NULL where that takes more to tell."""
    inside = [
        f"when country = {literal(plan.country)} and starts_with(dialed, {literal(plan.prefix)}) "
        f"and not starts_with(dialed, {literal(plan.calling_code)}) "
        f"then '+{plan.calling_code}' || dialed[{len(plan.prefix) + 1}:]"
        for plan in plans
    ]
    abroad = ", ".join(literal(plan.country) for plan in plans) or "null"
    return f"""case
        when starts_with(dialed, '+') then dialed
        when starts_with(dialed, '{_ABROAD}') then case when country in ({abroad}) then '+' || dialed[3:] end
        {" ".join(inside)}
    end"""


def national_number(plans: Iterable[Plan]) -> str:
    """SQL over `international`: the number without + and calling code, NULL where the plan is none of these."""
    cases = [_of_plan(plan, f"international[{len(plan.calling_code) + 2}:]") for plan in plans]
    return f"case {' '.join(cases)} end" if cases else "null::text"


def is_mobile_number(plans: Iterable[Plan]) -> str:
    """SQL over `international` and `national`: true or false for what is a number, NULL where it may be none."""
    judged = "case when starts_with(national, '0') or not {} then null when {} then false when {} then true end"
    cases = [_of_plan(plan, judged.format(plan.is_number, plan.is_other, plan.is_mobile)) for plan in plans]
    return f"case {' '.join(cases)} end" if cases else "null::boolean"


def _of_plan(plan: Plan, result: str) -> str:
    return f"when starts_with(international, '+{plan.calling_code}') then {result}"
