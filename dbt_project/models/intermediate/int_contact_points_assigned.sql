-- The contact points of person records with the customer they lead to. Points of orders and permissions themselves
-- are not here: they prove who wrote something, not who somebody is.
with

contact_points as (
    select * from {{ source('clean', 'contact_points') }}
),

records as (
    select * from {{ ref('int_person_records_assigned') }}
),

sources as (
    select * from {{ source('config', 'sources') }}
),

assigned as (
    select
        records.customer_id,
        records.record_key,
        contact_points.contact_point_key,
        contact_points.kind,
        contact_points.value,
        coalesce(contact_points.is_primary, false) as is_primary,
        coalesce(contact_points.is_valid, false) as is_valid,
        records.is_deleted,
        records.source_system,
        sources.controller,
        records.created_at,
        records.deleted_at
    from contact_points
    inner join records on contact_points.record_key = records.record_key
    left join sources on records.source_system = sources.source_system
),

final as (
    select * from assigned
)

select * from final
