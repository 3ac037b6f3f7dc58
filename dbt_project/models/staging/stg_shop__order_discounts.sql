with

order_discounts as (

    select * from {{ source('raw', 'shop_order_discounts') }}

),

cast_and_trimmed as (

    select
        record_key,
        source_system,
        source_record_id,
        {{ trimmed_text('order_record_id') }},
        {{ trimmed_text('code') }},
        {{ trimmed_text('campaign_record_id') }},
        amount,
        order_record_key,
        campaign_record_key,
        {{ system_columns() }}
    from order_discounts

)

select * from cast_and_trimmed
