with

fields as (
    select * from {{ ref('int_golden_fields_chosen') }}
),

final as (
    select
        customer_id,
        field,
        value,
        record_key,
        strategy,
        observed_at,
        losing_count,
        losing_record_keys
    from fields
)

select * from final
