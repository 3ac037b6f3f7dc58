"""Contact points: every use of an e-mail address or phone number in the sources, and `clean.contact_points`.

Add here what a source's record can be reached by. Whether somebody may be reached is decided from permissions, later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines import keys
from pipelines.clean.addresses import postal_code_fits
from pipelines.clean.persons import person_references, staging_table
from pipelines.entities import ENTITIES, Entity
from pipelines.warehouse import literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_KINDS = {"email": "email", "phone": "phone", "mobile": "phone"}


def collect_contact_uses(connection: DuckDBPyConnection, company_country: str) -> None:
    """Make the temporary table `contact_uses`: one row per record and field that holds an e-mail address or number.

    `country` says how a number is to be read: the record's own country, else the one of the person it refers to, else
    the company's. An e-mail address needs none.
    """
    uses = " union all ".join(
        _uses_of(entity, field) for entity in ENTITIES.values() for field in _KINDS if entity.column(field)
    )
    connection.execute(
        f"""
        create or replace temp table contact_uses as
        with uses as materialized ({uses}),
        written_countries as (
            select written, country_code(written) as country
            from (select distinct country as written from uses where kind = 'phone' and country is not null)
        ),
        person_countries as (
            select record_key, country from person_drafts where country in (select iso2 from country_names)
        ),
        numbers as (
            select
                uses.* exclude (country, person_key),
                coalesce(own.country, written.country, referred.country, {literal(company_country)}) as country
            from uses
            left join written_countries as written on written.written = uses.country
            left join person_countries as own on own.record_key = uses.record_key
            left join person_countries as referred on referred.record_key = uses.person_key
            where uses.kind = 'phone'
        )
        select *, country || ' ' || raw_value as phone_key from numbers
        union all
        select * exclude (country, person_key), null, null from uses where kind = 'email'
        """
    )


def _uses_of(entity: Entity, field: str) -> str:
    person_key = next((c.key_column for e, c in person_references() if e is entity), None)
    country = "billing_country" if entity.column("billing_country") else None
    return f"""
        select
            record_key, source_system, {literal(entity.name)} as entity, {literal(field)} as field,
            {literal(_KINDS[field])} as kind, {field} as raw_value,
            {country or "cast(null as text)"} as country, {person_key or "cast(null as text)"} as person_key
        from {staging_table(entity)}
        where {field} is not null
    """


def write_contact_points(connection: DuckDBPyConnection) -> None:
    """Write `clean.contact_points` from the uses, the cleaned values and the addresses of `clean.persons`."""
    connection.execute(
        f"""
        create or replace table clean.contact_points as
        with addresses as (
            select
                record_key, source_system, entity,
                -- In lower case, so that one address is one point however it was written.
                lower(concat_ws(', ',
                    concat_ws(' ', street, house_number), nullif(concat_ws(' ', postal_code, city), ''), country
                )) as value,
                coalesce({postal_code_fits()}, false) as is_valid
            from clean.persons
            where street is not null and (postal_code is not null or city is not null)
        ),
        points as (
            select uses.record_key, uses.source_system, uses.entity, 'email' as kind, emails.value,
                emails.contact_point_key, 1 as rank, emails.is_valid
            from contact_uses as uses
            inner join clean.emails as emails on uses.kind = 'email' and emails.raw_value = uses.raw_value
            union all
            select uses.record_key, uses.source_system, uses.entity, 'phone', phones.value,
                phones.contact_point_key, case uses.field when 'phone' then 1 else 2 end, phones.is_valid
            from contact_uses as uses
            inner join clean.phones as phones
                on uses.kind = 'phone' and phones.raw_value = uses.raw_value and phones.country = uses.country
            union all
            select record_key, source_system, entity, 'address', value,
                {keys.contact_point_key("'address'", "value")}, 1, is_valid
            from addresses
        ),
        distinct_points as (
            -- One number as phone and as mobile is one point.
            select record_key, kind, value, min(rank) as rank, any_value(contact_point_key) as contact_point_key,
                any_value(source_system) as source_system, any_value(entity) as entity,
                bool_or(is_valid) as is_valid
            from points
            where value is not null
            group by record_key, kind, value
        )
        select
            record_key, source_system, entity, kind, value, contact_point_key,
            row_number() over (partition by record_key, kind order by rank, value) = 1 as is_primary,
            is_valid
        from distinct_points
        order by record_key, kind, value
        """
    )
