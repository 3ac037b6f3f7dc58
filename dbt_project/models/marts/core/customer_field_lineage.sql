with

chosen as (
    select * from {{ ref('int_golden_groups_chosen') }}
),

records as (
    select * from {{ ref('int_person_records_assigned') }}
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

listed as (
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
    inner join records on chosen.record_key = records.record_key
    inner join field_names on chosen.field_group = field_names.field_group
),

final as (
    select * from listed
    where value is not null
)

select * from final
