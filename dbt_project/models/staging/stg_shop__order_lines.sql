with

order_lines as (

    select * from {{ source('raw', 'shop_order_lines') }}

),

cast_and_trimmed as (

    select
        record_key,
        source_system,
        source_record_id,
        {{ trimmed_text('order_record_id') }},
        {{ trimmed_text('product_record_id') }},
        {{ trimmed_text('lot') }},
        quantity,
        unit_amount,
        discount_amount,
        tax_rate,
        tax_amount,
        unit_cost_amount,
        order_record_key,
        product_record_key,
        {{ system_columns() }}
    from order_lines

)

select * from cast_and_trimmed
