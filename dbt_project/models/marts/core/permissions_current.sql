with

decided as (
    select * from {{ ref('int_permissions_decided') }}
),

final as (
    select
        controller,
        contact_point_key,
        channel,
        purpose,
        status,
        is_permitted,
        basis,
        evidence_ref,
        status_at
    from decided
)

select * from final
