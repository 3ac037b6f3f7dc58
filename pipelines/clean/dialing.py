"""Phone numbers as most are written, judged by SQL: the library's own numbering plan of a country, in the engine.

The library takes 40 µs a number, this a fiftieth of that. Add a way of writing here that leaves nothing to judge; what
is not clearly a number of the plan stays the library's. That both say the same is tested for every plan.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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


def judge_numbers(relation: str, plans: Sequence[Plan]) -> str:
    """SQL for the rows of a relation that has `dialed` and `country`, with what they are as numbers.

    `international` is the number with + and calling code, and `is_mobile` whether it is certainly a mobile's; where
    `is_mobile` is NULL the text may be no number at all, and it takes more than a plan to tell.
    """
    return f"""
        with called as (select *, {_international_form(plans)} as called from {relation}),
        national as (select *, cast({_by_plan(plans, "called", _NATIONAL)} as text) as national from called)
        select
            * exclude (called, national),
            cast({_by_plan(plans, "called", "'+{code}' || national")} as text) as international,
            cast({_by_plan(plans, "called", _JUDGED)} as boolean) as is_mobile
        from national
    """


# The prefix is dialed inside of the country only, but is written behind the calling code as well: +49 (0)171 ...
_NATIONAL = "case when starts_with(called[{start}:], '{prefix}') then called[{after}:] else called[{start}:] end"
_JUDGED = (
    "case when starts_with(national, '0') or not {is_number} then null "
    "when {is_other} then false when {is_mobile} then true end"
)


def _international_form(plans: Iterable[Plan]) -> str:
    """SQL over `dialed` and `country`: what is dialed with + and the calling code, NULL where neither is clear."""
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


def _by_plan(plans: Sequence[Plan], number: str, template: str) -> str:
    """SQL that is the filled template of the plan whose calling code the number begins with, else NULL."""
    cases = []
    for plan in plans:
        start = len(plan.calling_code) + 2
        filled = template.format(
            code=plan.calling_code,
            prefix=plan.prefix,
            start=start,
            after=start + len(plan.prefix),
            is_number=plan.is_number,
            is_other=plan.is_other,
            is_mobile=plan.is_mobile,
        )
        cases.append(f"when starts_with({number}, '+{plan.calling_code}') then {filled}")
    return f"case {' '.join(cases)} end" if cases else "null"
