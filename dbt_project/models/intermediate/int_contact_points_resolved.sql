-- Contact points that lead to one customer. One that several customers use leads to none of them: who is meant is not
-- known. Users of today count before those of the past.
with

contact_points as (
    select * from {{ ref('int_contact_points_assigned') }}
),

counted as (
    select
        contact_point_key,
        min(case when is_live then customer_id end) as first_user,
        max(case when is_live then customer_id end) as last_user,
        min(customer_id) as first_owner,
        max(customer_id) as last_owner
    from contact_points
    group by contact_point_key
),

resolved as (
    select
        contact_point_key,
        coalesce(first_user, first_owner) as customer_id
    from counted
    where coalesce(first_user, first_owner) = coalesce(last_user, last_owner)
),

final as (
    select * from resolved
)

select * from final
