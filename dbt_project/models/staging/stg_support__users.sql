with

users as (

    select * from {{ source('raw', 'support_users') }}

),

cast_and_trimmed as (

    select
        {{ person_columns() }}
    from users

)

select * from cast_and_trimmed
