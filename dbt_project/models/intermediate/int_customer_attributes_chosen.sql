-- What is known about customers beside the golden record: bought or estimated attributes, and the company's own fields
-- of person records. The latest observation of each wins.
with

attributes as (
    select * from {{ ref('stg_enrichment__attributes') }}
    where not is_deleted
),

custom_fields as (
    select * from {{ source('clean', 'custom_fields') }}
),

records as (
    select * from {{ ref('int_person_records_assigned') }}
    where not is_deleted
),

members as (
    select * from {{ source('identity', 'members') }}
),

emails as (
    select * from {{ source('clean', 'emails') }}
),

contact_points as (
    select * from {{ ref('int_contact_points_resolved') }}
),

listed as (
    select
        coalesce(members.customer_id, contact_points.customer_id) as customer_id,
        lower(coalesce(attributes.group, 'other')) as attribute_group,
        lower(attributes.name) as attribute,
        attributes.value,
        true as is_inferred,
        attributes.source_system,
        attributes.provider,
        attributes.license,
        coalesce(attributes.observed_at, attributes.updated_at, attributes.created_at) as observed_at,
        attributes.record_key,
        'attributes' as entity
    from attributes
    left join members on attributes.contact_record_key = members.record_key
    left join emails on attributes.email = emails.raw_value
    left join contact_points on emails.contact_point_key = contact_points.contact_point_key
    union all
    select
        records.customer_id,
        'custom' as attribute_group,
        custom_fields.name as attribute,
        custom_fields.value,
        false as is_inferred,
        records.source_system,
        cast(null as varchar) as provider,
        cast(null as varchar) as license,
        records.observed_at,
        records.record_key,
        records.entity
    from custom_fields
    inner join records on custom_fields.record_key = records.record_key
),

ranked as (
    select
        listed.*,
        row_number() over (
            partition by customer_id, attribute_group, attribute
            order by observed_at desc nulls last, record_key asc
        ) as observation_rank
    from listed
    where customer_id is not null and attribute is not null and value is not null
),

final as (
    select
        ranked.*,
        -- Numbers as long as a phone number or a card are not shown, whoever declared them.
        coalesce(
            {{ shared_value('value') }},
            case when abs(try_cast(value as double)) < 1000000 or lower(value) in ('true', 'false') then value end
        ) as shown_value
    from ranked
    where observation_rank = 1
)

select * from final
