with

records as (
    select * from {{ ref('int_person_records_assigned') }}
),

final as (
    select
        record_key,
        source_system,
        entity,
        customer_id,
        kind,
        is_guest,
        is_inferred,
        is_deleted,
        created_at,
        updated_at,
        deleted_at
    from records
)

select * from final
