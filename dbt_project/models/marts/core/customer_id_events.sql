with

events as (
    select * from {{ source('identity', 'customer_id_events') }}
),

final as (
    select
        event_key,
        customer_id,
        event,
        other_customer_id,
        version,
        events.at,
        reason
    from events
)

select * from final
