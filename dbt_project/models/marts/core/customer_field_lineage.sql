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

field_names as (
    select
        field_names.field_group,
        field_names.field
    from (
        values
        {% for field_group, rule in golden_fields().items() %}
            {% set last_group = loop.last %}
            {% for field in rule.fields %}
                ('{{ field_group }}', '{{ field }}'){{ ',' if not (last_group and loop.last) }}
            {% endfor %}
        {% endfor %}
    ) as field_names (field_group, field)
),

survived as (
    select
        chosen.customer_id,
        field_names.field,
        case field_names.field
            {% for rule in golden_fields().values() %}
                {% for field in rule.fields %}
                    when '{{ field }}' then cast(records.{{ field }} as varchar)
                {% endfor %}
            {% endfor %}
        end as value,
        chosen.record_key,
        chosen.strategy,
        chosen.observed_at,
        chosen.losing_count,
        chosen.losing_record_keys
    from chosen
    inner join records on chosen.record_number = records.record_number
    inner join field_names on chosen.field_group = field_names.field_group
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
        case when chosen.record_key is null then 0 else chosen.losing_count + 1 end as losing_count,
        nullif(concat_ws(' ', chosen.record_key, chosen.losing_record_keys), '') as losing_record_keys
    from pinned
    inner join field_names on pinned.field = field_names.field
    left join chosen
        on
            pinned.customer_id = chosen.customer_id
            and field_names.field_group = chosen.field_group
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
