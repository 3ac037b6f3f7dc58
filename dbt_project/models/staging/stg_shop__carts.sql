with

carts as (

    select * from {{ source('raw', 'shop_carts') }}

),

cast_and_trimmed as (

    select
        record_key,
        source_system,
        source_record_id,
        {{ trimmed_text('customer_record_id') }},
        {{ trimmed_text('email') }},
        {{ trimmed_text('currency') }},
        {{ trimmed_text('recovered_order_record_id') }},
        total_amount,
        abandoned_at,
        completed_at,
        lines,
        customer_record_key,
        recovered_order_record_key,
        {{ system_columns() }}
    from carts

)

select * from cast_and_trimmed
