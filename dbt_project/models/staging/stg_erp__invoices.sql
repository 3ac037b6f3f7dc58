with

invoices as (

    select * from {{ source('raw', 'erp_invoices') }}

),

cast_and_trimmed as (

    select
        record_key,
        source_system,
        source_record_id,
        {{ trimmed_text('order_record_id') }},
        {{ trimmed_text('customer_record_id') }},
        {{ trimmed_text('number') }},
        {{ trimmed_text('currency') }},
        invoiced_at,
        due_at,
        paid_at,
        dunning_level,
        is_disputed,
        amount,
        order_record_key,
        customer_record_key,
        {{ system_columns() }}
    from invoices

)

select * from cast_and_trimmed
