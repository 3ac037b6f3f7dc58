with

steps as (
    select * from {{ ref('stg_marketing__campaign_steps') }}
    where not is_deleted
),

final as (
    select
        record_key as campaign_step_key,
        campaign_record_key as campaign_key,
        source_system,
        step,
        name,
        goal
    from steps
)

select * from final
