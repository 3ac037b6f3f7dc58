with

lines as (
    select * from {{ ref('int_order_lines_valued') }}
),

orders as (
    select * from {{ ref('int_orders_booked') }}
),

returned as (
    select * from {{ ref('int_line_returns_allocated') }}
),

joined as (
    select
        lines.order_line_key,
        lines.order_key,
        orders.customer_id,
        lines.product_key,
        orders.ordered_at,
        orders.ordered_date,
        lines.quantity,
        lines.unit_amount,
        orders.currency,
        lines.items_amount,
        lines.discount_amount,
        lines.tax_rate,
        lines.tax_amount,
        lines.is_tax_unknown,
        lines.unit_cost_amount,
        lines.gross_amount,
        lines.net_amount,
        orders.is_base_currency,
        -- A line without its order has no date to be booked at and no revenue.
        case
            when orders.order_key is null then null
            when orders.is_cancelled then lines.net_amount
            else cast(0 as decimal(18, 4))
        end as cancelled_amount,
        cast(coalesce(returned.returned_amount, 0) as decimal(18, 4)) as returned_amount
    from lines
    left join orders on lines.order_key = orders.order_key
    left join returned on lines.order_line_key = returned.order_line_key
),

reduced as (
    select
        joined.*,
        cast(net_amount - cancelled_amount - returned_amount as decimal(18, 4)) as revenue_amount
    from joined
),

final as (
    select
        order_line_key,
        order_key,
        customer_id,
        product_key,
        ordered_at,
        ordered_date,
        quantity,
        unit_amount,
        currency,
        items_amount,
        discount_amount,
        tax_rate,
        tax_amount,
        is_tax_unknown,
        unit_cost_amount,
        gross_amount,
        net_amount,
        cancelled_amount,
        returned_amount,
        revenue_amount,
        case when is_base_currency then revenue_amount end as revenue_amount_base
    from reduced
)

select * from final
