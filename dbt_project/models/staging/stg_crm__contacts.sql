with

contacts as (

    select * from {{ source('raw', 'crm_contacts') }}

),

cast_and_trimmed as (

    select
        {{ person_columns() }}
    from contacts

)

select * from cast_and_trimmed
