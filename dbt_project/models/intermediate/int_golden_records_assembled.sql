{{ config(materialized='ephemeral') }}  -- read once, as marts.customer_profiles

-- The golden record: each group of fields from the record that was chosen for it, and over it what people pinned.
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

-- Most customers have all their groups from one or two records: each of them is looked up once.
won as (
    select
        {% for field_group in golden_fields() %}
            bool_or(field_group = '{{ field_group }}') as has_{{ field_group }},
        {% endfor %}
        record_number
    from chosen
    group by record_number
),

gathered as (
    select
        {% for field_group, rule in golden_fields().items() %}
            {% for field in rule.fields %}
                max(case when won.has_{{ field_group }} then records.{{ field }} end) as {{ field }},
            {% endfor %}
        {% endfor %}
        min(records.customer_id) as customer_id
    from won
    inner join records on won.record_number = records.record_number
    group by records.customer_number
),

decided as (
    select
        {% for rule in golden_fields().values() %}
            {% for field in rule.fields %}
                max(case when field = '{{ field }}' then value end) as {{ field }},
            {% endfor %}
        {% endfor %}
        customer_id
    from pinned
    group by customer_id
),

final as (
    select
        {% for rule in golden_fields().values() %}
            {% for field in rule.fields %}
                {% set pin = 'cast(decided.birth_date as date)' if field == 'birth_date' else 'decided.' ~ field %}
                coalesce({{ pin }}, gathered.{{ field }}) as {{ field }},
            {% endfor %}
        {% endfor %}
        coalesce(gathered.customer_id, decided.customer_id) as customer_id
    from gathered
    full outer join decided on gathered.customer_id = decided.customer_id
)

select * from final
