with

contact_methods as (

    select * from {{ source('raw', 'crm_contact_methods') }}

),

cast_and_trimmed as (

    select
        record_key,
        source_system,
        source_record_id,
        {{ trimmed_text('contact_record_id') }},
        {{ trimmed_text('kind') }},
        {{ trimmed_text('value') }},
        {{ trimmed_text('street') }},
        {{ trimmed_text('postal_code') }},
        {{ trimmed_text('city') }},
        {{ trimmed_text('region') }},
        {{ trimmed_text('country') }},
        is_primary,
        is_verified,
        is_undeliverable,
        valid_from,
        valid_until,
        contact_record_key,
        {{ system_columns() }}
    from contact_methods

)

select * from cast_and_trimmed
