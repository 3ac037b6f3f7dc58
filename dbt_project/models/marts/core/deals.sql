with

deals as (
    select * from {{ ref('stg_crm__deals') }}
    where not is_deleted
),

deal_contacts as (
    select * from {{ ref('stg_crm__deal_contacts') }}
    where not is_deleted
),

followed as (
    select * from {{ ref('int_deal_records_followed') }}
),

-- Read twice, each time for few records: what one query reads by one name twice, the engine keeps in memory.
members as (
    select * from {{ source('identity', 'members') }}
),

contact_members as (
    select * from {{ source('identity', 'members') }}
),

account_records as (
    select * from {{ source('identity', 'account_records') }}
),

build as (
    select * from {{ source('config', 'build') }}
),

-- A deal that names no contact is that of the one customer who takes part in it.
sole_contacts as (
    select
        followed.deal_key,
        min(contact_members.customer_id) as customer_id
    from deal_contacts
    inner join followed on deal_contacts.deal_record_key = followed.record_key
    inner join contact_members on deal_contacts.contact_record_key = contact_members.record_key
    group by followed.deal_key
    having min(contact_members.customer_id) = max(contact_members.customer_id)
),

judged as (
    select
        deals.*,
        build.base_currency,
        coalesce(upper(deals.currency), build.base_currency) as deal_currency,
        coalesce(deals.is_won, false) as has_won,
        coalesce(deals.is_lost, false) as has_lost,
        coalesce(deals.closed_at <= build.as_of, false) as is_closed
    from deals
    cross join build
),

joined as (
    select
        judged.record_key as deal_key,
        coalesce(members.customer_id, sole_contacts.customer_id) as customer_id,
        account_records.account_id,
        judged.source_system,
        judged.pipeline,
        judged.stage,
        not judged.has_won and not judged.has_lost and not judged.is_closed as is_open,
        judged.has_won as is_won,
        judged.has_lost as is_lost,
        {{ shared_value('judged.lost_reason') }} as lost_reason,
        judged.deal_currency as currency,
        judged.amount,
        case when judged.deal_currency = judged.base_currency then judged.amount end as amount_base,
        judged.campaign_record_key as campaign_key,
        judged.expected_close_date,
        judged.closed_at,
        judged.created_at,
        judged.updated_at
    from judged
    left join members on judged.contact_record_key = members.record_key
    left join sole_contacts on judged.record_key = sole_contacts.deal_key
    left join account_records on judged.company_record_key = account_records.record_key
),

final as (
    select * from joined
)

select * from final
