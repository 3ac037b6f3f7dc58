{{ config(materialized='ephemeral') }}  -- read once

-- Whose group of fields becomes the customer's: the owner's strategies one after the other, then the key, so that no
-- order is left to chance. Every strategy is a number, lower is better, and so is every record: keys are compared once,
-- when they are numbered, and not in every group.
with

records as (
    select
        persons.*,
        row_number() over (order by record_key) as record_number
    from {{ ref('int_person_records_assigned') }} as persons
    where not is_deleted and not is_inferred
),

survivorship as (
    select * from {{ source('config', 'survivorship') }}
),

priorities as (
    select * from {{ source('config', 'source_priority') }}
),

verified as (
    select * from {{ ref('int_contact_points_verified') }}
),

candidates as (
    {% for field_group, rule in golden_fields().items() %}
        select
            customer_id,
            record_key,
            record_number,
            source_system,
            observed_at,
            '{{ field_group }}' as field_group,
            {{ rule.complete | default(filled_count(rule.core)) }} as completeness,
            {{ said_value(rule.core) }} as said_value
        from records
        where {{ rule.fields | join(' is not null or ') }} is not null
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

-- How many records of the customer say the same, where the owner asks.
frequencies as (
    select
        candidates.customer_id,
        candidates.field_group,
        candidates.said_value,
        count(*) as record_count
    from candidates
    inner join survivorship on candidates.field_group = survivorship.field_group and survivorship.counts_frequency
    group by candidates.customer_id, candidates.field_group, candidates.said_value
),

judged as (
    select
        candidates.customer_id,
        candidates.field_group,
        candidates.record_key,
        candidates.record_number,
        {% for position in strategy_positions() %}
            survivorship.strategy_{{ position }},
            case survivorship.strategy_{{ position }}
                when 'most_complete' then -1 * candidates.completeness
                when 'source_priority' then coalesce(priorities.priority, 1000)
                when 'most_recent' then -1 * {{ microseconds('candidates.observed_at') }}
                when 'most_frequent' then -1 * frequencies.record_count
                when 'longest_verified' then {{ microseconds('verified.verified_at') }}
            end as place_{{ position }},
        {% endfor %}
        candidates.observed_at
    from candidates
    inner join survivorship on candidates.field_group = survivorship.field_group
    left join priorities
        on
            candidates.field_group = priorities.field_group
            and candidates.source_system = priorities.source_system
    left join frequencies
        on
            candidates.customer_id = frequencies.customer_id
            and candidates.field_group = frequencies.field_group
            and candidates.said_value = frequencies.said_value
    left join verified
        on
            candidates.record_key = verified.record_key
            and survivorship.contact_kind = verified.kind
            and (candidates.said_value = verified.value or (verified.kind = 'address' and verified.is_primary))
),

ranked as (
    select
        judged.*,
        row_number() over (
            partition by customer_id, field_group
            order by
                {% for position in strategy_positions() %}
                    place_{{ position }} asc nulls last,
                {% endfor %}
                record_number asc
        ) as candidate_rank
    from judged
),

final as (
    select * from ranked
)

select * from final
