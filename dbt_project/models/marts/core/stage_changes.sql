with

stage_changes as (
    select * from {{ ref('stg_crm__stage_changes') }}
    where not is_deleted
),

deals as (
    select * from {{ ref('deals') }}
),

followed as (
    select * from {{ ref('int_deal_records_followed') }}
),

members as (
    select * from {{ source('identity', 'members') }}
),

account_records as (
    select * from {{ source('identity', 'account_records') }}
),

joined as (
    select
        stage_changes.record_key as stage_change_key,
        coalesce(members.customer_id, deals.customer_id) as customer_id,
        coalesce(account_records.account_id, deals.account_id) as account_id,
        deals.deal_key,
        stage_changes.source_system,
        lower(stage_changes.from_stage) as from_stage,
        lower(stage_changes.stage) as stage,
        coalesce(stage_changes.entered_at, stage_changes.created_at) as entered_at
    from stage_changes
    left join followed on stage_changes.deal_record_key = followed.record_key
    left join deals on followed.deal_key = deals.deal_key
    left join members on stage_changes.contact_record_key = members.record_key
    left join account_records on stage_changes.company_record_key = account_records.record_key
),

final as (
    select * from joined
)

select * from final
