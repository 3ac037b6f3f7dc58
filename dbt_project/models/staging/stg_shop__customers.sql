with

customers as (

    select * from {{ source('raw', 'shop_customers') }}

),

cast_and_trimmed as (

    select
        record_key,
        source_system,
        source_record_id,
        {{ trimmed_text('salutation') }},
        {{ trimmed_text('title') }},
        {{ trimmed_text('first_name') }},
        {{ trimmed_text('last_name') }},
        {{ trimmed_text('full_name') }},
        {{ trimmed_text('email') }},
        {{ trimmed_text('phone') }},
        {{ trimmed_text('mobile') }},
        {{ trimmed_text('street') }},
        {{ trimmed_text('postal_code') }},
        {{ trimmed_text('city') }},
        {{ trimmed_text('region') }},
        {{ trimmed_text('country') }},
        {{ trimmed_text('gender') }},
        {{ trimmed_text('language') }},
        {{ trimmed_text('company_record_id') }},
        {{ trimmed_text('company_name') }},
        {{ trimmed_text('job_title') }},
        {{ trimmed_text('lifecycle_stage') }},
        {{ trimmed_text('lead_source') }},
        {{ trimmed_text('owner') }},
        birth_date,
        is_test,
        is_deceased,
        is_employee,
        accepts_marketing,
        is_guest,
        company_record_key,
        created_at,
        updated_at,
        deleted_at,
        {{ trimmed_text('merged_into_record_id') }},
        merged_into_record_key,
        identifiers,
        custom,
        _loaded_at,
        _run_id,
        {{ is_deleted() }} as is_deleted
    from customers

)

select * from cast_and_trimmed
