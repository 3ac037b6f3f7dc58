with

touches as (

    select * from {{ source('raw', 'marketing_touches') }}

),

cast_and_trimmed as (

    select
        record_key,
        source_system,
        source_record_id,
        {{ trimmed_text('contact_record_id') }},
        {{ trimmed_text('email') }},
        {{ trimmed_text('phone') }},
        {{ trimmed_text('campaign_record_id') }},
        {{ trimmed_text('variant') }},
        {{ trimmed_text('channel') }},
        {{ trimmed_text('kind') }},
        {{ trimmed_text('message_id') }},
        {{ trimmed_text('bounce_type') }},
        step,
        is_machine,
        occurred_at,
        contact_record_key,
        campaign_record_key,
        {{ system_columns() }}
    from touches

)

select * from cast_and_trimmed
