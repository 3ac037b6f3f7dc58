-- What an order is worth: the sum of its lines or, for an order delivered without lines, its own amounts.
with

orders as (
    select * from {{ ref('int_orders_assigned') }}
),

lines as (
    select * from {{ ref('int_order_lines_valued') }}
),

line_sums as (
    select
        order_key,
        count(*) as line_count,
        sum(gross_amount) as gross_amount,
        sum(net_amount) as net_amount
    from lines
    where order_key is not null
    group by order_key
),

own_amounts as (
    select
        order_key,
        case
            when items_amount is not null then items_amount - coalesce(discount_amount, 0)
            when prices_include_tax then total_amount - coalesce(shipping_amount, 0)
            else total_amount - coalesce(shipping_amount, 0) - coalesce(tax_amount, 0)
        end as gross_amount,
        case when prices_include_tax then coalesce(tax_amount, 0) else 0 end as included_tax_amount
    from orders
),

valued as (
    select
        orders.order_key,
        orders.is_cancelled,
        coalesce(line_sums.line_count, 0) as line_count,
        cast(coalesce(line_sums.gross_amount, own_amounts.gross_amount, 0) as decimal(18, 4)) as gross_amount,
        cast(
            coalesce(line_sums.net_amount, own_amounts.gross_amount - own_amounts.included_tax_amount, 0)
            as decimal(18, 4)
        ) as net_amount
    from orders
    inner join own_amounts on orders.order_key = own_amounts.order_key
    left join line_sums on orders.order_key = line_sums.order_key
),

final as (
    select * from valued
)

select * from final
