{{ config(materialized='ephemeral') }}  -- read once

-- How much of its net amount each line lost to returns. A return without a line is spread over the lines of its order
-- by their net amount; the largest line takes the rest of the rounding, so that lines and order agree to the digit.
with

returns as (
    select * from {{ ref('int_returns_valued') }}
),

lines as (
    select * from {{ ref('int_order_lines_valued') }}
),

orders as (
    select * from {{ ref('int_orders_valued') }}
),

line_returns as (
    select
        order_line_key,
        sum(revenue_reduction_amount) as returned_amount
    from returns
    where order_line_key is not null
    group by order_line_key
),

order_returns as (
    select
        order_key,
        sum(revenue_reduction_amount) as returned_amount
    from returns
    where order_line_key is null and order_key is not null
    group by order_key
),

shared as (
    select
        lines.order_line_key,
        lines.order_key,
        order_returns.returned_amount as order_returned_amount,
        case
            when orders.net_amount = 0 then cast(0 as decimal(18, 4))
            else {{ part_of('order_returns.returned_amount', 'lines.net_amount', 'orders.net_amount') }}
        end as share_amount,
        row_number() over (
            partition by lines.order_key order by abs(lines.net_amount) desc, lines.order_line_key asc
        ) as line_rank
    from order_returns
    inner join orders on order_returns.order_key = orders.order_key
    inner join lines on order_returns.order_key = lines.order_key
),

spread as (
    select
        order_line_key,
        share_amount
        + case
            when line_rank = 1 then order_returned_amount - sum(share_amount) over (partition by order_key)
            else 0
        end as returned_amount
    from shared
),

summed as (
    select
        order_line_key,
        cast(sum(returned_amount) as decimal(18, 4)) as returned_amount
    from (
        select * from line_returns
        union all
        select * from spread
    ) as all_returns
    group by order_line_key
),

final as (
    select * from summed
)

select * from final
