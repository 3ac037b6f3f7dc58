{% set events = {
    'requested': 'requested_at',
    'granted': 'given_at',
    'confirmed': 'confirmed_at',
    'withdrawn': 'withdrawn_at',
    'expired': 'expires_at',
} %}
with

permissions as (
    select * from {{ ref('int_permissions_interpreted') }}
),

attached as (
    select * from {{ ref('int_permission_points_attached') }}
),

build as (
    select * from {{ source('config', 'build') }}
),

events as (
    {% for event, moment in events.items() %}
        select
            permissions.record_key,
            '{{ event }}' as event,
            permissions.{{ moment }} as occurred_at
        from permissions
        cross join build
        where permissions.kind <> 'objection' and permissions.{{ moment }} <= build.as_of
        union all
    {% endfor %}
    select
        record_key,
        'objected' as event,
        closed_at as occurred_at
    from permissions
    where closed_as = 'objected'
),

joined as (
    select
        permissions.controller,
        attached.contact_point_key,
        coalesce(attached.channel, permissions.channel) as channel,
        permissions.purpose,
        events.event,
        events.occurred_at,
        permissions.kind,
        permissions.basis,
        permissions.record_key,
        permissions.is_deleted
    from events
    inner join permissions on events.record_key = permissions.record_key
    left join attached on permissions.record_key = attached.record_key
),

keyed as (
    select
        md5(
            concat_ws('|', record_key, coalesce(contact_point_key, ''), coalesce(channel, ''), event)
        ) as permission_event_key,
        joined.*
    from joined
),

final as (
    select * from keyed
)

select * from final
