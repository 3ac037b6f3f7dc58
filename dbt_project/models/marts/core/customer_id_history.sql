with

history as (
    select * from {{ source('identity', 'customer_id_history') }}
),

final as (
    select
        customer_id,
        status,
        current_customer_id,
        founder_record_key,
        first_version,
        issued_at,
        status_version
    from history
)

select * from final
