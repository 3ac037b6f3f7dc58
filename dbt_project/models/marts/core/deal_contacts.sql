with

deal_contacts as (
    select * from {{ ref('stg_crm__deal_contacts') }}
    where not is_deleted
),

followed as (
    select * from {{ ref('int_deal_records_followed') }}
),

titles as (
    select * from {{ ref('int_titles_classified') }}
),

members as (
    select * from {{ source('identity', 'members') }}
),

joined as (
    select
        deal_contacts.record_key as deal_contact_key,
        followed.deal_key,
        members.customer_id,
        deal_contacts.source_system,
        {{ shared_value('lower(deal_contacts.role)') }} as role,
        titles.buying_role
    from deal_contacts
    left join followed on deal_contacts.deal_record_key = followed.record_key
    left join members on deal_contacts.contact_record_key = members.record_key
    left join titles on lower(deal_contacts.role) = titles.title
),

final as (
    select * from joined
)

select * from final
