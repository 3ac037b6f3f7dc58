"""Contact points: every use of an e-mail address or phone number in the sources, and `clean.contact_points`.

Add here what a source's record can be reached by. Whether somebody may be reached is decided from permissions, later.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipelines import keys
from pipelines.clean.addresses import ADDRESS_FIELDS, postal_code_fits
from pipelines.clean.drafts import mark_rejections
from pipelines.clean.persons import person_references, single_spaced, staging_table
from pipelines.clean.rules import rejected_entry
from pipelines.entities import ENTITIES, Entity
from pipelines.tables import write_table
from pipelines.warehouse import literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_KINDS = {"email": "email", "phone": "phone", "mobile": "phone"}
_KINDS_OF_TEXTS = ("email", "phone")
# What has values of its own, and whether one of them is a mobile's.
_VALUED = {"email": "false", "phone": "is_mobile", "address": "false"}
_METHODS = ENTITIES["crm", "contact_methods"]

# Which contact point of a kind is a record's primary one: its own fields, then what the CRM keeps beside them, and
# last what it was reached by once.
_OWN_RANKS = {"email": 1, "phone": 1, "address": 1, "mobile": 2}
_PRIMARY_METHOD_RANK, _METHOD_RANK, _FORMER_RANK = 3, 4, 9
# Nobody but the fields of a person's own record says how it is reached.
_IS_ONLY = "record_key not in (select owner_key from owners_of_several)"


def collect_contact_uses(connection: DuckDBPyConnection, company_country: str) -> None:
    """Make the temporary table `contact_uses`: one row per record and field that holds an e-mail address or number.

    `owner_key` is the person record or fact whose contact point it is: for a contact method, its contact. Fields that a
    person record has no more have an owner, but no `record_key`. `value_id` is the id in `email_drafts` or
    `phone_drafts`, which are made as well, with the texts of bulk entities. `is_only` says that the owner has no other
    contact point of the kind. How a number is to be read is said by the record's own country, else that of the person
    it refers to, else the company's. An e-mail address needs none.
    """
    _list_countries(connection, company_country)
    _list_owners_of_several(connection)
    for kind in _KINDS_OF_TEXTS:
        _locate_uses(connection, kind, company_country)
        connection.execute(
            f"""
            create or replace temp table {kind}_drafts as
            with texts as (select distinct raw_value, country, rejected from located_{kind}_uses)
            -- Each text is there as nobody rejected anything, too: messages and visits are looked up by their text.
            select row_number() over () as id, raw_value, country, rejected, raw_value as value
            from (from texts union select raw_value, country, null from texts where rejected is not null)
            """
        )
    # Kind by kind, so that ids are all that is compared wherever a use meets its text.
    used = [
        f"""
        select uses.* exclude (raw_value, country, rejected), drafts.id as value_id
        from located_{kind}_uses as uses
        inner join {kind}_drafts as drafts
            on drafts.raw_value = uses.raw_value
            and drafts.country is not distinct from uses.country
            and drafts.rejected is not distinct from uses.rejected
        where uses.owner_key is not null
        """
        for kind in _KINDS_OF_TEXTS
    ]
    connection.execute(f"create or replace temp table contact_uses as {' union all '.join(used)}")
    for view in (f"located_{kind}_uses" for kind in _KINDS_OF_TEXTS):
        connection.execute(f"drop view {view}")
    connection.execute("drop table written_countries; drop table person_countries")


def _locate_uses(connection: DuckDBPyConnection, kind: str, company_country: str) -> None:
    """Make `located_<kind>_uses`: every use of one kind, with the country it is to be read by and what was rejected.

    A view, of which each reader computes what it asks for: a table of all uses, with their texts, is written twice.
    """
    fields = [field for field, kind_of_field in _KINDS.items() if kind_of_field == kind]
    uses = [_uses_of_persons(field) for field in fields]
    uses += [
        _uses_of(entity, field)
        for entity in ENTITIES.values()
        for field in fields
        if entity.column(field) and not entity.is_person
    ]
    uses += [_uses_of_methods(kind, fields), *(_former_uses(field) for field in fields)]
    country, countries = "null::text", ""
    if kind == "phone":  # an e-mail address is read in the same way everywhere
        country = f"coalesce(own.country, written.country, referred.country, {literal(company_country)})"
        countries = """
            left join written_countries as written on written.written = uses.country
            left join person_countries as own on own.record_key = uses.record_key
            left join person_countries as referred on referred.record_key = uses.person_key
        """
    connection.execute(
        f"""
        create or replace temp view located_{kind}_uses as
        with uses as ({" union all ".join(uses)}),
        refused as (
            select record_key, field, list_sort(list({rejected_entry("'value'", "value")})) as rejected
            from rejections group by record_key, field
        )
        select uses.* exclude (country, person_key), {country} as country, refused.rejected
        from uses
        left join refused on refused.record_key = uses.record_key and refused.field = uses.field
        {countries}
        """
    )


def _list_countries(connection: DuckDBPyConnection, company_country: str) -> None:
    """Make `written_countries`, what is written as country beside a number, and `person_countries`, foreign ones."""
    written = [
        f"select billing_country as written from {staging_table(entity)}"
        for entity in ENTITIES.values()
        if entity.column("billing_country")
    ]
    written += [f"select country from {staging_table(_METHODS)}", "select country from raw.person_history"]
    connection.execute(
        f"""
        create or replace temp table written_countries as
        select written, country_code(written) as country
        from (select distinct written from ({" union all ".join(written)}) where written is not null)
        """
    )
    connection.execute(
        f"""
        create or replace temp table person_countries as
        select drafts.record_key, addresses.country
        from person_drafts as drafts
        inner join address_drafts as addresses on addresses.id = drafts.address_id
        -- A number is read as one of the company's country unless something says otherwise.
        where addresses.country <> {literal(company_country)}
            and addresses.country in (select iso2 from country_names)
        """
    )


def _list_owners_of_several(connection: DuckDBPyConnection) -> None:
    """Make `owners_of_several`: whoever may have more contact points of a kind than the fields of the own record."""
    connection.execute(
        f"""
        create or replace temp table owners_of_several as
        select contact_record_key as owner_key from {staging_table(_METHODS)} where contact_record_key is not null
        union
        select record_key from raw.person_history where record_key is not null
        """
    )


def _uses_of_persons(field: str) -> str:
    """The field of the records of person entities. Of a guest order it is the order's."""
    others = [other for other, kind in _KINDS.items() if kind == _KINDS[field] and other != field]
    is_only = " and ".join([_IS_ONLY, *(f"{other} is null" for other in others)])
    return f"""
        select
            record_key, record_key as owner_key, source_record_id, source_system, entity, {literal(field)} as field,
            {literal(_KINDS[field])} as kind, {field} as raw_value, null::text as country, null::text as person_key,
            {_OWN_RANKS[field]} as rank, null::timestamp as valid_from, null::timestamp as valid_until,
            false as is_verified, false as is_undeliverable, {is_only} as is_only
        from person_drafts
        where {field} is not null and entity <> {literal(ENTITIES["shop", "orders"].name)}
    """


