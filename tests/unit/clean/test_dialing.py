"""What the engine says of phone numbers, against what the library says of each of them."""

from __future__ import annotations

import random
from collections.abc import Iterable

from phonenumbers import (
    SUPPORTED_REGIONS,
    PhoneNumberType,
    example_number_for_type,
    national_significant_number,
)

from pipelines import warehouse
from pipelines.clean.dialing import Plan, find_plans, judge_numbers
from pipelines.clean.phones import parse_phones
from pipelines.settings import Settings

SLIPS_PER_EXAMPLE = 4


def write_numbers(plan: Plan, chance: random.Random) -> Iterable[str]:
    """Examples of every kind of number and slips of them, each dialed in every way, right and wrong ones."""
    for kind in PhoneNumberType.values():
        example = example_number_for_type(plan.country, kind)
        if example is None:
            continue
        number = national_significant_number(example)
        for _ in range(SLIPS_PER_EXAMPLE):
            digits = list(number)
            digits[chance.randrange(len(digits))] = chance.choice("0123456789")
            for text in (number, "".join(digits), number[:-1], number + chance.choice("0123456789")):
                for before in (f"+{plan.calling_code}", f"00{plan.calling_code}", plan.prefix, "0", plan.calling_code):
                    yield before + text
                yield f"+{plan.calling_code}0{text}"


def test_the_engine_says_of_a_number_what_the_library_says_or_nothing(settings: Settings) -> None:
    plans = find_plans(SUPPORTED_REGIONS)
    assert {"DE", "AT", "CH", "FR", "NL", "ES"} <= {plan.country for plan in plans}
    assert not {"GB", "IT", "US", "BR"} & {plan.country for plan in plans}  # shared codes, prefixes of their own
    chance = random.Random(7)
    numbers = sorted({(text, plan.country) for plan in plans for text in write_numbers(plan, chance)})
    with warehouse.connect(None, settings) as connection:
        connection.register("said_by_library", parse_phones(numbers))
        rows = connection.execute(
            f"""
            with said as (select dialed, country, value, is_valid, is_mobile as is_mobile_there from said_by_library),
            judged as ({judge_numbers("said", plans)})
            select
                count(*) filter (is_mobile is not null),
                count(*) filter (is_mobile),
                count(*) filter (is_valid),
                min(dialed || ' ' || country) filter (
                    is_mobile is not null
                    and (not is_valid or value is distinct from international or is_mobile <> is_mobile_there)
                )
            from judged
            """
        ).fetchall()
    ((told, mobile, valid, contradiction),) = rows
    assert contradiction is None
    assert told > 0.5 * valid
    assert 0 < mobile < told
