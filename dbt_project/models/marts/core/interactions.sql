with

interactions as (
    select * from {{ ref('stg_crm__interactions') }}
    where not is_deleted
),

attached as (
    select * from {{ ref('int_records_attached') }}
    where entity = 'interactions'
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
        interactions.record_key as interaction_key,
        coalesce(members.customer_id, attached.customer_id) as customer_id,
        account_records.account_id,
        interactions.source_system,
        lower(interactions.channel) as channel,
        lower(interactions.direction) as direction,
        coalesce(interactions.started_at, interactions.created_at) as started_at,
        interactions.duration_seconds,
        {{ shared_value('lower(interactions.outcome)') }} as outcome,
        interactions.ticket_record_key as ticket_key,
        followed.deal_key,
        interactions.campaign_record_key as campaign_key
    from interactions
    left join members on interactions.contact_record_key = members.record_key
    left join attached on interactions.record_key = attached.record_key
    left join account_records on interactions.company_record_key = account_records.record_key
    left join followed on interactions.deal_record_key = followed.record_key
),

final as (
    select * from joined
)

select * from final