def _uses_of(entity: Entity, field: str) -> str:
    """The field of the records of an entity that is no person; of a bulk entity only the distinct values."""
    person_key = next((c.key_column for e, c in person_references() if e is entity), None)
    country = "billing_country" if entity.column("billing_country") else None
    is_distinct, record_key, record_id = (
        ("distinct", "null", "null") if entity.is_bulk else ("", "record_key", "source_record_id")
    )
    if entity.is_bulk and _KINDS[field] == "email":
        person_key = None  # it matters for the country of a number only
    return f"""
        select {is_distinct}
            {record_key}::text, {record_key}::text, {record_id}::text, source_system, {literal(entity.name)},
            {literal(field)}, {literal(_KINDS[field])}, {field}, {country or "null"}::text,
            {person_key or "null"}::text, {_OWN_RANKS[field]}, null::timestamp, null::timestamp, false, false, true
        from {staging_table(entity)}
        where {field} is not null
    """


def _uses_of_methods(kind: str, fields: Sequence[str]) -> str:
    """The methods that are called like one of the fields."""
    return f"""
        select
            record_key, contact_record_key, source_record_id, source_system, {literal(_METHODS.name)}, 'value',
            {literal(kind)}, value, country, contact_record_key, {_method_facts()}, false
        from {staging_table(_METHODS)}
        where value is not null and lower(kind) in ({", ".join(map(literal, fields))})
    """


