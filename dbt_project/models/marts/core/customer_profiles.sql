{% set text_fields = [
    'salutation', 'title', 'first_name', 'last_name', 'email', 'phone', 'mobile', 'street', 'house_number',
    'postal_code', 'city', 'region', 'country', 'gender', 'language', 'company_record_key', 'company_name', 'job_title'
] %}
with

customers as (
    select * from {{ ref('int_customers_described') }}
),

fields as (
    select * from {{ ref('int_golden_fields_chosen') }}
),

pivoted as (
    select
        customer_id,
        {% for field in text_fields %}
            max(case when field = '{{ field }}' then value end) as {{ field }},
        {% endfor %}
        cast(max(case when field = 'birth_date' then value end) as date) as birth_date
    from fields
    group by customer_id
),

joined as (
    select
        customers.customer_id,
        {% for field in text_fields %}
            pivoted.{{ field }},
        {% endfor %}
        pivoted.birth_date
    from customers
    left join pivoted on customers.customer_id = pivoted.customer_id
),

final as (
    select * from joined
)

select * from final
