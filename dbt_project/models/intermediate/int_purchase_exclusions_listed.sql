{{ config(materialized='ephemeral') }}  -- read once

-- Who bought within the owner's days of grace: the customer, and every contact point of the order and of the record
-- that ordered.
with

orders as (
    select * from {{ ref('int_orders_booked') }}
    where kind = 'order'
),

rules as (
    select * from {{ source('config', 'exclusions') }}
    where just_bought_days > 0
),

build as (
    select * from {{ source('config', 'build') }}
),

-- Read twice, each time for few records: what one query reads by one name twice, the engine keeps in memory.
record_points as (
    select * from {{ source('clean', 'contact_points') }}
),

order_points as (
    select * from {{ source('clean', 'contact_points') }}
),

graced as (
    select
        orders.order_key,
        orders.customer_id,
        orders.person_record_key,
        {{ known_by('build.as_of', 'orders.ordered_at') }} as valid_from,
        {{ dbt.dateadd('day', 'rules.just_bought_days', 'orders.ordered_at') }} as valid_until
    from orders
    cross join rules
    cross join build
),

causes as (
    select graced.*
    from graced
    cross join build
    where graced.valid_until > build.as_of
),

contact_points_held as (
    select
        causes.order_key,
        record_points.contact_point_key,
        causes.valid_from,
        causes.valid_until
    from causes
    inner join record_points on causes.person_record_key = record_points.record_key
    union
    select
        causes.order_key,
        order_points.contact_point_key,
        causes.valid_from,
        causes.valid_until
    from causes
    inner join order_points on causes.order_key = order_points.record_key
),

held as (
    select
        order_key,
        customer_id,
        cast(null as varchar) as contact_point_key,
        valid_from,
        valid_until
    from causes
    where customer_id is not null
    union all
    select
        order_key,
        cast(null as varchar) as customer_id,
        contact_point_key,
        valid_from,
        valid_until
    from contact_points_held
),

final as (
    select
        customer_id,
        contact_point_key,
        'just_bought' as reason,
        cast(null as varchar) as controller,
        cast(null as varchar) as channel,
        'advertising' as purpose,
        order_key as record_key,
        valid_from,
        valid_until
    from held
)

select * from final
