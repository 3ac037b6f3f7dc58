"""Contact points: every use of an e-mail address or phone number in the sources, and `clean.contact_points`.

Add here what a source's record can be reached by. Whether somebody may be reached is decided from permissions, later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines import keys
from pipelines.clean.addresses import ADDRESS_FIELDS, postal_code_fits
from pipelines.clean.drafts import mark_rejections
from pipelines.clean.persons import person_references, single_spaced, staging_table
from pipelines.clean.rules import rejected_entry
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
_MOST_POINTS = 1 << 48  # more than there can be


def collect_contact_uses(connection: DuckDBPyConnection, company_country: str) -> None:
    """Make the temporary table `contact_uses`: one row per record and field that holds an e-mail address or number.

    `owner_key` is the person record or fact whose contact point it is: for a contact method, its contact. Fields that a
    person record has no more have an owner, but no `record_key`; bulk entities give one row per distinct value, without
    either. `value_id` is the id in `email_drafts` or `phone_drafts`, which are made as well. How a number is to be read
    is said by the record's own country, else that of the person it refers to, else the company's. An e-mail address
    needs none.
    """
    uses = [_uses_of(entity, field) for entity in ENTITIES.values() for field in _KINDS if entity.column(field)]
    uses += [_uses_of_methods(), *(_former_uses(field) for field in _KINDS)]
    connection.execute(
        f"""
        create or replace temp table delivered_uses as
        with uses as ({" union all ".join(uses)})
        select *, null::text[] as rejected from uses
        """
    )
    connection.execute(
        f"""
        update delivered_uses set rejected = refused.entries
        from (
            select record_key, field, list_sort(list({rejected_entry("'value'", "value")})) as entries
            from rejections group by record_key, field
        ) as refused
        where delivered_uses.record_key = refused.record_key and delivered_uses.field = refused.field
        """
    )
    connection.execute(
        f"""
        create or replace temp table located_uses as
        with written_countries as (
            select written, country_code(written) as country
            from (select distinct country as written from delivered_uses where kind = 'phone')
        ),
        person_countries as (
            select drafts.record_key, addresses.country
            from person_drafts as drafts
            inner join address_drafts as addresses on addresses.id = drafts.address_id
            -- A number is read as one of the company's country unless something says otherwise.
            where addresses.country <> {literal(company_country)}
                and addresses.country in (select iso2 from country_names)
        )
        select
            uses.* exclude (country, person_key),
            case when uses.kind = 'phone'
                then coalesce(own.country, written.country, referred.country, {literal(company_country)})
            end as country
        from delivered_uses as uses
        left join written_countries as written on written.written = uses.country
        left join person_countries as own on own.record_key = uses.record_key and uses.kind = 'phone'
        left join person_countries as referred on referred.record_key = uses.person_key and uses.kind = 'phone'
        """
    )
    for kind in ("email", "phone"):
        connection.execute(
            f"""
            create or replace temp table {kind}_drafts as
            -- Each text is there as nobody rejected anything, too: messages and visits are looked up by their text.
            select row_number() over () as id, raw_value, country, rejected, raw_value as value
            from (
                select raw_value, country, rejected from located_uses where kind = '{kind}'
                union
                select raw_value, country, null from located_uses where kind = '{kind}'
            )
            """
        )
    connection.execute(
        """
        create or replace temp table contact_uses as
        select uses.* exclude (raw_value, country, rejected), drafts.id as value_id
        from located_uses as uses
        inner join (
            select 'email' as kind, * from email_drafts union all select 'phone' as kind, * from phone_drafts
        ) as drafts
            on drafts.kind = uses.kind and drafts.raw_value = uses.raw_value
            and drafts.country is not distinct from uses.country
            and drafts.rejected is not distinct from uses.rejected
        """
    )
    connection.execute("drop table delivered_uses; drop table located_uses")


def _uses_of(entity: Entity, field: str) -> str:
    person_key = next((c.key_column for e, c in person_references() if e is entity), None)
    country = "billing_country" if entity.column("billing_country") else None
    is_distinct, record_key, record_id = (
        ("distinct", "null", "null") if entity.is_bulk else ("", "record_key", "source_record_id")
    )
    if entity.is_bulk and _KINDS[field] == "email":
        person_key = None  # it matters for the country of a number only
    return f"""
        select {is_distinct}
            {record_key}::text as record_key, {record_key}::text as owner_key, {record_id}::text as source_record_id,
            source_system,
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
            record_key, contact_record_key, source_record_id, source_system, {literal(_METHODS.name)}, 'value',
            case lower(kind) when 'email' then 'email' else 'phone' end, value, country, contact_record_key,
            {_method_facts()}
        from {staging_table(_METHODS)}
        where value is not null and lower(kind) in ('email', 'phone', 'mobile')
    """


def _former_uses(field: str) -> str:
    return f"""
        select
            null, record_key, null, source_system, entity, {literal(field)}, {literal(_KINDS[field])},
            trim({field}), country,
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


