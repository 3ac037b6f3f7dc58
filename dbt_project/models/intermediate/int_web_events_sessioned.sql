{{ config(materialized='ephemeral') }}  -- read once

-- Web events with the session they belong to and the customer they name. Where no session is delivered, thirty minutes
-- without an event end one, as web analytics count visits.
with

events as (
    select * from {{ ref('stg_web__events') }}
    where not is_deleted and coalesce(occurred_at, created_at) is not null
),

members as (
    select * from {{ source('identity', 'members') }}
),

emails as (
    select * from {{ source('clean', 'emails') }}
),

contact_points as (
    select * from {{ ref('int_contact_points_resolved') }}
),

identified as (
    select
        events.*,
        coalesce(events.occurred_at, events.created_at) as happened_at,
        coalesce(members.customer_id, contact_points.customer_id) as customer_id
    from events
    left join members on events.user_key = members.record_key
    left join emails on events.email = emails.raw_value
    left join contact_points on emails.contact_point_key = contact_points.contact_point_key
),

previous as (
    select
        identified.*,
        lag(happened_at) over (
            partition by source_system, anonymous_id
            order by happened_at asc, record_key asc
        ) as previous_at
    from identified
    where session_id is null and anonymous_id is not null
),

counted as (
    select
        previous.*,
        sum(case when happened_at <= {{ dbt.dateadd('minute', 30, 'previous_at') }} then 0 else 1 end) over (
            partition by source_system, anonymous_id
            order by happened_at asc, record_key asc
            rows between unbounded preceding and current row
        ) as visit_number
    from previous
),

{% set columns -%}
    record_key,
        source_system,
        anonymous_id,
        customer_id,
        lower(kind) as kind,
        product_record_key,
        order_record_key,
        lower(permission_state) as permission_state,
        happened_at
{%- endset %}
sessioned as (
    select
        concat('session|', session_id) as session_ref,
        {{ columns }}
    from identified
    where session_id is not null
    union all
    select
        concat('visit|', anonymous_id, '|', cast(visit_number as varchar)) as session_ref,
        {{ columns }}
    from counted
    union all
    select
        concat('event|', record_key) as session_ref,
        {{ columns }}
    from identified
    where session_id is null and anonymous_id is null
),

final as (
    select * from sessioned
)

select * from final
