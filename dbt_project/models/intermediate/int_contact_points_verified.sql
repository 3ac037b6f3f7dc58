{{ config(materialized='ephemeral') }}  -- read once

-- Contact points in a customer's records that are proven to be theirs, and since when: a source says so, or somebody
-- clicked the link in a confirmation mail. Only of kinds for which the owner asks.
with

survivorship as (
    select distinct contact_kind
    from {{ source('config', 'survivorship') }}
    where contact_kind is not null
),

contact_points as (
    select contact_points.*
    from {{ ref('int_contact_points_assigned') }} as contact_points
    inner join survivorship on contact_points.kind = survivorship.contact_kind
),

permissions as (
    select * from {{ ref('int_permissions_interpreted') }}
    where basis = 'confirmed_consent'
),

attached as (
    select * from {{ ref('int_permission_points_attached') }}
    where channel = 'email' and is_primary
),

confirmed as (
    select
        attached.contact_point_key,
        min(permissions.confirmed_at) as verified_at
    from permissions
    inner join attached on permissions.record_key = attached.record_key
    group by attached.contact_point_key
),

stated as (
    select
        customer_id,
        contact_point_key,
        min(valid_from) as verified_at
    from contact_points
    where is_verified
    group by customer_id, contact_point_key
),

final as (
    select
        contact_points.record_key,
        contact_points.kind,
        contact_points.value,
        contact_points.is_primary,
        least(stated.verified_at, confirmed.verified_at) as verified_at
    from contact_points
    left join stated
        on
            contact_points.customer_id = stated.customer_id
            and contact_points.contact_point_key = stated.contact_point_key
    left join confirmed on contact_points.contact_point_key = confirmed.contact_point_key
    where stated.contact_point_key is not null or confirmed.contact_point_key is not null
)

select * from final
