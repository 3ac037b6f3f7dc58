with

candidates as (
    select * from {{ ref('int_golden_candidates_ranked') }}
),

records as (
    select
        record_number,
        record_key,
        customer_id,
        observed_at
    from {{ ref('int_person_records_numbered') }}
),

survivorship as (
    {{ golden_group_strategies(golden_fields()) }}
),

winners as (
    select * from candidates
    where candidate_rank = 1
),

losers as (
    select
        candidates.customer_number,
        candidates.group_number,
        count(*) as losing_count,
        {{ sorted_list('records.record_key', ' ') }} as losing_record_keys
    from candidates
    inner join records on candidates.record_number = records.record_number
    where candidates.candidate_rank > 1
    group by candidates.customer_number, candidates.group_number
),

chosen as (
    select
        records.customer_id,
        survivorship.field_group,
        records.record_key,
        records.observed_at,
        coalesce(losers.losing_count, 0) as losing_count,
        losers.losing_record_keys,
        winners.record_number,
        case
            when winners.deciding_position is null then 'only_candidate'
            {% for position in strategy_positions() %}
                when winners.deciding_position = {{ position }} then survivorship.strategy_{{ position }}
            {% endfor %}
            else 'record_key'
        end as strategy
    from winners
    inner join records on winners.record_number = records.record_number
    inner join survivorship on winners.group_number = survivorship.group_number
    left join losers
        on
            winners.customer_number = losers.customer_number
            and winners.group_number = losers.group_number
),

final as (
    select * from chosen
)

select * from final
