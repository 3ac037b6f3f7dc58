-- The golden record: each group of fields from the record that was chosen for it.
with

chosen as (
    select * from {{ ref('int_golden_groups_chosen') }}
),

records as (
    select * from {{ ref('int_person_records_assigned') }}
),

assembled as (
    select
        chosen.customer_id,
        {% for field_group, rule in golden_fields().items() %}
            {% for field in rule.fields %}
                max(case when chosen.field_group = '{{ field_group }}' then records.{{ field }} end) as {{ field }},
            {% endfor %}
        {% endfor %}
        max(chosen.observed_at) as observed_at
    from chosen
    inner join records on chosen.record_key = records.record_key
    group by chosen.customer_id
),

final as (
    select * from assembled
)

select * from final
