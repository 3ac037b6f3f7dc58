with

candidates as (
    select * from {{ ref('int_golden_candidates_ranked') }}
),

winners as (
    select * from candidates
    where candidate_rank = 1
),

runners_up as (
    select * from candidates
    where candidate_rank = 2
),

losers as (
    select
        customer_id,
        field_group,
        string_agg(record_key, ' ' order by candidate_rank) as losing_record_keys
    from candidates
    where candidate_rank > 1
    group by customer_id, field_group
),

chosen as (
    select
        winners.customer_id,
        winners.field_group,
        winners.record_key,
        winners.observed_at,
        winners.candidate_count - 1 as losing_count,
        losers.losing_record_keys,
        case
            when winners.candidate_count = 1 then 'only_candidate'
            when winners.is_sound and not runners_up.is_sound then 'completeness'
            when winners.priority < runners_up.priority then 'source_priority'
            when winners.observed_at is distinct from runners_up.observed_at then 'most_recent'
            else 'record_key'
        end as strategy
    from winners
    left join runners_up
        on
            winners.customer_id = runners_up.customer_id
            and winners.field_group = runners_up.field_group
    left join losers
        on
            winners.customer_id = losers.customer_id
            and winners.field_group = losers.field_group
),

final as (
    select * from chosen
)

select * from final
