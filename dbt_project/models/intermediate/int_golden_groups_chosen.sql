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
        count(*) as losing_count,
        {{ sorted_list('record_key', ' ', distinct=false) }} as losing_record_keys
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
        coalesce(losers.losing_count, 0) as losing_count,
        losers.losing_record_keys,
        -- The first strategy that tells the winner from the next.
        case
            when losers.losing_count is null then 'only_candidate'
            {% for position in strategy_positions() %}
                when
                    winners.place_{{ position }} < runners_up.place_{{ position }}
                    or (winners.place_{{ position }} is not null and runners_up.place_{{ position }} is null)
                    then winners.strategy_{{ position }}
            {% endfor %}
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
