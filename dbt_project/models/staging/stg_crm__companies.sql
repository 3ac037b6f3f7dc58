with

companies as (

    select * from {{ source('raw', 'crm_companies') }}

),

cast_and_trimmed as (

    select
        record_key,
        source_system,
        source_record_id,
        {{ trimmed_text('name') }},
        {{ trimmed_text('legal_form') }},
        {{ trimmed_text('domain') }},
        {{ trimmed_text('vat_id') }},
        {{ trimmed_text('register_number') }},
        {{ trimmed_text('street') }},
        {{ trimmed_text('postal_code') }},
        {{ trimmed_text('city') }},
        {{ trimmed_text('country') }},
        {{ trimmed_text('industry') }},
        {{ trimmed_text('parent_company_record_id') }},
        employee_count,
        is_key_account,
        parent_company_record_key,
        {{ system_columns() }}
    from companies

)

select * from cast_and_trimmed
