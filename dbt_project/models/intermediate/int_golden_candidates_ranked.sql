{{ config(materialized='ephemeral') }}  -- read once

-- Whose group of fields becomes the customer's: the owner's strategies one after the other, then the key, so that no
-- order is left to chance. Every strategy is a number, lower is better, and customers, groups and records are numbers
-- too: there are several candidates for every record, and nothing is carried along that a number can find again.
with

records as (
    select * from {{ ref('int_person_records_numbered') }}
),

survivorship as (
    {{ golden_group_strategies(golden_fields()) }}
),

priorities as (
    select
        survivorship.group_number,
        priorities.source_system,
        priorities.priority
    from {{ source('config', 'source_priority') }} as priorities
    inner join survivorship on priorities.field_group = survivorship.field_group
),

verified as (
    select * from {{ ref('int_contact_points_verified') }}
),

candidates as (
    {% for rule in golden_fields().values() %}
        select
            customer_number,
            record_number,
            source_system,
            observed_at,
            {{ loop.index }} as group_number,
            {{ rule.complete | default(filled_count(rule.core)) }} as completeness
        from records
        where {{ rule.fields | join(' is not null or ') }} is not null
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

-- What the records say, in the groups for which the owner asks who else says it or since when it is proven.
said as (
    {% for field_group, rule in golden_fields().items() %}
        select
            records.customer_number,
            records.record_number,
            records.record_key,
            survivorship.group_number,
            survivorship.counts_frequency,
            survivorship.contact_kind,
            {{ said_value(rule.core) }} as said_value
        from records
        cross join survivorship
        where
            survivorship.field_group = '{{ field_group }}'
            and (survivorship.counts_frequency or survivorship.contact_kind is not null)
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

-- How many records of the customer say the same.
frequencies as (
    select
        record_number,
        group_number,
        count(*) over (partition by customer_number, group_number, said_value) as record_count
    from said
    where counts_frequency
),

proofs as (
    select
        said.record_number,
        said.group_number,
        verified.verified_at
    from said
    inner join verified
        on
            said.record_key = verified.record_key
            and said.contact_kind = verified.kind
            and (said.said_value = verified.value or (verified.kind = 'address' and verified.is_primary))
),

judged as (
    select
        {% for position in strategy_positions() %}
            case survivorship.strategy_{{ position }}
                when 'most_complete' then -1 * candidates.completeness
                when 'source_priority' then coalesce(priorities.priority, 1000)
                when 'most_recent' then -1 * {{ microseconds('candidates.observed_at') }}
                when 'most_frequent' then -1 * frequencies.record_count
                when 'longest_verified' then {{ microseconds('proofs.verified_at') }}
            end as place_{{ position }},
        {% endfor %}
        candidates.customer_number,
        candidates.group_number,
        candidates.record_number
    from candidates
    inner join survivorship on candidates.group_number = survivorship.group_number
    left join priorities
        on
            candidates.group_number = priorities.group_number
            and candidates.source_system = priorities.source_system
    left join frequencies
        on
            candidates.record_number = frequencies.record_number
            and candidates.group_number = frequencies.group_number
    left join proofs
        on
            candidates.record_number = proofs.record_number
            and candidates.group_number = proofs.group_number
),

ranked as (
    select
        judged.*,
        row_number() over candidates_in_order as candidate_rank,
        -- As one value: each value that is looked up in the next row is looked up apart.
        lead({
            {% for position in strategy_positions() %}
                'place_{{ position }}': place_{{ position }}{{ ',' if not loop.last }}
            {% endfor %}
        }) over candidates_in_order as next_candidate
    from judged
    window candidates_in_order as (
        partition by customer_number, group_number
        order by
            {% for position in strategy_positions() %}
                place_{{ position }} asc nulls last,
            {% endfor %}
            record_number asc
    )
),

final as (
    select
        customer_number,
        group_number,
        record_number,
        candidate_rank,
        -- The first strategy that tells the candidate from the next one, by its position.
        case
            when next_candidate is null then null
            {% for position in strategy_positions() %}
                {% set place, next_place = 'place_' ~ position, "next_candidate['place_" ~ position ~ "']" %}
                when {{ place }} < {{ next_place }} or ({{ place }} is not null and {{ next_place }} is null)
                    then {{ position }}
            {% endfor %}
            else 0
        end as deciding_position
    from ranked
)

select * from final
