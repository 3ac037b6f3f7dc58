with

deal_contacts as (

    select * from {{ source('raw', 'crm_deal_contacts') }}

),

cast_and_trimmed as (

    select
        record_key,
        source_system,
        source_record_id,
        {{ trimmed_text('deal_record_id') }},
        {{ trimmed_text('contact_record_id') }},
        {{ trimmed_text('role') }},
        deal_record_key,
        contact_record_key,
        {{ system_columns() }}
    from deal_contacts

)

select * from cast_and_trimmed
