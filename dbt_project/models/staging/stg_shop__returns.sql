with

returns as (

    select * from {{ source('raw', 'shop_returns') }}

),

cast_and_trimmed as (

    select
        record_key,
        source_system,
        source_record_id,
        {{ trimmed_text('order_record_id') }},
        {{ trimmed_text('order_line_record_id') }},
        {{ trimmed_text('reason') }},
        quantity,
        amount,
        returned_at,
        refunded_at,
        order_record_key,
        order_line_record_key,
        {{ system_columns() }}
    from returns

)

select * from cast_and_trimmed
