-- The person records that may give a value to the golden record: delivered and not deleted, or known from an order with
-- their account. Whoever ranks or looks them up does so by number; keys are compared once, when they are numbered.
with

persons as (
    select * from {{ source('clean', 'persons') }}
),

records as (
    select
        record_key,
        customer_id,
        source_system,
        observed_at
    from {{ ref('int_person_records_assigned') }}
    where not is_deleted and (not is_inferred or is_described_by_order)
),

ordered as (
    select
        records.*,
        row_number() over (order by record_key) as record_number
    from records
),

numbered as (
    select
        ordered.*,
        min(record_number) over (partition by customer_id) as customer_number
    from ordered
),

final as (
    select
        {% for rule in golden_fields().values() %}
            {% for field in rule.fields %}
                persons.{{ field }},
            {% endfor %}
        {% endfor %}
        numbered.customer_id,
        numbered.record_key,
        numbered.source_system,
        numbered.observed_at,
        persons.is_email_valid,
        numbered.record_number,
        numbered.customer_number
    from persons
    inner join numbered on persons.record_key = numbered.record_key
)

select * from final
