{{ config(materialized='ephemeral') }}  -- read once

-- Who has an open critical ticket: the customer, every contact point of the customer, and every contact point of the
-- record that wrote, also when that record joined nobody.
with

tickets as (
    select * from {{ ref('int_tickets_classified') }}
    where is_open and is_critical
),

rules as (
    select * from {{ source('config', 'exclusions') }}
    where open_critical_ticket
),

customer_points as (
    select * from {{ ref('int_contact_points_assigned') }}
),

-- Read twice, each time for few records: what one query reads by one name twice, the engine keeps in memory.
record_points as (
    select * from {{ source('clean', 'contact_points') }}
),

order_points as (
    select * from {{ source('clean', 'contact_points') }}
),

build as (
    select * from {{ source('config', 'build') }}
),

causes as (
    select
        tickets.ticket_key,
        tickets.customer_id,
        tickets.person_record_key,
        tickets.order_key,
        {{ known_by('build.as_of', 'tickets.created_at') }} as valid_from
    from tickets
    cross join rules
    cross join build
),

customers_held as (
    select
        ticket_key,
        customer_id,
        cast(null as varchar) as contact_point_key,
        valid_from
    from causes
    where customer_id is not null
),

contact_points_held as (
    select
        causes.ticket_key,
        customer_points.contact_point_key,
        causes.valid_from
    from causes
    inner join customer_points on causes.customer_id = customer_points.customer_id
    union
    select
        causes.ticket_key,
        record_points.contact_point_key,
        causes.valid_from
    from causes
    inner join record_points on causes.person_record_key = record_points.record_key
    union
    select
        causes.ticket_key,
        order_points.contact_point_key,
        causes.valid_from
    from causes
    inner join order_points on causes.order_key = order_points.record_key
),

held as (
    select
        ticket_key,
        customer_id,
        contact_point_key,
        valid_from
    from customers_held
    union all
    select
        ticket_key,
        cast(null as varchar) as customer_id,
        contact_point_key,
        valid_from
    from contact_points_held
),

final as (
    select
        customer_id,
        contact_point_key,
        'open_critical_ticket' as reason,
        cast(null as varchar) as controller,
        cast(null as varchar) as channel,
        'advertising' as purpose,
        ticket_key as record_key,
        valid_from,
        cast(null as timestamp) as valid_until
    from held
)

select * from final
