with

chosen as (
    select * from {{ ref('int_customer_attributes_chosen') }}
),

final as (
    select
        customer_id,
        attribute_group,
        attribute,
        shown_value as value,
        is_inferred,
        source_system,
        provider,
        license,
        observed_at,
        record_key
    from chosen
)

select * from final
