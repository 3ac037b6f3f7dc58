-- The golden record: each group of fields from the record that was chosen for it, and over it what people pinned.
with

chosen as (
    select * from {{ ref('int_golden_groups_chosen') }}
),

records as (
    select * from {{ ref('int_person_records_assigned') }}
),

pinned as (
    select * from {{ ref('int_golden_values_pinned') }}
),

gathered as (
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

decided as (
    select
        customer_id,
        {% for rule in golden_fields().values() %}
            {% for field in rule.fields %}
                max(case when field = '{{ field }}' then value end) as {{ field }},
            {% endfor %}
        {% endfor %}
        max(decided_at) as decided_at
    from pinned
    group by customer_id
),

final as (
    select
        coalesce(gathered.customer_id, decided.customer_id) as customer_id,
        {% for rule in golden_fields().values() %}
            {% for field in rule.fields %}
                {% set pin = 'cast(decided.birth_date as date)' if field == 'birth_date' else 'decided.' ~ field %}
                coalesce({{ pin }}, gathered.{{ field }}) as {{ field }},
            {% endfor %}
        {% endfor %}
        greatest(gathered.observed_at, decided.decided_at) as observed_at
    from gathered
    full outer join decided on gathered.customer_id = decided.customer_id
)

select * from final
