with

tickets as (
    select * from {{ ref('int_tickets_classified') }}
),

final as (
    select
        ticket_key,
        customer_id,
        source_system,
        type,
        priority,
        status,
        channel,
        category,
        product_key,
        order_key,
        created_at,
        first_reply_at,
        solved_at,
        sla_breached_at,
        reopened_count,
        is_open,
        is_critical,
        critical_reason
    from tickets
)

select * from final
