with

returns as (
    select * from {{ ref('int_returns_valued') }}
),

orders as (
    select * from {{ ref('int_orders_booked') }}
),

joined as (
    select
        returns.return_key,
        returns.order_key,
        returns.order_line_key,
        orders.customer_id,
        returns.source_system,
        returns.quantity,
        orders.currency,
        returns.refunded_amount,
        returns.revenue_reduction_amount,
        {{ shared_value('returns.reason') }} as reason,
        returns.returned_at,
        returns.refunded_at
    from returns
    left join orders on returns.order_key = orders.order_key
),

final as (
    select * from joined
)

select * from final
