with

attributes as (

    select * from {{ source('raw', 'enrichment_attributes') }}

),

cast_and_trimmed as (

    select
        record_key,
        source_system,
        source_record_id,
        {{ trimmed_text('contact_record_id') }},
        {{ trimmed_text('email') }},
        {{ trimmed_text('group') }},
        {{ trimmed_text('name') }},
        {{ trimmed_text('value') }},
        {{ trimmed_text('provider') }},
        {{ trimmed_text('license') }},
        observed_at,
        contact_record_key,
        {{ system_columns() }}
    from attributes

)

select * from cast_and_trimmed
