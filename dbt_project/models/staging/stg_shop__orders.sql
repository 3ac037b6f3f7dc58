with

orders as (

    select * from {{ source('raw', 'shop_orders') }}

),

cast_and_trimmed as (

    select
        record_key,
        source_system,
        source_record_id,
        {{ trimmed_text('customer_record_id') }},
        {{ trimmed_text('email') }},
        {{ trimmed_text('phone') }},
        {{ trimmed_text('controller') }},
        {{ trimmed_text('company_name') }},
        {{ trimmed_text('vat_id') }},
        {{ trimmed_text('billing_first_name') }},
        {{ trimmed_text('billing_last_name') }},
        {{ trimmed_text('billing_street') }},
        {{ trimmed_text('billing_postal_code') }},
        {{ trimmed_text('billing_city') }},
        {{ trimmed_text('billing_country') }},
        {{ trimmed_text('shipping_first_name') }},
        {{ trimmed_text('shipping_last_name') }},
        {{ trimmed_text('shipping_street') }},
        {{ trimmed_text('shipping_postal_code') }},
        {{ trimmed_text('shipping_city') }},
        {{ trimmed_text('shipping_country') }},
        {{ trimmed_text('status') }},
        {{ trimmed_text('currency') }},
        {{ trimmed_text('payment_status') }},
        {{ trimmed_text('channel') }},
        {{ trimmed_text('store') }},
        {{ trimmed_text('marketplace') }},
        {{ trimmed_text('campaign_record_id') }},
        {{ trimmed_text('utm_source') }},
        {{ trimmed_text('utm_medium') }},
        {{ trimmed_text('utm_campaign') }},
        ordered_at,
        cancelled_at,
        paid_at,
        chargeback_at,
        delivered_at,
        prices_include_tax,
        items_amount,
        discount_amount,
        shipping_amount,
        tax_amount,
        total_amount,
        dunning_level,
        customer_record_key,
        campaign_record_key,
        {{ system_columns() }}
    from orders

)

select * from cast_and_trimmed
