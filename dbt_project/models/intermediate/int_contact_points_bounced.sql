{{ config(materialized='ephemeral') }}  -- read once

-- Contact points at which nothing arrives: the last that came back for good came back after the last that was read or
-- taken in. A letter or a message that names no contact point went to the one its contact had at that time.
with

touches as (
    select * from {{ ref('int_touches_located') }}
    where
        (kind = 'bounced' and bounce_type = 'hard')
        or (kind = 'returned' and coalesce(bounce_type, 'hard') = 'hard')
        or (kind in ('delivered', 'opened', 'clicked', 'answered', 'replied') and not is_machine)
),

contact_points as (
    select * from {{ source('clean', 'contact_points') }}
),

judged as (
    select
        touch_key,
        contact_record_key,
        contact_point_kind,
        contact_point_key,
        occurred_at,
        kind in ('bounced', 'returned') as is_bounce
    from touches
),

points_of_contacts as (
    select
        judged.touch_key,
        contact_points.contact_point_key,
        judged.occurred_at,
        row_number() over (
            partition by judged.touch_key
            order by coalesce(contact_points.is_primary, false) desc, contact_points.contact_point_key asc
        ) as point_rank
    from judged
    inner join contact_points
        on
            judged.contact_record_key = contact_points.record_key
            and judged.contact_point_kind = contact_points.kind
            and coalesce(judged.occurred_at >= contact_points.valid_from, true)
            and coalesce(judged.occurred_at < contact_points.valid_until, true)
    where judged.is_bounce and judged.contact_point_key is null
),

bounces as (
    select
        contact_point_key,
        occurred_at
    from judged
    where is_bounce and contact_point_key is not null
    union all
    select
        contact_point_key,
        occurred_at
    from points_of_contacts
    where point_rank = 1
),

bounced as (
    select
        contact_point_key,
        max(occurred_at) as bounced_at
    from bounces
    group by contact_point_key
),

reached as (
    select
        contact_point_key,
        max(occurred_at) as reached_at
    from judged
    where not is_bounce and contact_point_key is not null
    group by contact_point_key
),

final as (
    select
        bounced.contact_point_key,
        bounced.bounced_at
    from bounced
    left join reached on bounced.contact_point_key = reached.contact_point_key
    where not coalesce(reached.reached_at > bounced.bounced_at, false)
)

select * from final
