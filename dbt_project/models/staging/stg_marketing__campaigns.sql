with

campaigns as (

    select * from {{ source('raw', 'marketing_campaigns') }}

),

cast_and_trimmed as (

    select
        record_key,
        source_system,
        source_record_id,
        {{ trimmed_text('name') }},
        {{ trimmed_text('class') }},
        {{ trimmed_text('channel') }},
        {{ trimmed_text('controller') }},
        {{ trimmed_text('purpose') }},
        {{ trimmed_text('currency') }},
        {{ trimmed_text('advertises') }},
        {{ trimmed_text('variant_of') }},
        starts_at,
        ends_at,
        budget_amount,
        cost_amount,
        {{ system_columns() }}
    from campaigns

)

select * from cast_and_trimmed
