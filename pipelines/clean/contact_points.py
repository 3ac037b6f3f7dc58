"""Contact points: every use of an e-mail address or phone number in the sources, and `clean.contact_points`.

Add here what a source's record can be reached by. Whether somebody may be reached is decided from permissions, later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines import keys
from pipelines.clean.addresses import ADDRESS_FIELDS, RULES, postal_code_fits
from pipelines.clean.persons import person_references, staging_table
from pipelines.clean.rules import apply_rules
from pipelines.entities import ENTITIES, Entity
from pipelines.warehouse import literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_KINDS = {"email": "email", "phone": "phone", "mobile": "phone"}
_METHODS = ENTITIES["crm", "contact_methods"]

# Which contact point of a kind is a record's primary one: its own fields, then what the CRM keeps beside them, and
# last what it was reached by once.
_OWN_RANKS = {"email": 1, "phone": 1, "address": 1, "mobile": 2}
_PRIMARY_METHOD_RANK, _METHOD_RANK, _FORMER_RANK = 3, 4, 9


def collect_contact_uses(connection: DuckDBPyConnection, company_country: str) -> None:
    """Make the temporary table `contact_uses`: one row per record and field that holds an e-mail address or number.

    `owner_key` is the person record or fact whose contact point it is: for a contact method, its contact. Fields that a
    person record has no more have an owner, but no `record_key`; bulk entities give one row per distinct value, without
    either. `country` says how a number is to be read: the record's own country, else the one of the person it refers
    to, else the company's. An e-mail address needs none.
    """
    uses = [_uses_of(entity, field) for entity in ENTITIES.values() for field in _KINDS if entity.column(field)]
    uses += [_uses_of_methods(), *(_former_uses(field) for field in _KINDS)]
    connection.execute(
        f"""
        create or replace temp table contact_uses as
        with uses as materialized ({" union all ".join(uses)}),
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
    is_distinct, record_key = ("distinct", "null") if entity.is_bulk else ("", "record_key")
    if entity.is_bulk and _KINDS[field] == "email":
        person_key = None  # it matters for the country of a number only
    return f"""
        select {is_distinct}
            {record_key}::text as record_key, {record_key}::text as owner_key, source_system,
            {literal(entity.name)} as entity, {literal(field)} as field, {literal(_KINDS[field])} as kind,
            {field} as raw_value, {country or "null"}::text as country, {person_key or "null"}::text as person_key,
            {_OWN_RANKS[field]} as rank, null::timestamp as valid_from, null::timestamp as valid_until,
            false as is_verified, false as is_undeliverable
        from {staging_table(entity)}
        where {field} is not null
    """


def _uses_of_methods() -> str:
    return f"""
        select
            record_key, contact_record_key, source_system, {literal(_METHODS.name)}, 'value',
            case lower(kind) when 'email' then 'email' else 'phone' end, value, country, contact_record_key,
            {_method_facts()}
        from {staging_table(_METHODS)}
        where value is not null and lower(kind) in ('email', 'phone', 'mobile')
    """


def _former_uses(field: str) -> str:
    return f"""
        select
            null, record_key, source_system, entity, {literal(field)}, {literal(_KINDS[field])}, trim({field}), country,
            record_key, {_FORMER_RANK}, min(valid_from), max(valid_until), false, false
        from raw.person_history
        where trim({field}) <> ''
        group by record_key, source_system, entity, trim({field}), country
    """


def _method_facts() -> str:
    """Rank, validity, is_verified and is_undeliverable of a contact method; one that was deleted ended then."""
    valid_until = "coalesce(valid_until, case when is_deleted then coalesce(deleted_at, updated_at, _loaded_at) end)"
    return f"""
        case
            when {valid_until} is not null then {_FORMER_RANK}
            when is_primary then {_PRIMARY_METHOD_RANK}
            else {_METHOD_RANK}
        end as rank,
        valid_from, {valid_until} as valid_until,
        coalesce(is_verified, false) as is_verified, coalesce(is_undeliverable, false) as is_undeliverable
    """


