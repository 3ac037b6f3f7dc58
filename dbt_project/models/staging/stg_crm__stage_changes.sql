with

stage_changes as (

    select * from {{ source('raw', 'crm_stage_changes') }}

),

cast_and_trimmed as (

    select
        record_key,
        source_system,
        source_record_id,
        {{ trimmed_text('contact_record_id') }},
        {{ trimmed_text('company_record_id') }},
        {{ trimmed_text('deal_record_id') }},
        {{ trimmed_text('from_stage') }},
        {{ trimmed_text('stage') }},
        entered_at,
        contact_record_key,
        company_record_key,
        deal_record_key,
        {{ system_columns() }}
    from stage_changes

)

select * from cast_and_trimmed
