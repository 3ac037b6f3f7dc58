{{ config(materialized='ephemeral') }}  -- a lookup in few rows

-- Which deal a deal record is today: itself, else the one it was merged into, also when that was merged once more.
with

deals as (
    select
        record_key,
        merged_into_record_key,
        is_deleted
    from {{ ref('stg_crm__deals') }}
),

followed as (
    select
        deals.record_key,
        case
            when not deals.is_deleted then deals.record_key
            when not merged.is_deleted then merged.record_key
            when not merged_again.is_deleted then merged_again.record_key
        end as deal_key
    from deals
    left join deals as merged on deals.merged_into_record_key = merged.record_key
    left join deals as merged_again on merged.merged_into_record_key = merged_again.record_key
),

final as (
    select * from followed
    where deal_key is not null
)

select * from final
