with

candidates as (
    select * from {{ ref('int_golden_candidates_ranked') }}
),

summarized as (
    select
        customer_id,
        field_group,
        count(*) as candidate_count,
        max(case when candidate_rank = 1 then record_key end) as record_key,
        max(case when candidate_rank = 1 then observed_at end) as observed_at,
        max(case when candidate_rank = 2 then observed_at end) as runner_up_observed_at,
        bool_or(candidate_rank = 1 and is_sound) as is_winner_sound,
        bool_or(candidate_rank = 2 and is_sound) as is_runner_up_sound,
        max(case when candidate_rank = 1 then priority end) as winner_priority,
        max(case when candidate_rank = 2 then priority end) as runner_up_priority
    from candidates
    group by customer_id, field_group
),

losers as (
    select
        customer_id,
        field_group,
        {{ sorted_list('record_key', ' ', distinct=false) }} as losing_record_keys
    from candidates
    where candidate_rank > 1
    group by customer_id, field_group
),

chosen as (
    select
        summarized.customer_id,
        summarized.field_group,
        summarized.record_key,
        summarized.observed_at,
        summarized.candidate_count - 1 as losing_count,
        losers.losing_record_keys,
        case
            when summarized.candidate_count = 1 then 'only_candidate'
            when summarized.is_winner_sound and not summarized.is_runner_up_sound then 'completeness'
            when summarized.winner_priority < summarized.runner_up_priority then 'source_priority'
            when
                summarized.observed_at > summarized.runner_up_observed_at
                or (summarized.observed_at is not null and summarized.runner_up_observed_at is null)
                then 'most_recent'
            else 'record_key'
        end as strategy
    from summarized
    left join losers
        on
            summarized.customer_id = losers.customer_id
            and summarized.field_group = losers.field_group
),

final as (
    select * from chosen
)

select * from final
