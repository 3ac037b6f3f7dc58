{% set other_entities = {
    'companies': 'stg_crm__companies',
    'permissions': 'stg_crm__permissions',
    'contact_methods': 'stg_crm__contact_methods',
    'orders': 'stg_shop__orders',
    'returns': 'stg_shop__returns',
    'products': 'stg_shop__products',
    'tickets': 'stg_support__tickets',
    'ratings': 'stg_support__ratings',
    'company_contacts': 'stg_crm__company_contacts',
    'deals': 'stg_crm__deals',
    'deal_contacts': 'stg_crm__deal_contacts',
    'stage_changes': 'stg_crm__stage_changes',
    'interactions': 'stg_crm__interactions',
    'invoices': 'stg_erp__invoices',
    'order_discounts': 'stg_shop__order_discounts',
    'carts': 'stg_shop__carts',
    'campaigns': 'stg_marketing__campaigns',
    'campaign_steps': 'stg_marketing__campaign_steps',
} %}
with

persons as (
    select * from {{ ref('int_person_records_assigned') }}
),

guest_orders as (
    select record_key from {{ ref('int_person_records_assigned') }}
    where entity = 'orders'
),

-- Of touches, those that a permission may rest on.
touches as (
    select * from {{ ref('int_touches_located') }}
    where kind in ('complained', 'unsubscribed')
),

other_records as (
    {% for entity, model in other_entities.items() %}
        select
            record_key,
            source_system,
            '{{ entity }}' as entity,
            source_record_id
        from {{ ref(model) }}
        union all
    {% endfor %}
    select
        touch_key as record_key,
        source_system,
        'touches' as entity,
        source_record_id
    from touches
),

-- A guest order is a person record and an order at once: one source record, one row.
other_than_persons as (
    select
        other_records.record_key,
        other_records.source_system,
        other_records.entity,
        other_records.source_record_id
    from other_records
    left join guest_orders on other_records.record_key = guest_orders.record_key
    where guest_orders.record_key is null
),

final as (
    select
        record_key,
        source_system,
        entity,
        source_record_id,
        customer_id
    from persons
    union all
    select
        record_key,
        source_system,
        entity,
        source_record_id,
        cast(null as varchar) as customer_id
    from other_than_persons
)

select * from final