def collect_address_uses(connection: DuckDBPyConnection) -> None:
    """Make the temporary table `address_uses`: addresses that are no field of a person record, or no more.

    One row per contact method with an address, and per former address; that has an owner, but no `record_key`.
    """
    connection.execute(
        f"""
        create or replace temp table address_uses as
        with delivered as (
            select
                record_key, contact_record_key as owner_key, source_record_id, source_system,
                {literal(_METHODS.name)} as entity,
                coalesce(street, value) as street, {", ".join(ADDRESS_FIELDS[1:])}, {_method_facts()}
            from {staging_table(_METHODS)}
            where lower(kind) = 'address'
            union all
            select
                null, record_key, null, source_system, entity, {", ".join(ADDRESS_FIELDS)},
                {_FORMER_RANK}, min(valid_from), max(valid_until), false, false
            from raw.person_history
            where street is not null
            group by record_key, source_system, entity, {", ".join(ADDRESS_FIELDS)}
        ),
        spaced as (
            select * replace ({", ".join(f"nullif(trim({single_spaced(f)}), '') as {f}" for f in ADDRESS_FIELDS)})
            from delivered
        )
        select *, null::text[] as rejected from spaced
        """
    )
    mark_rejections(connection, "address_uses")


def write_contact_points(connection: DuckDBPyConnection) -> None:
    """Write `clean.contact_points`, `clean.emails` and `clean.phones` from the uses, the cleaned values, and addresses.

    A contact point has an end when its record has it no more. Where its field held something else before, it has a
    beginning, too.
    """
    _number_points(connection)
    for kind, columns in (
        ("email", "match_value, is_valid, is_role_mailbox, is_disposable, is_free_provider"),
        ("phone", "country, is_mobile, is_valid"),
    ):
        connection.execute(
            f"""
            create or replace table clean.{kind}s as
            select cleaned.raw_value, cleaned.value, {", ".join(f"cleaned.{c}" for c in columns.split(", "))},
                points.contact_point_key
            from {kind}_values as cleaned
            left join contact_values as points on points.kind = '{kind}' and points.value = cleaned.value
            where cleaned.rejected is null
            """
        )
    # A table of its own, so that the engine knows how few rows it has.
    connection.execute(
        f"""
        create or replace temp table replaced as
        select owner_key, field, max(valid_until) as replaced_at
        from (
            select owner_key, field, entity, rank, valid_until from contact_uses
            union all
            select owner_key, 'address', entity, rank, valid_until from address_uses
        )
        where rank = {_FORMER_RANK} and entity <> {literal(_METHODS.name)}
        group by owner_key, field
        """
    )
    begin = f"coalesce(valid_from, case when rank < {_PRIMARY_METHOD_RANK} then replaced_at end)"
    connection.execute(
        f"""
        create or replace temp table distinct_points as
        with points as (
            select uses.* exclude (record_key, source_record_id, value_id), numbers.point
            from contact_uses as uses
            inner join point_numbers as numbers on numbers.kind = uses.kind and numbers.id = uses.value_id
            where uses.owner_key is not null
            union all by name
            select uses.* exclude (address_id), 'address' as kind, 'address' as field, numbers.point
            from (
                select record_key as owner_key, source_system, entity, address_id,
                    {_OWN_RANKS["address"]} as rank, null::timestamp as valid_from, null::timestamp as valid_until,
                    false as is_verified, false as is_undeliverable
                from person_drafts
                union all by name
                select * exclude (id, record_key, source_record_id, rejected) from address_uses
            ) as uses
            inner join point_numbers as numbers on numbers.kind = 'address' and numbers.id = uses.address_id
        )
        -- One number as phone and as mobile is one point.
        select
            owner_key as record_key, kind, point,
            -- The points of a kind are numbered in the order of their values.
            min(rank) * {_MOST_POINTS} + point as place,
            min(source_system) as source_system, min(entity) as entity,
            bool_or(is_verified) as is_verified, bool_or(is_undeliverable) as is_undeliverable,
            -- What has no beginning was there from the first.
            case when count(*) = count({begin}) then min({begin}) end as valid_from,
            case when count(*) = count(valid_until) then max(valid_until) end as valid_until
        from points
        left join replaced using (owner_key, field)
        group by owner_key, kind, point
        """
    )
    connection.execute(
        """
        create or replace table clean.contact_points as
        with primaries as (
            select record_key, kind, min(place) as place from distinct_points group by record_key, kind
        )
        select
            points.record_key, source_system, entity, points.kind, value, contact_point_key,
            points.place = primaries.place as is_primary,
            is_valid, is_mobile, is_verified, is_undeliverable, valid_from, valid_until
        from distinct_points as points
        inner join contact_values using (point)
        inner join primaries on primaries.record_key = points.record_key and primaries.kind = points.kind
        """
    )
    # Large where there are many customers, and not needed any more.
    connection.execute(
        "drop table distinct_points; drop table point_numbers; drop table contact_values; drop table replaced"
    )


