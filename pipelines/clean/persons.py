"""Person records: who is one, their drafts that the rules work on, and the table `clean.persons`.

Add here what makes a record a person record. What belongs to one customer is decided later, in `pipelines.resolve`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.clean.attributes import GENDERS, TEXT_FIELDS
from pipelines.clean.drafts import VALUE_DRAFTS, mark_rejections
from pipelines.clean.functions import sql_list
from pipelines.clean.languages import load_languages
from pipelines.entities import ENTITIES, PERSON_ENTITY, Column, Entity
from pipelines.tables import write_into_part, write_table
from pipelines.warehouse import RESTRICTED, literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.configuration import Configuration, SourceConfig

_FLAGS = ("is_test", "is_deceased", "is_employee")

# Every column of `clean.persons` with its type, in its order.
PERSON_COLUMNS = {
    "record_key": "text",
    "source_system": "text",
    "role": "text",
    "entity": "text",
    "source_record_id": "text",
    "kind": "text",
    "salutation": "text",
    "title": "text",
    "first_name": "text",
    "last_name": "text",
    "email": "text",
    "email_match": "text",
    "is_email_valid": "boolean",
    "phone": "text",
    "mobile": "text",
    "street": "text",
    "house_number": "text",
    "postal_code": "text",
    "city": "text",
    "region": "text",
    "country": "text",
    "birth_date": "date",
    "gender": "text",
    "language": "text",
    "company_record_key": "text",
    "company_name": "text",
    "job_title": "text",
    "lifecycle_stage": "text",
    "lead_source": "text",
    "is_test": "boolean",
    "is_deceased": "boolean",
    "is_employee": "boolean",
    "is_guest": "boolean",
    "is_inferred": "boolean",
    "is_deleted": "boolean",
    "merged_into_record_key": "text",
    "identifiers": "json",
    "custom": "json",
    "created_at": "timestamp",
    "updated_at": "timestamp",
    "deleted_at": "timestamp",
}
# What is published of a person record: what people read of it who ask who is who, and all that the answer follows from.
COMPARED_COLUMNS = (
    *("record_key", "kind", "first_name", "last_name", "email", "email_match", "phone", "mobile"),
    *("street", "house_number", "postal_code", "city", "birth_date", "merged_into_record_key", "identifiers"),
)
_DERIVED = ("kind", "email_match", "is_email_valid", "house_number")

_DRAFT_COLUMNS = ", ".join(
    f"{name} {type_}"
    for name, type_ in {**PERSON_COLUMNS, "full_name": "text", "rejected": "text[]"}.items()
    if name not in _DERIVED
)


def staging_table(entity: Entity) -> str:
    return f"staging.stg_{entity.role}__{entity.name}"


def single_spaced(field: str) -> str:
    """SQL for the text of a field with one blank wherever it has white space."""
    return rf"case when regexp_matches({field}, '\s\s|[\t\r\n]') then regexp_replace({field}, '\s+', ' ', 'g') " + (
        f"else {field} end"
    )


def draft_persons(connection: DuckDBPyConnection, configuration: Configuration) -> None:
    """Make the temporary table `person_drafts`: one row per person record, with the values as they were delivered.

    Columns are those of `clean.persons` without the derived ones, `full_name` and `rejected`.
    """
    connection.execute(f"create or replace temp table person_drafts ({_DRAFT_COLUMNS})")
    for entity in ENTITIES.values():
        if entity.is_person:
            _draft_entity(connection, entity)
    _draft_guests(connection)
    _draft_placeholders(connection, configuration)
    mark_rejections(connection, "person_drafts")


def _draft_entity(connection: DuckDBPyConnection, entity: Entity) -> None:
    computed = {
        "role": literal(entity.role),
        "entity": literal(entity.name),
        "is_guest": "coalesce(is_guest, false)" if entity.column("is_guest") else "false",
        "is_inferred": "false",
        **{flag: f"coalesce({flag}, false)" for flag in _FLAGS},
        **{field: single_spaced(field) for field in TEXT_FIELDS},
    }
    columns = [name for name in (*PERSON_COLUMNS, "full_name") if name not in _DERIVED]
    chosen = ", ".join(f"{computed[name]} as {name}" if name in computed else name for name in columns)
    connection.execute(f"insert into person_drafts by name select {chosen} from {staging_table(entity)}")


_BILLING = ("first_name", "last_name", "street", "postal_code", "city", "country")
# What an order says of who placed it, by the field of a person record.
_BUYER = {
    "email": "email",
    "phone": "phone",
    **{field: single_spaced("billing_" + field) for field in _BILLING},
    "company_name": single_spaced("company_name"),
}


def _draft_guests(connection: DuckDBPyConnection) -> None:
    """Orders that name no customer but somebody who can be reached."""
    copied = (
        "record_key",
        "source_system",
        "source_record_id",
        "is_deleted",
        "identifiers",
        "custom",
    )
    orders = ENTITIES["shop", "orders"]
    chosen = [
        *copied,
        *("merged_into_record_key", "updated_at", "deleted_at"),
        *(f"{value} as {field}" for field, value in _BUYER.items()),
        f"{literal(orders.role)} as role",
        f"{literal(orders.name)} as entity",
        "ordered_at as created_at",
        "true as is_guest",
        "false as is_inferred",
        *(f"false as {flag}" for flag in _FLAGS),
    ]
    connection.execute(
        f"""
        insert into person_drafts by name
        select {", ".join(chosen)}
        from {staging_table(orders)}
        where customer_record_id is null and (email is not null or phone is not null)
        """
    )


def person_references() -> list[tuple[Entity, Column]]:
    """Every column that refers to a person record."""
    return [(e, c) for e in ENTITIES.values() for c in e.columns if c.references == "person"]


def _draft_placeholders(connection: DuckDBPyConnection, configuration: Configuration) -> None:
    """A row for every person record that is referred to but was not delivered.

    The reference says only key and id; source and entity follow from what the configuration lets the column refer to.
    Who bought with an account that was not delivered is called and reached as the last order with it says.
    """
    rows = []
    for source in configuration.sources:
        for entity, column in person_references():
            if entity.name not in source.landed_entities:
                continue
            target = configuration.source(_referred_source(source, entity, column))
            rows.append((source.name, entity.name, target.name, target.role, PERSON_ENTITY[target.role]))
    if not rows:
        return
    connection.execute(
        "create or replace temp table reference_targets "
        "(referring_source text, referring_entity text, source_system text, role text, entity text)"
    )
    connection.executemany("insert into reference_targets values (?, ?, ?, ?, ?)", rows)
    references = " union all ".join(
        f"""
        select
            source_system as referring_source, {literal(entity.name)} as referring_entity,
            {column.key_column} as record_key, {column.name} as source_record_id
        from {staging_table(entity)}
        where {column.key_column} is not null and {column.name} is not null
        """
        for entity, column in person_references()
    )
    connection.execute(
        f"""
        insert into person_drafts by name
        with person_references as ({references})
        select
            record_key,
            min(targets.source_system) as source_system,
            min(targets.role) as role,
            min(targets.entity) as entity,
            min(source_record_id) as source_record_id,
            true as is_inferred,
            {", ".join(f"false as {flag}" for flag in (*_FLAGS, "is_guest", "is_deleted"))}
        from person_references
        join reference_targets as targets using (referring_source, referring_entity)
        anti join person_drafts using (record_key)
        group by record_key
        """
    )
    _describe_placeholders(connection)


def _describe_placeholders(connection: DuckDBPyConnection) -> None:
    """Fill the fields of the placeholders with which somebody ordered, all from the same order."""
    said = ", ".join(f"{field} := {value}" for field, value in _BUYER.items())
    connection.execute(
        f"""
        update person_drafts set {", ".join(f"{field} = buyer.{field}" for field in _BUYER)}
        from (
            select customer_record_key,
                arg_max(struct_pack({said}), (coalesce(ordered_at, timestamp '0001-01-01'), record_key)) as buyer
            from {staging_table(ENTITIES["shop", "orders"])} as orders
            semi join (select record_key as customer_record_key from person_drafts where is_inferred)
                using (customer_record_key)
            where not is_deleted and (email is not null or phone is not null)
            group by customer_record_key
        ) as last_orders
        where person_drafts.record_key = last_orders.customer_record_key
        """
    )


def _referred_source(source: SourceConfig, entity: Entity, column: Column) -> str:
    """Name of the source that a reference of this source means: its own unless `references` says otherwise."""
    if mapped := source.entities.get(entity.name):
        return mapped.references.get(column.name, source.name)
    lines = source.entities.get("order_lines")  # a flat export carries its orders as `order_<column>`
    return (
        lines.references.get(f"order_{column.name}", source.name) if lines and entity.name == "orders" else source.name
    )


def write_order_references(connection: DuckDBPyConnection) -> None:
    """Write `clean.order_references`: who names an order as theirs, and whose it is. One row per two person records.

    A ticket names who asks about which order, an invoice who owes for it, a rating who judges it. Visits are left out:
    there are many, and a browser is shared.
    """
    orders = ENTITIES["shop", "orders"]
    named = " union ".join(
        f"select {person.key_column} as record_key, {order.key_column} as order_key from {staging_table(entity)}"
        for entity, person in person_references()
        for order in entity.columns
        if order.references == orders.name and not entity.is_bulk
    )
    write_table(
        connection,
        "clean.order_references",
        f"""
        select distinct named.record_key, coalesce(orders.customer_record_key, orders.record_key) as buyer_record_key
        from ({named}) as named
        inner join {staging_table(orders)} as orders on orders.record_key = named.order_key
        where named.record_key <> coalesce(orders.customer_record_key, orders.record_key)
        order by all
        """,
    )


def write_persons(connection: DuckDBPyConnection) -> None:
    """Write `clean.persons` from the cleaned drafts, and what is published of it."""
    computed = {
        "kind": """case
            when coalesce(emails.is_role_mailbox, false) and names.first_name is null and names.last_name is null
                then 'role_mailbox'
            when drafts.company_record_key is not null or names.company_name is not null then 'company_contact'
            else 'person'
        end""",
        "email": "emails.value",
        "email_match": "emails.match_value",
        "is_email_valid": "emails.is_valid",
        "phone": "phones.value",
        "mobile": "mobiles.value",
        **{field: f"names.{field}" for field in VALUE_DRAFTS["name_drafts"]},
        **{field: f"addresses.{field}" for field in (*VALUE_DRAFTS["address_drafts"], "house_number")},
        **{field: f"attributes.{field}" for field in VALUE_DRAFTS["attribute_drafts"]},
        # A proposal leaves the delivered text in the draft; these fields publish members of their set only.
        "country": "case when addresses.country in (select iso2 from country_names) then addresses.country end",
        "gender": f"case when attributes.gender in ({sql_list(g for g in GENDERS if g)}) then attributes.gender end",
        "language": f"case when attributes.language in ({sql_list(load_languages())}) then attributes.language end",
    }
    chosen = ",\n".join(f"{computed.get(name, 'drafts.' + name)} as {name}" for name in PERSON_COLUMNS)
    used = "\n".join(
        f"""
        left join contact_uses as {field}_uses
            on {field}_uses.record_key = drafts.record_key and {field}_uses.field = '{field}'
        left join {values} as {alias} on {alias}.id = {field}_uses.value_id
        """
        for field, values, alias in (
            ("email", "email_values", "emails"),
            ("phone", "phone_values", "phones"),
            ("mobile", "phone_values", "mobiles"),
        )
    )
    write_table(
        connection,
        "clean.persons",
        f"""
        select {chosen}
        from person_drafts as drafts
        inner join name_drafts as names on names.id = drafts.name_id
        inner join address_drafts as addresses on addresses.id = drafts.address_id
        inner join attribute_drafts as attributes on attributes.id = drafts.attribute_id
        {used}
        """,
    )
    published = f"select {', '.join(COMPARED_COLUMNS)} from clean.persons"
    write_into_part(connection, published, part=RESTRICTED, published="compared_persons")


def write_custom_fields(connection: DuckDBPyConnection) -> None:
    """Write `clean.custom_fields` from the drafts: one row per person record and custom field that is filled.

    A guest order is left out; its fields describe the order.
    """
    write_table(
        connection,
        "clean.custom_fields",
        f"""
        with named as (
            select record_key, custom, unnest(json_keys(custom)) as name
            from person_drafts
            where custom is not null and entity <> {literal(ENTITIES["shop", "orders"].name)}
        ),
        valued as (
            select record_key, name, trim(json_extract_string(custom, '$.' || name)) as value from named
        )
        select * from valued where value <> '' order by record_key, name
        """,
    )
