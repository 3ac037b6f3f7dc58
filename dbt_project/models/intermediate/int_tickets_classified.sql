with

tickets as (
    select * from {{ ref('stg_support__tickets') }}
    where not is_deleted
),

-- Read twice, each time for few records: what one query reads by one name twice, the engine keeps in memory.
members as (
    select * from {{ source('identity', 'members') }}
),

order_members as (
    select * from {{ source('identity', 'members') }}
),

-- Also deleted orders: who complains about one is still known by it.
orders as (
    select
        record_key as order_key,
        coalesce(customer_record_key, record_key) as person_record_key
    from {{ ref('stg_shop__orders') }}
),

critical_priorities as (
    select * from {{ source('config', 'critical_priorities') }}
),

build as (
    select * from {{ source('config', 'build') }}
),

opened as (
    select
        tickets.*,
        lower(tickets.priority) as priority_class,
        lower(tickets.status) as status_class,
        -- A status that nobody defined counts as open: a ticket too many is checked, one too few is forgotten.
        case
            when tickets.status is null then tickets.solved_at is null
            else lower(tickets.status) not in ('solved', 'closed')
        end as is_open
    from tickets
),

classified as (
    select
        opened.*,
        case
            when critical_priorities.priority is not null then 'priority'
            when opened.is_open and opened.sla_breached_at <= build.as_of then 'sla_breached'
        end as critical_reason
    from opened
    cross join build
    left join critical_priorities on opened.priority_class = critical_priorities.priority
),

assigned as (
    select
        classified.record_key as ticket_key,
        coalesce(members.customer_id, order_members.customer_id) as customer_id,
        coalesce(classified.requester_record_key, orders.person_record_key) as person_record_key,
        classified.source_system,
        classified.type,
        classified.priority_class as priority,
        classified.status_class as status,
        classified.channel,
        classified.category,
        classified.product_record_key as product_key,
        classified.order_record_key as order_key,
        classified.created_at,
        classified.updated_at,
        classified.first_reply_at,
        classified.solved_at,
        classified.sla_breached_at,
        classified.reopened_count,
        classified.is_open,
        classified.critical_reason is not null as is_critical,
        classified.critical_reason
    from classified
    left join members on classified.requester_record_key = members.record_key
    left join orders on classified.order_record_key = orders.order_key
    left join order_members on orders.person_record_key = order_members.record_key
),

final as (
    select * from assigned
)

select * from final
