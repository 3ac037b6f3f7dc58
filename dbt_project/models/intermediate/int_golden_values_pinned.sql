{{ config(materialized='ephemeral') }}  -- few rows, read twice

-- What people decided about a field of a customer, whom they named by one of the records: the latest decision holds.
with

overrides as (
    select * from {{ source('config', 'overrides') }}
    where kind = 'pin-value' and is_active and value is not null
),

members as (
    select * from {{ source('identity', 'members') }}
),

ranked as (
    select
        members.customer_id,
        overrides.field,
        case when overrides.field = 'email' then lower(overrides.value) else overrides.value end as value,
        overrides.a_record_key as record_key,
        overrides.decided_on,
        row_number() over (
            partition by members.customer_id, overrides.field
            order by overrides.decided_on desc nulls last, overrides.line desc, overrides.a_record_key asc
        ) as decision_rank
    from overrides
    inner join members on overrides.a_record_key = members.record_key
),

final as (
    select
        customer_id,
        field,
        value,
        record_key,
        cast(decided_on as timestamp) as decided_at
    from ranked
    where decision_rank = 1
)

select * from final
