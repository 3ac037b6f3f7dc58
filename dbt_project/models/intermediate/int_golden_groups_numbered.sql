{{ config(materialized='ephemeral') }}  -- few rows

-- The owner's strategies for each group of golden fields, by the number that stands for the group among candidates.
with

group_numbers as (
    {{ golden_group_numbers(golden_fields()) }}
),

survivorship as (
    select * from {{ source('config', 'survivorship') }}
),

final as (
    select
        group_numbers.group_number,
        survivorship.*
    from survivorship
    inner join group_numbers on survivorship.field_group = group_numbers.field_group
)

select * from final
