with

discounts as (
    select * from {{ ref('stg_shop__order_discounts') }}
    where not is_deleted
),

orders as (
    select * from {{ ref('int_orders_assigned') }}
),

joined as (
    select
        discounts.record_key as order_discount_key,
        orders.order_key,
        orders.customer_id,
        discounts.source_system,
        orders.ordered_at,
        {{ shared_value('upper(discounts.code)') }} as code,
        discounts.campaign_record_key as campaign_key,
        orders.currency,
        discounts.amount
    from discounts
    left join orders on discounts.order_record_key = orders.order_key
),

final as (
    select * from joined
)

select * from final