def _number_points(connection: DuckDBPyConnection) -> None:
    """Make `contact_values`, one row per contact point, and `point_numbers`, which point the id of a draft is."""
    address = """
        -- In lower case, so that one address is one point however it was written.
        lower(concat_ws(', ',
            concat_ws(' ', street, house_number), nullif(concat_ws(' ', postal_code, city), ''), country
        ))
    """
    connection.execute(
        f"""
        create or replace temp table address_values as
        select id, {address} as value, coalesce({postal_code_fits()}, false) as is_valid
        from (
            select * replace (case when country in (select iso2 from country_names) then country end as country)
            from address_drafts
            where street is not null and (postal_code is not null or city is not null)
        )
        """
    )
    connection.execute(
        f"""
        create or replace temp table contact_values as
        with cleaned as (
            select 'email' as kind, value, is_valid, false as is_mobile from email_values
            union all
            select 'phone', value, is_valid, is_mobile from phone_values
            union all
            select 'address', value, is_valid, false from address_values
        )
        select
            row_number() over (order by kind, value) as point, kind, value,
            bool_or(is_valid) as is_valid, bool_or(is_mobile) as is_mobile,
            {keys.contact_point_key("kind", "value")} as contact_point_key
        from cleaned
        where value is not null
        group by kind, value
        """
    )
    connection.execute(
        """
        create or replace temp table point_numbers as
        select numbered.kind, numbered.id, contact_values.point
        from (
            select 'email' as kind, id, value from email_values
            union all
            select 'phone', id, value from phone_values
            union all
            select 'address', id, value from address_values
        ) as numbered
        inner join contact_values on contact_values.kind = numbered.kind and contact_values.value = numbered.value
        """
    )
