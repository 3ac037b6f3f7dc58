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
        created_at,
        updated_at,
        deleted_at,
        {{ trimmed_text('merged_into_record_id') }},
        merged_into_record_key,
        identifiers,
        custom,
        _loaded_at,
        _run_id,
        {{ is_deleted() }} as is_deleted
    from returns

)

select * from cast_and_trimmed
