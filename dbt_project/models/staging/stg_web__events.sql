with

events as (

    select * from {{ source('raw', 'web_events') }}

),

cast_and_trimmed as (

    select
        record_key,
        source_system,
        source_record_id,
        {{ trimmed_text('anonymous_id') }},
        {{ trimmed_text('session_id') }},
        {{ trimmed_text('user_id') }},
        {{ trimmed_text('email') }},
        {{ trimmed_text('kind') }},
        {{ trimmed_text('url') }},
        {{ trimmed_text('referrer') }},
        {{ trimmed_text('utm_source') }},
        {{ trimmed_text('utm_medium') }},
        {{ trimmed_text('utm_campaign') }},
        {{ trimmed_text('click_id') }},
        {{ trimmed_text('product_record_id') }},
        {{ trimmed_text('order_record_id') }},
        {{ trimmed_text('device') }},
        {{ trimmed_text('country') }},
        {{ trimmed_text('region') }},
        {{ trimmed_text('permission_state') }},
        occurred_at,
        user_key,
        product_record_key,
        order_record_key,
        {{ system_columns() }}
    from events

)

select * from cast_and_trimmed
