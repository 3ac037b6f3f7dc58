-- Customers, groups and records are numbers here, as among the candidates: who reads a winner finds its record, and
-- with it everything else, by its number.
with

candidates as (
    select * from {{ ref('int_golden_candidates_ranked') }}
),

records as (
    select
        record_number,
        record_key
    from {{ ref('int_person_records_numbered') }}
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
        {{ sorted_list('records.record_key', ' ', distinct=false) }} as losing_record_keys
    from candidates
    inner join records on candidates.record_number = records.record_number
    where candidates.candidate_rank > 1
    group by candidates.customer_number, candidates.group_number
),

chosen as (
    select
        winners.customer_number,
        winners.group_number,
        winners.record_number,
        winners.deciding_position,
        coalesce(losers.losing_count, 0) as losing_count,
        losers.losing_record_keys
    from winners
    left join losers
        on
            winners.customer_number = losers.customer_number
            and winners.group_number = losers.group_number
),

final as (
    select * from chosen
)

select * from final
