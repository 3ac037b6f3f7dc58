{{ config(materialized='ephemeral') }}  -- each reader asks for the records of one entity

-- Whose a record is that names an e-mail address or phone number: the customer's, when it is the one customer who has
-- it. What several customers share proves nothing. An address is believed before a number.
with

contact_points as (
    select * from {{ source('clean', 'contact_points') }}
    where entity in ('carts', 'interactions') and kind in ('email', 'phone')
),

customer_points as (
    select * from {{ ref('int_contact_points_assigned') }}
),

owned as (
    select
        contact_points.entity,
        contact_points.record_key,
        contact_points.kind,
        min(customer_points.customer_id) as customer_id
    from contact_points
    inner join customer_points on contact_points.contact_point_key = customer_points.contact_point_key
    group by contact_points.entity, contact_points.record_key, contact_points.kind
    having min(customer_points.customer_id) = max(customer_points.customer_id)
),

ranked as (
    select
        entity,
        record_key,
        customer_id,
        row_number() over (partition by entity, record_key order by kind asc) as kind_rank
    from owned
),

final as (
    select
        entity,
        record_key,
        customer_id
    from ranked
    where kind_rank = 1
)

select * from final
