-- The contact points of person records with the customer they lead to. Points of orders and permissions themselves
-- are not here: they prove who wrote something, not who somebody is.
with

contact_points as (
    select * from {{ source('clean', 'contact_points') }}
),

records as (
    select * from {{ ref('int_person_records_assigned') }}
),

bounced as (
    select * from {{ ref('int_contact_points_bounced') }}
),

sources as (
    select * from {{ source('config', 'sources') }}
),

build as (
    select * from {{ source('config', 'build') }}
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
        coalesce(contact_points.is_verified, false) as is_verified,
        coalesce(contact_points.is_undeliverable, false) or bounced.contact_point_key is not null as is_undeliverable,
        not records.is_deleted and not coalesce(contact_points.valid_until <= build.as_of, false) as is_live,
        records.source_system,
        sources.controller,
        coalesce(contact_points.valid_from, records.created_at) as valid_from,
        -- Of a contact point that ended and a record that was deleted, whichever was first.
        least(contact_points.valid_until, records.deleted_at) as valid_until
    from contact_points
    inner join records on contact_points.record_key = records.record_key
    cross join build
    left join bounced on contact_points.contact_point_key = bounced.contact_point_key
    left join sources on records.source_system = sources.source_system
),

final as (
    select
        assigned.*,
        is_valid and is_live and not is_undeliverable as is_usable
    from assigned
)

select * from final
