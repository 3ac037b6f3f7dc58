{{ config(materialized='ephemeral') }}  -- read once

-- On which channels a customer may be advertised to by at least one controller: a contact point in use at which
-- something arrives, with sufficient permission.
with

contact_points as (
    select * from {{ ref('int_contact_points_assigned') }}
    where is_usable
),

permissions as (
    select * from {{ ref('permissions_current') }}
    where is_permitted and purpose = 'advertising'
),

permitted as (
    select
        contact_points.customer_id,
        bool_or(permissions.channel = 'email') as is_permitted_email,
        bool_or(permissions.channel = 'sms') as is_permitted_sms,
        bool_or(permissions.channel = 'messenger') as is_permitted_messenger,
        bool_or(permissions.channel = 'phone') as is_permitted_phone,
        bool_or(permissions.channel = 'post') as is_permitted_post,
        bool_or(permissions.channel = 'ad_platform') as is_permitted_ad_platform
    from contact_points
    inner join permissions on contact_points.contact_point_key = permissions.contact_point_key
    group by contact_points.customer_id
),

final as (
    select * from permitted
)

select * from final
