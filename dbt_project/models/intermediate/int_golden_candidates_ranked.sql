{{ config(materialized='ephemeral') }}  -- read once

-- Whose group of fields becomes the customer's: complete groups first, then the owner's order of sources, then the
-- most recent record, then the key, so that no order is left to chance.
with

records as (
    select * from {{ ref('int_person_records_assigned') }}
),

priorities as (
    select * from {{ source('config', 'source_priority') }}
),

candidates as (
    {% for field_group, rule in golden_fields().items() %}
        select
            customer_id,
            record_key,
            source_system,
            observed_at,
            '{{ field_group }}' as field_group,
            {{ rule.sound }} as is_sound
        from records
        where
            not is_deleted
            and not is_inferred
            and (
                {% for field in rule.fields %}
                    {{ 'or ' if not loop.first }}{{ field }} is not null
                {% endfor %}
            )
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

prioritized as (
    select
        candidates.*,
        coalesce(priorities.priority, 1000) as priority
    from candidates
    left join priorities
        on
            candidates.field_group = priorities.field_group
            and candidates.source_system = priorities.source_system
),

ranked as (
    select
        customer_id,
        field_group,
        record_key,
        observed_at,
        is_sound,
        priority,
        row_number() over (
            partition by customer_id, field_group
            order by is_sound desc, priority asc, observed_at desc nulls last, record_key asc
        ) as candidate_rank
    from prioritized
),

final as (
    select * from ranked
)

select * from final
