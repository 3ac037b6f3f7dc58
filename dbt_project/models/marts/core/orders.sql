with

orders as (
    select * from {{ ref('int_orders_assigned') }}
),

booked as (
    select * from {{ ref('int_orders_booked') }}
),

joined as (
    select
        orders.order_key,
        orders.customer_id,
        orders.unassigned_reason,
        orders.source_system,
        orders.controller,
        booked.kind,
        orders.ordered_at,
        orders.ordered_date,
        orders.status,
        orders.cancelled_at,
        orders.paid_at,
        orders.payment_status,
        orders.dunning_level,
        orders.chargeback_at,
        orders.delivered_at,
        orders.channel,
        orders.store,
        orders.marketplace,
        orders.country,
        orders.campaign_key,
        orders.utm_source,
        orders.utm_medium,
        orders.utm_campaign,
        orders.currency,
        orders.prices_include_tax,
        orders.items_amount,
        orders.discount_amount,
        orders.shipping_amount,
        orders.tax_amount,
        orders.total_amount,
        booked.line_count,
        booked.return_count,
        booked.gross_amount,
        booked.net_amount,
        booked.cancelled_amount,
        booked.returned_amount,
        booked.revenue_amount,
        booked.revenue_amount_base,
        booked.unconverted_reason,
        orders.created_at,
        orders.updated_at
    from orders
    inner join booked on orders.order_key = booked.order_key
),

final as (
    select * from joined
)

select * from final
