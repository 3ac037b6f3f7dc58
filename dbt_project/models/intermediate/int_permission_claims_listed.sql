{{ config(materialized='view') }}  -- read once; a unit test stands on its columns

-- Everything that is said about one contact point, by controller, channel and purpose.
with

permissions as (
    select * from {{ ref('int_permissions_interpreted') }}
),

attached as (
    select * from {{ ref('int_permission_points_attached') }}
),

objections as (
    select * from {{ ref('int_objections_spread') }}
),

contact_points as (
    select * from {{ ref('int_contact_points_assigned') }}
),

permission_bases as (
    select * from {{ source('config', 'permission_bases') }}
),

channel_kinds as (
    {{ channel_kinds() }}
),

grants as (
    select
        permissions.controller,
        attached.contact_point_key,
        attached.channel,
        coalesce(permissions.purpose, 'advertising') as purpose,
        permissions.record_key,
        permissions.claim,
        permissions.basis,
        permissions.granted_at as claimed_at,
        permissions.is_evidenced_consent
    from permissions
    inner join attached on permissions.record_key = attached.record_key
    where permissions.claim is not null and attached.is_primary
),

withdrawals as (
    select
        permissions.controller,
        attached.contact_point_key,
        attached.channel,
        permissions.purpose,
        permissions.record_key,
        permissions.closed_as,
        permissions.closed_at
    from permissions
    inner join attached on permissions.record_key = attached.record_key
    where permissions.closed_as in ('withdrawn', 'not_understood')
),

personal_objections as (
    select
        permissions.controller,
        objections.contact_point_key,
        objections.channel,
        permissions.purpose,
        permissions.record_key,
        permissions.closed_as,
        permissions.closed_at
    from permissions
    inner join objections on permissions.record_key = objections.record_key
),

closings as (
    select * from withdrawals
    union all
    select * from personal_objections
),

purposes as (
    select
        controller,
        contact_point_key,
        channel,
        purpose
    from grants
    union
    select
        controller,
        contact_point_key,
        channel,
        coalesce(purpose, 'advertising') as purpose
    from closings
),

-- What closes without naming a purpose closes them all.
closings_by_purpose as (
    select
        closings.controller,
        closings.contact_point_key,
        closings.channel,
        purposes.purpose,
        closings.record_key,
        closings.closed_as as claim,
        cast(null as varchar) as basis,
        closings.closed_at as claimed_at,
        false as is_evidenced_consent
    from closings
    inner join purposes
        on
            closings.controller = purposes.controller
            and closings.contact_point_key = purposes.contact_point_key
            and closings.channel = purposes.channel
            and coalesce(closings.purpose, purposes.purpose) = purposes.purpose
),

allowed_until_objection as (
    select
        contact_points.controller,
        contact_points.contact_point_key,
        channel_kinds.channel,
        'advertising' as purpose,
        min(contact_points.record_key) as record_key,
        'not_objected' as claim,
        'until_objection' as basis,
        cast(null as timestamp) as claimed_at,
        false as is_evidenced_consent
    from contact_points
    inner join channel_kinds on contact_points.kind = channel_kinds.kind
    inner join permission_bases
        on
            channel_kinds.channel = permission_bases.channel
            and permission_bases.basis = 'until_objection'
    where
        contact_points.is_valid
        and contact_points.is_live
        and contact_points.controller is not null
    group by contact_points.controller, contact_points.contact_point_key, channel_kinds.channel
),

final as (
    select * from grants
    union all
    select * from closings_by_purpose
    union all
    select * from allowed_until_objection
)

select * from final
