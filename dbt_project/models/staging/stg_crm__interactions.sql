with

interactions as (

    select * from {{ source('raw', 'crm_interactions') }}

),

cast_and_trimmed as (

    select
        record_key,
        source_system,
        source_record_id,
        {{ trimmed_text('contact_record_id') }},
        {{ trimmed_text('company_record_id') }},
        {{ trimmed_text('email') }},
        {{ trimmed_text('phone') }},
        {{ trimmed_text('channel') }},
        {{ trimmed_text('direction') }},
        {{ trimmed_text('outcome') }},
        {{ trimmed_text('ticket_record_id') }},
        {{ trimmed_text('deal_record_id') }},
        {{ trimmed_text('campaign_record_id') }},
        started_at,
        duration_seconds,
        contact_record_key,
        company_record_key,
        ticket_record_key,
        deal_record_key,
        campaign_record_key,
        {{ system_columns() }}
    from interactions

)

select * from cast_and_trimmed
