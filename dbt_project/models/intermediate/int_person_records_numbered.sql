-- The person records that may give a value to the golden record: delivered and not deleted. Whoever ranks or looks them
-- up does so by number; keys are compared once, when they are numbered.
with

records as (
    select * from {{ ref('int_person_records_assigned') }}
),

-- Read apart from the wide records: what one query reads twice, the engine keeps in memory.
record_keys as (
    select
        record_key,
        customer_id
    from {{ ref('int_person_records_assigned') }}
    where not is_deleted and not is_inferred
),

ordered as (
    select
        record_key,
        customer_id,
        row_number() over (order by record_key) as record_number
    from record_keys
),

numbered as (
    select
        record_key,
        record_number,
        min(record_number) over (partition by customer_id) as customer_number
    from ordered
),

final as (
    select
        {% for rule in golden_fields().values() %}
            {% for field in rule.fields %}
                records.{{ field }},
            {% endfor %}
        {% endfor %}
        records.customer_id,
        records.record_key,
        records.source_system,
        records.observed_at,
        records.is_email_valid,
        numbered.record_number,
        numbered.customer_number
    from records
    inner join numbered on records.record_key = numbered.record_key
)

select * from final
