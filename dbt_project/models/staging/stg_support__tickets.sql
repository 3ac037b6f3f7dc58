with

tickets as (

    select * from {{ source('raw', 'support_tickets') }}

),

cast_and_trimmed as (

    select
        record_key,
        source_system,
        source_record_id,
        {{ trimmed_text('requester_record_id') }},
        {{ trimmed_text('company_record_id') }},
        {{ trimmed_text('type') }},
        {{ trimmed_text('subject') }},
        {{ trimmed_text('priority') }},
        {{ trimmed_text('status') }},
        {{ trimmed_text('channel') }},
        {{ trimmed_text('category') }},
        {{ trimmed_text('tags') }},
        {{ trimmed_text('group') }},
        {{ trimmed_text('product_record_id') }},
        {{ trimmed_text('order_record_id') }},
        sla_breached_at,
        solved_at,
        first_reply_at,
        reopened_count,
        requester_record_key,
        company_record_key,
        product_record_key,
        order_record_key,
        {{ system_columns() }}
    from tickets

)

select * from cast_and_trimmed
