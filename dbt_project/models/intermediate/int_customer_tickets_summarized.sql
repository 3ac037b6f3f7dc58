{{ config(materialized='ephemeral') }}  -- read once

with

tickets as (
    select * from {{ ref('int_tickets_classified') }}
    where customer_id is not null
),

summarized as (
    select
        customer_id,
        count(*) as ticket_count,
        count(case when is_open then 1 end) as open_ticket_count,
        count(case when is_open and is_critical then 1 end) as open_critical_ticket_count,
        min(created_at) as first_seen_at,
        max(created_at) as last_seen_at
    from tickets
    group by customer_id
),

final as (
    select * from summarized
)

select * from final
