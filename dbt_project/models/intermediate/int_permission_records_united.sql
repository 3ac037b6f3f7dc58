{{ config(materialized='ephemeral') }}  -- read once

-- What was said about permission to contact: the records of the CRM, and what recipients answered to messages. Who
-- unsubscribes withdraws, for the contact point and channel of the message; who complains objects, on its channel.
with

permissions as (
    select * from {{ ref('stg_crm__permissions') }}
),

touches as (
    select * from {{ ref('int_touches_located') }}
    where kind in ('complained', 'unsubscribed')
),

final as (
    select
        record_key,
        source_system,
        contact_record_key,
        controller,
        channel,
        purpose,
        kind,
        status,
        requested_at,
        given_at,
        confirmed_at,
        withdrawn_at,
        expires_at,
        evidence,
        order_record_key,
        objection_notice_shown,
        email,
        phone,
        cast(null as varchar) as contact_point_key,
        cast(null as varchar) as contact_point_kind,
        is_deleted
    from permissions
    union all
    select
        touch_key as record_key,
        source_system,
        contact_record_key,
        controller,
        channel,
        cast(null as varchar) as purpose,
        case kind when 'complained' then 'objection' else 'consent' end as kind,
        'withdrawn' as status,
        cast(null as timestamp) as requested_at,
        cast(null as timestamp) as given_at,
        cast(null as timestamp) as confirmed_at,
        occurred_at as withdrawn_at,
        cast(null as timestamp) as expires_at,
        cast(null as varchar) as evidence,
        cast(null as varchar) as order_record_key,
        cast(null as boolean) as objection_notice_shown,
        email,
        phone,
        contact_point_key,
        contact_point_kind,
        is_deleted
    from touches
)

select * from final
