with

company_contacts as (

    select * from {{ source('raw', 'crm_company_contacts') }}

),

cast_and_trimmed as (

    select
        record_key,
        source_system,
        source_record_id,
        {{ trimmed_text('contact_record_id') }},
        {{ trimmed_text('company_record_id') }},
        {{ trimmed_text('role') }},
        is_primary,
        valid_from,
        valid_until,
        contact_record_key,
        company_record_key,
        {{ system_columns() }}
    from company_contacts

)

select * from cast_and_trimmed
