{{ config(materialized='ephemeral') }}  -- read once

-- An objection holds for the whole person: for every contact point of the customer who objected, or of every customer
-- who uses the contact point that was named.
with

permissions as (
    select * from {{ ref('int_permissions_interpreted') }}
    where closed_as = 'objected'
),

attached as (
    select * from {{ ref('int_permission_points_attached') }}
),

-- Read twice, each time for few of them: what one query reads by one name twice, the engine keeps in memory.
contact_points as (
    select * from {{ ref('int_contact_points_assigned') }}
),

owners as (
    select
        contact_point_key,
        customer_id
    from {{ ref('int_contact_points_assigned') }}
),

channel_kinds as (
    {{ channel_kinds() }}
),

customers_by_reference as (
    select
        record_key,
        channel,
        customer_id
    from permissions
    where customer_id is not null
),

customers_by_contact_point as (
    select distinct
        permissions.record_key,
        permissions.channel,
        owners.customer_id
    from permissions
    inner join attached on permissions.record_key = attached.record_key
    inner join owners on attached.contact_point_key = owners.contact_point_key
    where permissions.customer_id is null
),

objecting_customers as (
    select * from customers_by_reference
    union all
    select * from customers_by_contact_point
),

points_of_customers as (
    select
        objecting_customers.record_key,
        channel_kinds.channel,
        contact_points.contact_point_key
    from objecting_customers
    inner join contact_points on objecting_customers.customer_id = contact_points.customer_id
    inner join channel_kinds
        on
            contact_points.kind = channel_kinds.kind
            and coalesce(objecting_customers.channel, channel_kinds.channel) = channel_kinds.channel
),

points_named as (
    select
        permissions.record_key,
        attached.channel,
        attached.contact_point_key
    from permissions
    inner join attached on permissions.record_key = attached.record_key
),

spread as (
    select * from points_of_customers
    union
    select * from points_named
),

final as (
    select * from spread
)

select * from final