def _former_uses(field: str) -> str:
    return f"""
        select
            null, record_key, null, source_system, entity, {literal(field)}, {literal(_KINDS[field])},
            trim({field}), country,
            record_key, {_FORMER_RANK}, min(valid_from), max(valid_until), false, false, false
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
        write_table(
            connection,
            f"clean.{kind}s",
            f"""
            select cleaned.raw_value, cleaned.value, {", ".join(f"cleaned.{c}" for c in columns.split(", "))},
                points.contact_point_key
            from {kind}_values as cleaned
            left join point_numbers as numbers on numbers.kind = '{kind}' and numbers.id = cleaned.id
            left join contact_values as points using (point)
            where cleaned.rejected is null
            """,
        )
    _merge_points(connection)
    # Most owners have one point of a kind: nothing is to be merged, and it is the primary one.
    only_points = [
        f"""
        select owner_key as record_key, source_system, entity, numbers.point, true as is_primary, is_verified,
            is_undeliverable, valid_from, valid_until
        from contact_uses as uses
        inner join point_numbers as numbers on numbers.kind = '{kind}' and numbers.id = uses.value_id
        where uses.kind = '{kind}' and is_only
        """
        for kind in _KINDS_OF_TEXTS
    ]
    write_table(
        connection,
        "clean.contact_points",
        f"""
        with points as (
            {" union all ".join(only_points)}
            union all
            select record_key, source_system, entity, numbers.point, true, false, false, null, null
            from person_drafts
            inner join point_numbers as numbers on numbers.kind = 'address' and numbers.id = address_id
            where {_IS_ONLY}
            union all
            from merged_points
        )
        select
            record_key, source_system, entity, kind, value, contact_point_key, is_primary,
            is_valid, is_mobile, is_verified, is_undeliverable, valid_from, valid_until
        from points
        inner join contact_values using (point)
        """,
    )
    # Large where there are many customers, and not needed any more.
    connection.execute(
        "drop table merged_points; drop table point_numbers; drop table contact_values; drop table owners_of_several"
    )


def _merge_points(connection: DuckDBPyConnection) -> None:
    """Make `merged_points`: the contact points of whoever may have several of a kind, each once."""
    # A table of its own, so that the engine knows how few rows it has.
    connection.execute(
        f"""
        create or replace temp table replaced as
        select owner_key, field, max(valid_until) as replaced_at
        from (
            select owner_key, field, entity, rank, valid_until from contact_uses where not is_only
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
        create or replace temp table merged_points as
        with points as (
            select owner_key, source_system, entity, kind, field, value_id, rank, valid_from, valid_until, is_verified,
                is_undeliverable
            from contact_uses
            where not is_only
            union all
            select record_key, source_system, entity, 'address', 'address', address_id, {_OWN_RANKS["address"]}, null,
                null, false, false
            from person_drafts
            where not {_IS_ONLY}
            union all
            select owner_key, source_system, entity, 'address', 'address', address_id, rank, valid_from, valid_until,
                is_verified, is_undeliverable
            from address_uses
            where owner_key is not null
        ),
        -- One number as phone and as mobile is one point.
        merged as (
            select
                owner_key, points.kind, point, min(rank) as rank,
                min(source_system) as source_system, min(entity) as entity,
                bool_or(is_verified) as is_verified, bool_or(is_undeliverable) as is_undeliverable,
                -- What has no beginning was there from the first.
                case when count(*) = count({begin}) then min({begin}) end as valid_from,
                case when count(*) = count(valid_until) then max(valid_until) end as valid_until
            from points
            inner join point_numbers as numbers on numbers.kind = points.kind and numbers.id = points.value_id
            left join replaced using (owner_key, field)
            group by owner_key, points.kind, point
        )
        select
            merged.owner_key as record_key, source_system, entity, point,
            row_number() over (partition by merged.owner_key, merged.kind order by rank, value) = 1 as is_primary,
            is_verified, is_undeliverable, valid_from, valid_until
        from merged
        inner join contact_values using (point)
        """
    )
    connection.execute("drop table replaced")


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
    # Kind by kind, so that what the key of a kind is made with is computed once.
    values = [
        f"""
        select {literal(kind)} as kind, value, bool_or(is_valid) as is_valid, bool_or({is_mobile}) as is_mobile,
            {keys.contact_point_key(literal(kind), "value")} as contact_point_key
        from {kind}_values
        where value is not null
        group by value
        """
        for kind, is_mobile in _VALUED.items()
    ]
    connection.execute(
        f"""
        create or replace temp table contact_values as
        select row_number() over () as point, * from ({" union all ".join(values)})
        """
    )
    numbers = [
        f"""
        select points.kind, cleaned.id, points.point
        from {kind}_values as cleaned
        inner join contact_values as points on points.value = cleaned.value and points.kind = {literal(kind)}
        """
        for kind in _VALUED
    ]
    connection.execute(f"create or replace temp table point_numbers as {' union all '.join(numbers)}")
