{{ config(materialized='ephemeral') }}  -- read once

with

orders as (
    select * from {{ ref('int_orders_booked') }}
    where customer_id is not null
),

summarized as (
    select
        customer_id,
        count(case when kind = 'order' then 1 end) as order_count,
        count(case when kind = 'cancelled' then 1 end) as cancelled_order_count,
        count(case when unconverted_reason is not null then 1 end) as unconverted_order_count,
        cast(coalesce(sum(revenue_amount_base), 0) as decimal(18, 4)) as revenue_amount_base,
        cast(coalesce(sum(cancelled_amount_base), 0) as decimal(18, 4)) as cancelled_amount_base,
        cast(coalesce(sum(returned_amount_base), 0) as decimal(18, 4)) as returned_amount_base,
        min(case when kind = 'order' then ordered_at end) as first_ordered_at,
        max(case when kind = 'order' then ordered_at end) as last_ordered_at,
        min(ordered_at) as first_seen_at,
        max(ordered_at) as last_seen_at
    from orders
    group by customer_id
),

final as (
    select * from summarized
)

select * from final
