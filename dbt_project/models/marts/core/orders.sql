with

orders as (
    select * from {{ ref('int_orders_booked') }}
),

final as (
    select
        order_key,
        customer_id,
        unassigned_reason,
        source_system,
        controller,
        kind,
        ordered_at,
        ordered_date,
        status,
        cancelled_at,
        paid_at,
        payment_status,
        dunning_level,
        chargeback_at,
        delivered_at,
        channel,
        store,
        marketplace,
        country,
        campaign_key,
        utm_source,
        utm_medium,
        utm_campaign,
        currency,
        prices_include_tax,
        items_amount,
        discount_amount,
        shipping_amount,
        tax_amount,
        total_amount,
        line_count,
        return_count,
        gross_amount,
        net_amount,
        cancelled_amount,
        returned_amount,
        revenue_amount,
        revenue_amount_base,
        unconverted_reason,
        created_at,
        updated_at
    from orders
)

select * from final
