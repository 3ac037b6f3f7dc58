{{ config(materialized='ephemeral') }}  -- read once

-- A session in counts: who identified himself in it, whether tracking was permitted, and the event it began with, by
-- whose key it is known. The latest word on permission decides; one that nobody translated is a refusal.
with

events as (
    select * from {{ ref('int_web_events_sessioned') }}
),

summarized as (
    select
        source_system,
        session_ref,
        min(anonymous_id) as anonymous_id,
        min(customer_id) as first_customer_id,
        max(customer_id) as last_customer_id,
        min({ 'happened_at': happened_at, 'record_key': record_key }) as entry,
        max(happened_at) as ended_at,
        count(*) as event_count,
        count(case when kind in ('page_view', 'pageview', 'page') then 1 end) as page_view_count,
        count(product_record_key) as product_event_count,
        bool_or(order_record_key is not null or coalesce(kind in ('order', 'purchase'), false)) as has_order,
        max(case when permission_state = 'granted' then happened_at end) as granted_at,
        max(case when permission_state not in ('granted', 'unknown') then happened_at end) as denied_at
    from events
    group by source_system, session_ref
),

final as (
    select
        summarized.entry.record_key as session_key,
        summarized.source_system,
        summarized.anonymous_id,
        summarized.entry.happened_at as started_at,
        summarized.ended_at,
        summarized.event_count,
        summarized.page_view_count,
        summarized.product_event_count,
        summarized.has_order,
        summarized.first_customer_id,
        summarized.last_customer_id,
        case
            when summarized.denied_at >= coalesce(summarized.granted_at, summarized.denied_at) then 'denied'
            when summarized.granted_at is not null then 'granted'
            else 'unknown'
        end as permission_state
    from summarized
)

select * from final
