with

carts as (
    select * from {{ ref('stg_shop__carts') }}
    where not is_deleted
),

attached as (
    select * from {{ ref('int_records_attached') }}
    where entity = 'carts'
),

members as (
    select * from {{ source('identity', 'members') }}
),

orders as (
    select * from {{ ref('int_orders_assigned') }}
),

build as (
    select * from {{ source('config', 'build') }}
),

joined as (
    select
        carts.record_key as cart_key,
        coalesce(members.customer_id, attached.customer_id, orders.customer_id) as customer_id,
        carts.source_system,
        coalesce(upper(carts.currency), build.base_currency) as currency,
        carts.total_amount,
        cast(json_array_length(carts.lines) as bigint) as line_count,
        carts.abandoned_at,
        carts.completed_at,
        orders.order_key as recovered_order_key,
        carts.recovered_order_record_key is not null
        or coalesce(carts.completed_at <= build.as_of, false) as is_ordered,
        coalesce(carts.abandoned_at <= build.as_of, false) as was_abandoned,
        carts.created_at,
        carts.updated_at
    from carts
    cross join build
    left join members on carts.customer_record_key = members.record_key
    left join attached on carts.record_key = attached.record_key
    left join orders on carts.recovered_order_record_key = orders.order_key
),

final as (
    select
        cart_key,
        customer_id,
        source_system,
        currency,
        total_amount,
        line_count,
        abandoned_at,
        completed_at,
        recovered_order_key,
        was_abandoned and not is_ordered as is_abandoned,
        was_abandoned and is_ordered as is_recovered,
        created_at,
        updated_at
    from joined
)

select * from final
