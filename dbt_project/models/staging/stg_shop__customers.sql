with

customers as (

    select * from {{ source('raw', 'shop_customers') }}

),

cast_and_trimmed as (

    select
        {{ person_columns(own=['accepts_marketing', 'is_guest']) }}
    from customers

)

select * from cast_and_trimmed
