with

campaign_steps as (

    select * from {{ source('raw', 'marketing_campaign_steps') }}

),

cast_and_trimmed as (

    select
        record_key,
        source_system,
        source_record_id,
        {{ trimmed_text('campaign_record_id') }},
        {{ trimmed_text('name') }},
        {{ trimmed_text('goal') }},
        step,
        campaign_record_key,
        {{ system_columns() }}
    from campaign_steps

)

select * from cast_and_trimmed
