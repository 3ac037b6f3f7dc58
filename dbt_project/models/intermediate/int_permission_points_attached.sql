-- Which contact points a permission record speaks about: the e-mail or phone written on it, else the points of its
-- contact. A grant holds for the primary one only, a withdrawal or objection for all of them.
with

permissions as (
    select * from {{ ref('int_permissions_interpreted') }}
),

contact_points as (
    select * from {{ source('clean', 'contact_points') }}
),

channel_kinds as (
    {{ channel_kinds() }}
),

channels as (
    select
        permissions.record_key,
        permissions.contact_record_key,
        channel_kinds.channel,
        channel_kinds.kind
    from permissions
    inner join channel_kinds on permissions.channel = channel_kinds.channel
    union all
    -- Without a channel, only what closes is understood: it closes every channel.
    select
        permissions.record_key,
        permissions.contact_record_key,
        channel_kinds.channel,
        channel_kinds.kind
    from permissions
    cross join channel_kinds
    where permissions.channel is null and permissions.closed_as is not null
),

own_points as (
    select
        channels.record_key,
        channels.channel,
        channels.kind,
        contact_points.contact_point_key,
        contact_points.is_primary
    from channels
    inner join contact_points
        on
            channels.record_key = contact_points.record_key
            and channels.kind = contact_points.kind
),

channels_without_own_point as (
    select channels.*
    from channels
    left join own_points
        on
            channels.record_key = own_points.record_key
            and channels.channel = own_points.channel
    where own_points.record_key is null
),

points_of_contacts as (
    select
        channels_without_own_point.record_key,
        channels_without_own_point.channel,
        channels_without_own_point.kind,
        contact_points.contact_point_key,
        contact_points.is_primary
    from channels_without_own_point
    inner join contact_points
        on
            channels_without_own_point.contact_record_key = contact_points.record_key
            and channels_without_own_point.kind = contact_points.kind
),

attached as (
    select * from own_points
    union all
    select * from points_of_contacts
),

ranked as (
    select
        record_key,
        channel,
        kind,
        contact_point_key,
        row_number() over (
            partition by record_key, channel
            order by coalesce(is_primary, false) desc, contact_point_key asc
        ) = 1 as is_primary
    from attached
),

final as (
    select * from ranked
)

select * from final
