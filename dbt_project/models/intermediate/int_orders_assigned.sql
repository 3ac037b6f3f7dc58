with

orders as (
    select * from {{ ref('stg_shop__orders') }}
    where not is_deleted
),

members as (
    select * from {{ source('identity', 'members') }}
),

build as (
    select * from {{ source('config', 'build') }}
),

sources as (
    select * from {{ source('config', 'sources') }}
),

dated as (
    select
        orders.*,
        coalesce(orders.ordered_at, orders.created_at) as booked_at,
        coalesce(orders.customer_record_key, orders.record_key) as person_record_key,
        coalesce(
            orders.cancelled_at is not null or lower(orders.status) in ('cancelled', 'canceled', 'storniert'), false
        ) as is_cancelled
    from orders
),

assigned as (
    select
        dated.record_key as order_key,
        members.customer_id,
        dated.person_record_key,
        dated.source_system,
        coalesce(dated.controller, sources.controller) as controller,
        dated.booked_at as ordered_at,
        {{ company_date('dated.booked_at', 'build.time_zone') }} as ordered_date,
        lower(dated.status) as status,
        dated.is_cancelled,
        dated.cancelled_at,
        coalesce(upper(dated.currency), build.base_currency) as currency,
        coalesce(upper(dated.currency), build.base_currency) = build.base_currency as is_base_currency,
        coalesce(dated.prices_include_tax, false) as prices_include_tax,
        dated.items_amount,
        dated.discount_amount,
        dated.shipping_amount,
        dated.tax_amount,
        dated.total_amount,
        dated.payment_status,
        dated.paid_at,
        dated.delivered_at,
        dated.chargeback_at,
        dated.dunning_level,
        dated.channel,
        dated.store,
        dated.marketplace,
        dated.campaign_record_key as campaign_key,
        dated.utm_source,
        dated.utm_medium,
        dated.utm_campaign,
        coalesce(dated.shipping_country, dated.billing_country) as country,
        dated.created_at,
        dated.updated_at,
        case
            when members.customer_id is not null then null
            when dated.customer_record_key is not null then 'unknown_customer_record'
            else 'no_customer_reference'
        end as unassigned_reason
    from dated
    cross join build
    left join members on dated.person_record_key = members.record_key
    left join sources on dated.source_system = sources.source_system
),

final as (
    select * from assigned
)

select * from final
