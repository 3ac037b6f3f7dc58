-- Contact points that lead to one customer. One that several customers use leads to none of them: who is meant is not
-- known. Users of today count before those of the past.
with

contact_points as (
    select * from {{ ref('int_contact_points_assigned') }}
),

-- With a digit in front that puts users of today first, and last: two texts a point instead of four.
ranged as (
    select
        contact_point_key,
        min(concat(case when is_live then '0' else '1' end, customer_id)) as first_user,
        max(concat(case when is_live then '1' else '0' end, customer_id)) as last_user
    from contact_points
    group by contact_point_key
),

resolved as (
    select
        contact_point_key,
        substring(first_user, 2) as customer_id
    from ranged
    where substring(first_user, 2) = substring(last_user, 2)
),

final as (
    select * from resolved
)

select * from final
