with

chosen as (
    select * from {{ ref('int_golden_groups_chosen') }}
),

records as (
    select * from {{ ref('int_person_records_numbered') }}
),

pinned as (
    select * from {{ ref('int_golden_values_pinned') }}
),

survivorship as (
    {{ golden_group_strategies(golden_fields()) }}
),

-- Read apart from what survived: few values are pinned, and what one query reads twice, the engine keeps in memory.
record_keys as (
    select
        record_number,
        record_key,
        customer_id
    from {{ ref('int_person_records_numbered') }}
),

groups_won as (
    select * from {{ ref('int_golden_groups_chosen') }}
),

field_names as (
    select
        field_names.group_number,
        field_names.field
    from (
        values
        {% for field_group, rule in golden_fields().items() %}
            {% set last_group = loop.last %}
            {% for field in rule.fields %}
                ({{ golden_group_number(field_group) }}, '{{ field }}'){{ ',' if not (last_group and loop.last) }}
            {% endfor %}
        {% endfor %}
    ) as field_names (group_number, field)
),

survived as (
    select
        records.customer_id,
        field_names.field,
        case field_names.field
            {% for rule in golden_fields().values() %}
                {% for field in rule.fields %}
                    when '{{ field }}' then cast(records.{{ field }} as varchar)
                {% endfor %}
            {% endfor %}
        end as value,
        records.record_key,
        case
            when chosen.deciding_position is null then 'only_candidate'
            {% for position in strategy_positions() %}
                when chosen.deciding_position = {{ position }} then survivorship.strategy_{{ position }}
            {% endfor %}
            else 'record_key'
        end as strategy,
        records.observed_at,
        chosen.losing_count,
        chosen.losing_record_keys
    from chosen
    inner join records on chosen.record_number = records.record_number
    inner join survivorship on chosen.group_number = survivorship.group_number
    inner join field_names on chosen.group_number = field_names.group_number
),

won_by_pinned_customers as (
    select
        record_keys.customer_id,
        record_keys.record_key,
        groups_won.group_number,
        groups_won.losing_count,
        groups_won.losing_record_keys
    from (select distinct customer_id from pinned) as pinned_customers
    inner join record_keys on pinned_customers.customer_id = record_keys.customer_id
    inner join groups_won on record_keys.record_number = groups_won.record_number
),

-- Against a value that was pinned, every record that offers the field's group has lost.
overridden as (
    select
        pinned.customer_id,
        pinned.field,
        pinned.value,
        pinned.record_key,
        'override' as strategy,
        pinned.decided_at as observed_at,
        case when won.record_key is null then 0 else won.losing_count + 1 end as losing_count,
        nullif(concat_ws(' ', won.record_key, won.losing_record_keys), '') as losing_record_keys
    from pinned
    inner join field_names on pinned.field = field_names.field
    left join won_by_pinned_customers as won
        on
            pinned.customer_id = won.customer_id
            and field_names.group_number = won.group_number
),

listed as (
    select survived.*
    from survived
    left join pinned
        on
            survived.customer_id = pinned.customer_id
            and survived.field = pinned.field
    where survived.value is not null and pinned.customer_id is null
    union all
    select * from overridden
),

final as (
    select * from listed
)

select * from final
