with

touches as (
    select * from {{ ref('int_touches_located') }}
    where not is_deleted
),

members as (
    select * from {{ source('identity', 'members') }}
),

contact_points as (
    select * from {{ ref('int_contact_points_resolved') }}
),

assigned as (
    select
        touches.touch_key,
        coalesce(members.customer_id, contact_points.customer_id) as customer_id,
        touches.contact_point_key,
        touches.source_system,
        touches.controller,
        touches.campaign_key,
        touches.step,
        touches.variant,
        touches.channel,
        touches.kind,
        touches.bounce_type,
        touches.is_machine,
        touches.occurred_at
    from touches
    left join members on touches.contact_record_key = members.record_key
    -- Whose contact is named is not looked for among a million contact points.
    left join contact_points
        on case when members.customer_id is null then touches.contact_point_key end = contact_points.contact_point_key
),

final as (
    select * from assigned
)

select * from final
