with

deals as (

    select * from {{ source('raw', 'crm_deals') }}

),

cast_and_trimmed as (

    select
        record_key,
        source_system,
        source_record_id,
        {{ trimmed_text('contact_record_id') }},
        {{ trimmed_text('company_record_id') }},
        {{ trimmed_text('name') }},
        {{ trimmed_text('pipeline') }},
        {{ trimmed_text('stage') }},
        {{ trimmed_text('lost_reason') }},
        {{ trimmed_text('currency') }},
        {{ trimmed_text('campaign_record_id') }},
        {{ trimmed_text('owner') }},
        is_won,
        is_lost,
        amount,
        expected_close_date,
        closed_at,
        contact_record_key,
        company_record_key,
        campaign_record_key,
        {{ system_columns() }}
    from deals

)

select * from cast_and_trimmed
