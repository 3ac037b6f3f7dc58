with

candidates as (
    select * from {{ ref('int_golden_candidates_ranked') }}
),

summarized as (
    select
        customer_id,
        field_group,
        count(*) - 1 as losing_count,
        {{ sorted_list('case when candidate_rank > 1 then record_key end', ' ', distinct=false) }}
            as losing_record_keys,
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

chosen as (
    select
        customer_id,
        field_group,
        record_key,
        observed_at,
        losing_count,
        nullif(losing_record_keys, '') as losing_record_keys,
        case
            when losing_count = 0 then 'only_candidate'
            when is_winner_sound and not is_runner_up_sound then 'completeness'
            when winner_priority < runner_up_priority then 'source_priority'
            when
                observed_at > runner_up_observed_at
                or (observed_at is not null and runner_up_observed_at is null)
                then 'most_recent'
            else 'record_key'
        end as strategy
    from summarized
),

final as (
    select * from chosen
)

select * from final
