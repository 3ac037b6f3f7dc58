with

ratings as (

    select * from {{ source('raw', 'support_ratings') }}

),

cast_and_trimmed as (

    select
        record_key,
        source_system,
        source_record_id,
        {{ trimmed_text('contact_record_id') }},
        {{ trimmed_text('ticket_record_id') }},
        {{ trimmed_text('order_record_id') }},
        {{ trimmed_text('kind') }},
        {{ trimmed_text('comment') }},
        score,
        scale_max,
        rated_at,
        contact_record_key,
        ticket_record_key,
        order_record_key,
        {{ system_columns() }}
    from ratings

)

select * from cast_and_trimmed
