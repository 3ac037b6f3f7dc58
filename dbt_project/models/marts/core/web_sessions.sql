-- A session is the customer's who identified himself in it, else the one as whom its visitor identified himself in any
-- other session, earlier or later. Only sessions in which tracking was permitted identify anybody, or are tied to him.
with

sessions as (
    select * from {{ ref('int_web_sessions_summarized') }}
),

events as (
    select * from {{ ref('stg_web__events') }}
),

visitors as (
    select
        source_system,
        anonymous_id,
        min(first_customer_id) as first_customer_id,
        max(last_customer_id) as last_customer_id
    from sessions
    where permission_state = 'granted' and first_customer_id is not null and anonymous_id is not null
    group by source_system, anonymous_id
),

judged as (
    select
        sessions.*,
        coalesce(sessions.first_customer_id, visitors.first_customer_id) as identified_id,
        case
            when sessions.permission_state = 'denied' then 'permission_denied'
            when sessions.permission_state = 'unknown' then 'permission_unknown'
            when sessions.first_customer_id <> sessions.last_customer_id then 'several_customers'
            when sessions.first_customer_id is not null then null
            when visitors.first_customer_id <> visitors.last_customer_id then 'several_customers'
            when visitors.first_customer_id is null then 'not_identified'
        end as unassigned_reason
    from sessions
    left join visitors
        on
            sessions.source_system = visitors.source_system
            and sessions.anonymous_id = visitors.anonymous_id
),

final as (
    select
        judged.session_key,
        case when judged.unassigned_reason is null then judged.identified_id end as customer_id,
        judged.unassigned_reason,
        judged.source_system,
        judged.permission_state,
        judged.started_at,
        judged.ended_at,
        judged.event_count,
        judged.page_view_count,
        judged.product_event_count,
        judged.has_order,
        events.utm_source as entry_utm_source,
        events.utm_medium as entry_utm_medium,
        events.utm_campaign as entry_utm_campaign,
        lower(events.device) as device,
        -- A country is its code; whatever else stands there is not known.
        case when regexp_matches(upper(events.country), '^[A-Z]{2}$') then upper(events.country) end as country
    from judged
    inner join events on judged.session_key = events.record_key
)

select * from final
