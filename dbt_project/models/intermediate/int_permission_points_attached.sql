-- Which contact points a permission record speaks about: the e-mail or phone written on it, else the points of its
-- contact, else, for what closes, those of the customer. A grant holds for the primary one only (never for another than
-- the one that is written on it, or that the contact had at that time), a withdrawal or objection for all of them.
with

permissions as (
    select * from {{ ref('int_permissions_interpreted') }}
),

-- Read twice, each time for few records: what one query reads by one name twice, the engine keeps in memory.
points_of_permissions as (
    select * from {{ source('clean', 'contact_points') }}
),

contact_points as (
    select * from {{ source('clean', 'contact_points') }}
),

customer_points as (
    select * from {{ ref('int_contact_points_assigned') }}
),

channel_kinds as (
    {{ channel_kinds() }}
),

-- Without a channel that is known, only what closes is understood: it closes every channel.
channels as (
    select
        permissions.record_key,
        permissions.contact_record_key,
        permissions.customer_id,
        permissions.contact_point_key,
        permissions.contact_point_kind,
        permissions.granted_at,
        permissions.closed_as is not null as is_closing,
        channel_kinds.channel,
        channel_kinds.kind,
        -- An address that cannot be used is an address still: what was granted for it moves to no other.
        case channel_kinds.kind
            when 'email' then permissions.has_own_email
            when 'phone' then permissions.has_own_phone
            else false
        end as names_a_point
    from permissions
    inner join channel_kinds on coalesce(permissions.channel, channel_kinds.channel) = channel_kinds.channel
    where permissions.channel is not null or permissions.closed_as is not null
),

own_points as (
    select
        channels.record_key,
        channels.channel,
        channels.kind,
        points_of_permissions.contact_point_key,
        points_of_permissions.is_primary,
        points_of_permissions.is_mobile,
        true as was_theirs
    from channels
    inner join points_of_permissions
        on
            channels.record_key = points_of_permissions.record_key
            and channels.kind = points_of_permissions.kind
    union all
    select
        record_key,
        channel,
        kind,
        contact_point_key,
        true as is_primary,
        false as is_mobile,
        true as was_theirs
    from channels
    where contact_point_key is not null and contact_point_kind = kind
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
        contact_points.is_primary,
        contact_points.is_mobile,
        coalesce(channels_without_own_point.granted_at >= contact_points.valid_from, true)
        and coalesce(channels_without_own_point.granted_at < contact_points.valid_until, true) as was_theirs
    from channels_without_own_point
    inner join contact_points
        on
            channels_without_own_point.contact_record_key = contact_points.record_key
            and channels_without_own_point.kind = contact_points.kind
    where channels_without_own_point.is_closing or not channels_without_own_point.names_a_point
),

closings_without_point as (
    select channels_without_own_point.*
    from channels_without_own_point
    left join points_of_contacts
        on
            channels_without_own_point.record_key = points_of_contacts.record_key
            and channels_without_own_point.channel = points_of_contacts.channel
    where channels_without_own_point.is_closing and points_of_contacts.record_key is null
),

points_of_customers as (
    select distinct
        closings_without_point.record_key,
        closings_without_point.channel,
        closings_without_point.kind,
        customer_points.contact_point_key,
        false as is_primary,
        false as is_mobile,
        true as was_theirs
    from closings_without_point
    inner join customer_points
        on
            closings_without_point.customer_id = customer_points.customer_id
            and closings_without_point.kind = customer_points.kind
),

attached as (
    select * from own_points
    union all
    select * from points_of_contacts
    union all
    select * from points_of_customers
),

ranked as (
    select
        record_key,
        channel,
        kind,
        contact_point_key,
        was_theirs
        and row_number() over (
            partition by record_key, channel
            order by
                was_theirs desc,
                -- A text message needs a mobile number.
                (channel in ('sms', 'messenger') and coalesce(is_mobile, false)) desc,
                coalesce(is_primary, false) desc,
                contact_point_key asc
        ) = 1 as is_primary
    from attached
),

final as (
    select * from ranked
)

select * from final