def clean_addresses(connection: DuckDBPyConnection) -> None:
    """Make the temporary table `address_drafts`: addresses that are no field of a person record, or no more.

    One row per contact method with an address (its key is that of the method) and per former address.
    """
    fields = ", ".join(f"nullif(trim({field}), '') as {field}" for field in ADDRESS_FIELDS)
    connection.execute(
        f"""
        create or replace temp table address_drafts as
        with delivered as (
            select
                record_key as address_key, record_key, contact_record_key as owner_key, source_system,
                {literal(_METHODS.name)} as entity, coalesce(street, value) as street,
                {", ".join(ADDRESS_FIELDS[1:])}, {_method_facts()}
            from {staging_table(_METHODS)}
            where lower(kind) = 'address'
            union all
            select
                'former ' || row_number() over (), null, record_key,
                source_system, entity, {", ".join(ADDRESS_FIELDS)},
                {_FORMER_RANK}, min(valid_from), max(valid_until), false, false
            from raw.person_history
            where street is not null
            group by record_key, source_system, entity, {", ".join(ADDRESS_FIELDS)}
        )
        select * replace ({fields}), null::text as house_number from delivered
        """
    )
    apply_rules(connection, "address_drafts", "address_key", RULES)


def write_contact_points(connection: DuckDBPyConnection) -> None:
    """Write `clean.contact_points` from the uses, the cleaned values, and addresses.

    A contact point has an end when its record has it no more. Where its field held something else before, it has a
    beginning, too.
    """
    address = """
        -- In lower case, so that one address is one point however it was written.
        lower(concat_ws(', ',
            concat_ws(' ', street, house_number), nullif(concat_ws(' ', postal_code, city), ''), country
        ))
    """
    begin = f"coalesce(valid_from, case when rank < {_PRIMARY_METHOD_RANK} then replaced_at end)"
    connection.execute(
        f"""
        create or replace table clean.contact_points as
        with addresses as (
            select record_key as owner_key, source_system, entity, street, house_number, postal_code, city, country,
                {_OWN_RANKS["address"]} as rank, null::timestamp as valid_from, null::timestamp as valid_until,
                false as is_verified, false as is_undeliverable
            from clean.persons
            union all by name
            select * exclude (address_key, record_key, region) from address_drafts
        ),
        points as (
            select uses.*, emails.value, emails.contact_point_key, emails.is_valid, false as is_mobile
            from contact_uses as uses
            inner join clean.emails as emails on emails.raw_value = uses.raw_value
            where uses.kind = 'email' and uses.owner_key is not null
            union all
            select uses.*, phones.value, phones.contact_point_key, phones.is_valid, phones.is_mobile
            from contact_uses as uses
            inner join clean.phones as phones on phones.raw_value = uses.raw_value and phones.country = uses.country
            where uses.kind = 'phone' and uses.owner_key is not null
            union all by name
            select
                * exclude (street, house_number, postal_code, city, country),
                'address' as kind, 'address' as field, {address} as value,
                {keys.contact_point_key("'address'", "value")} as contact_point_key,
                coalesce({postal_code_fits()}, false) as is_valid, false as is_mobile
            from addresses
            where street is not null and (postal_code is not null or city is not null)
        ),
        replaced as (
            select owner_key, field, max(valid_until) as replaced_at
            from (
                select owner_key, field, entity, rank, valid_until from contact_uses
                union all
                select owner_key, 'address', entity, rank, valid_until from address_drafts
            )
            where rank = {_FORMER_RANK} and entity <> {literal(_METHODS.name)}
            group by owner_key, field
        ),
        distinct_points as (
            -- One number as phone and as mobile is one point.
            select
                owner_key as record_key, kind, value, min(rank) as rank,
                any_value(contact_point_key) as contact_point_key,
                min(source_system) as source_system, min(entity) as entity,
                bool_or(is_valid) as is_valid, bool_or(is_mobile) as is_mobile,
                bool_or(is_verified) as is_verified, bool_or(is_undeliverable) as is_undeliverable,
                -- What has no beginning was there from the first.
                case when count(*) = count({begin}) then min({begin}) end as valid_from,
                case when count(*) = count(valid_until) then max(valid_until) end as valid_until
            from points
            left join replaced using (owner_key, field)
            where value is not null
            group by owner_key, kind, value
        )
        select
            record_key, source_system, entity, kind, value, contact_point_key,
            row_number() over (partition by record_key, kind order by rank, value) = 1 as is_primary,
            is_valid, is_mobile, is_verified, is_undeliverable, valid_from, valid_until
        from distinct_points
        order by record_key, kind, value
        """
    )
