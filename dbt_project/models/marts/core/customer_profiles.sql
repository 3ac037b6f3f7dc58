with

customers as (
    select distinct customer_id from {{ source('identity', 'members') }}
),

golden_records as (
    select * from {{ ref('int_golden_records_assembled') }}
),

joined as (
    select
        customers.customer_id,
        golden_records.salutation,
        golden_records.title,
        golden_records.first_name,
        golden_records.last_name,
        golden_records.email,
        golden_records.phone,
        golden_records.mobile,
        golden_records.street,
        golden_records.house_number,
        golden_records.postal_code,
        golden_records.city,
        golden_records.region,
        golden_records.country,
        golden_records.gender,
        golden_records.language,
        golden_records.company_record_key,
        golden_records.company_name,
        golden_records.job_title,
        golden_records.birth_date
    from customers
    left join golden_records on customers.customer_id = golden_records.customer_id
),

final as (
    select * from joined
)

select * from final
