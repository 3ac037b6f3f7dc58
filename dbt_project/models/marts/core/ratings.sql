with

ratings as (
    select * from {{ ref('stg_support__ratings') }}
    where not is_deleted
),

members as (
    select * from {{ source('identity', 'members') }}
),

tickets as (
    select * from {{ ref('int_tickets_classified') }}
),

orders as (
    select * from {{ ref('int_orders_assigned') }}
),

joined as (
    select
        ratings.record_key as rating_key,
        coalesce(members.customer_id, tickets.customer_id, orders.customer_id) as customer_id,
        ratings.source_system,
        ratings.ticket_record_key as ticket_key,
        ratings.order_record_key as order_key,
        lower(ratings.kind) as kind,
        ratings.score,
        ratings.scale_max,
        case when ratings.scale_max > 0 then cast(ratings.score as double) / cast(ratings.scale_max as double) end
            as score_share,
        ratings.rated_at
    from ratings
    left join members on ratings.contact_record_key = members.record_key
    left join tickets on ratings.ticket_record_key = tickets.ticket_key
    left join orders on ratings.order_record_key = orders.order_key
),

final as (
    select * from joined
)

select * from final
