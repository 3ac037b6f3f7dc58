"""Postal codes and cities against each other: what most records of the company agree on is taken for right.

Add a rule here that needs to know which city a postal code belongs to. There is no list of places: a company knows
those where its customers live, and with a code that few have nothing is corrected.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from pipelines.clean.rules import Rule, Status

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.configuration.cleaning import LearnedPlace

# Slips in a city that are forgiven by its length: one letter of a short name makes another place.
_SLIPS = (
    "case when length(plain_city(places.city)) >= 10 then 2 when length(plain_city(places.city)) >= 5 then 1 else 0 end"
)
_OF_CODE = "(select places.city from places where places.id = address_drafts.id)"


def _city_rule(name: str, when: str, confidence: float | str, entry: LearnedPlace) -> tuple[Rule]:
    """A rule that writes the city of the postal code."""
    return (Rule(name, {"city": _OF_CODE}, when, confidence, prepare=partial(_learn_places, entry=entry)),)


def city_spelling(entry: LearnedPlace) -> Sequence[Rule]:
    """Koeln and Koln where the others write Köln: the same letters, and the same postal code."""
    return _city_rule("city_spelling", "id in (select id from places where is_same)", 0.98, entry)


def city_typo(entry: LearnedPlace) -> Sequence[Rule]:
    """A slip in the city of a postal code, unless that is a city of its own."""
    return _city_rule("city_typo", "id in (select id from places where is_slip)", 0.95, entry)


def city_from_postal_code(entry: LearnedPlace) -> Sequence[Rule]:
    """No city, and all others with the postal code agree on one."""
    share = "(select places.share from places where places.id = address_drafts.id)"
    return _city_rule("city_from_postal_code", "city is null and id in (select id from places)", share, entry)


def postal_code_or_city_wrong(entry: LearnedPlace) -> Sequence[Rule]:
    """The postal code is one city's and the city another one.

    Where just one code of that city is a slip away, the code is proposed, else the city of the code.
    """
    near = "(select near.postal_code from near_codes as near where near.id = address_drafts.id)"
    return (
        Rule(
            "postal_code_of_other_city",
            {"postal_code": near},
            when="id in (select id from near_codes)",
            confidence=0.7,
            status=Status.PROPOSED,
            prepare=partial(_find_contradictions, entry=entry),
        ),
        Rule(
            "city_of_other_postal_code",
            {"city": _OF_CODE},
            when="id in (select id from contradictions where id not in (select id from near_codes))",
            confidence=0.5,
            status=Status.PROPOSED,
        ),
    )


BLOCKS = {
    "city_spelling": city_spelling,
    "city_typo": city_typo,
    "city_from_postal_code": city_from_postal_code,
    "postal_code_or_city_wrong": postal_code_or_city_wrong,
}


def _learn_places(connection: DuckDBPyConnection, draft: str, entry: LearnedPlace) -> None:
    """Make `codes`, the city of each postal code that has one, and `places`, the addresses that do not have it so.

    Cities are counted without case, accents and digraphs; `codes.city` is how most records write it.
    """
    connection.execute(
        "create or replace temp macro plain_city(x) as "
        "replace(replace(replace(replace(folded(x), 'ae', 'a'), 'oe', 'o'), 'ue', 'u'), 'ss', 's')"
    )
    connection.execute(
        f"""
        create or replace temp table codes as
        with counted as (
            select coalesce(country, '') as country, postal_code, city, sum(weight) as records
            from {draft} where postal_code is not null and city is not null group by all
        ),
        cities as (
            select country, postal_code, plain_city(city) as plain, sum(records) as records,
                arg_max(city, (records, city)) as city
            from counted group by all
        ),
        shares as (
            select *, records / sum(records) over (partition by country, postal_code) as share from cities
        )
        select country, postal_code, plain, city, records, share from shares
        where records >= {entry.min_records} and share >= {entry.min_share}
        """
    )
    connection.execute(
        f"""
        create or replace temp table places as
        with places as (
            select drafts.id, codes.city, codes.share, drafts.city as written, plain_city(drafts.city) as plain,
                codes.plain as plain_of_code
            from {draft} as drafts
            inner join codes
                on codes.country = coalesce(drafts.country, '') and codes.postal_code = drafts.postal_code
            where drafts.city is distinct from codes.city
        )
        select id, city, share, written, plain = plain_of_code as is_same,
            coalesce(
                plain <> plain_of_code and damerau_levenshtein(plain, plain_of_code) <= {_SLIPS}
                and plain not in (select plain from codes),
                false
            ) as is_slip
        from places
        """
    )


def _find_contradictions(connection: DuckDBPyConnection, draft: str, entry: LearnedPlace) -> None:
    """Make `contradictions`, addresses whose city is known for other codes, and `near_codes`, one a slip away."""
    _learn_places(connection, draft, entry)
    connection.execute(
        f"""
        create or replace temp table contradictions as
        select drafts.id, coalesce(drafts.country, '') as country, drafts.postal_code, plain_city(drafts.city) as plain
        from {draft} as drafts
        inner join places on places.id = drafts.id
        where drafts.city is not null and not places.is_same and not places.is_slip
            and (coalesce(drafts.country, ''), plain_city(drafts.city)) in (select (country, plain) from codes)
        """
    )
    connection.execute(
        """
        create or replace temp table near_codes as
        select contradictions.id, min(codes.postal_code) as postal_code
        from contradictions
        inner join codes using (country, plain)
        where damerau_levenshtein(contradictions.postal_code, codes.postal_code) = 1
        group by contradictions.id
        having count(*) = 1
        """
    )
