{{ config(materialized='ephemeral') }}  -- each reader asks for the records of one entity

-- Whose a record is that names an e-mail address or phone number: the customer's, when it is the one customer who has
-- it. What several customers share proves nothing. An address is believed before a number.
with

contact_points as (
    select * from {{ source('clean', 'contact_points') }}
    where entity in ('carts', 'interactions') and kind in ('email', 'phone')
),

resolved as (
    select * from {{ ref('int_contact_points_resolved') }}
),

ranked as (
    select
        contact_points.entity,
        contact_points.record_key,
        resolved.customer_id,
        row_number() over (
            partition by contact_points.entity, contact_points.record_key order by contact_points.kind asc
        ) as kind_rank
    from contact_points
    inner join resolved on contact_points.contact_point_key = resolved.contact_point_key
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
