with

permissions as (

    select * from {{ source('raw', 'crm_permissions') }}

),

cast_and_trimmed as (

    select
        record_key,
        source_system,
        source_record_id,
        {{ trimmed_text('contact_record_id') }},
        {{ trimmed_text('email') }},
        {{ trimmed_text('phone') }},
        {{ trimmed_text('controller') }},
        {{ trimmed_text('channel') }},
        {{ trimmed_text('purpose') }},
        {{ trimmed_text('kind') }},
        {{ trimmed_text('status') }},
        {{ trimmed_text('method') }},
        {{ trimmed_text('wording_version') }},
        {{ trimmed_text('evidence') }},
        {{ trimmed_text('order_record_id') }},
        requested_at,
        given_at,
        confirmed_at,
        withdrawn_at,
        expires_at,
        objection_notice_shown,
        contact_record_key,
        order_record_key,
        {{ system_columns() }}
    from permissions

)

select * from cast_and_trimmed
