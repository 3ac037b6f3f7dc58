with

described as (
    select * from {{ ref('int_customers_described') }}
),

order_figures as (
    select * from {{ ref('int_customer_orders_summarized') }}
),

ticket_figures as (
    select * from {{ ref('int_customer_tickets_summarized') }}
),

channels as (
    select * from {{ ref('int_customer_channels_permitted') }}
),

scored as (
    select * from {{ ref('customer_value') }}
),

accounts as (
    select
        customer_id,
        account_id
    from {{ ref('account_members') }}
    where is_primary
),

reachable as (
    select
        customer_id,
        status = 'active' and processing_status = 'normal' and not is_deceased and not is_test as is_reachable
    from described
),

joined as (
    select
        described.customer_id,
        described.kind,
        described.status,
        described.processing_status,
        described.is_test,
        described.is_deceased,
        described.is_employee,
        described.country,
        described.region,
        described.age_band,
        described.language,
        accounts.account_id,
        described.lifecycle_stage,
        described.acquisition_source,
        described.acquired_at,
        least(described.first_record_at, order_figures.first_seen_at, ticket_figures.first_seen_at) as first_seen_at,
        greatest(described.last_record_at, order_figures.last_seen_at, ticket_figures.last_seen_at) as last_seen_at,
        described.source_count,
        described.record_count,
        described.has_crm,
        described.has_shop,
        described.has_support,
        coalesce(order_figures.order_count, 0) as order_count,
        coalesce(order_figures.cancelled_order_count, 0) as cancelled_order_count,
        coalesce(order_figures.unconverted_order_count, 0) as unconverted_order_count,
        scored.currency,
        coalesce(order_figures.revenue_amount_base, 0) as revenue_amount_base,
        coalesce(order_figures.cancelled_amount_base, 0) as cancelled_amount_base,
        coalesce(order_figures.returned_amount_base, 0) as returned_amount_base,
        order_figures.first_ordered_at,
        order_figures.last_ordered_at,
        coalesce(ticket_figures.ticket_count, 0) as ticket_count,
        coalesce(ticket_figures.open_ticket_count, 0) as open_ticket_count,
        coalesce(ticket_figures.open_critical_ticket_count, 0) as open_critical_ticket_count,
        scored.rfm_segment,
        reachable.is_reachable and coalesce(channels.is_permitted_email, false) as is_contactable_email,
        reachable.is_reachable and coalesce(channels.is_permitted_sms, false) as is_contactable_sms,
        reachable.is_reachable and coalesce(channels.is_permitted_messenger, false) as is_contactable_messenger,
        reachable.is_reachable and coalesce(channels.is_permitted_phone, false) as is_contactable_phone,
        reachable.is_reachable and coalesce(channels.is_permitted_post, false) as is_contactable_post,
        reachable.is_reachable and coalesce(channels.is_permitted_ad_platform, false) as is_contactable_ad_platform
    from described
    inner join reachable on described.customer_id = reachable.customer_id
    inner join scored on described.customer_id = scored.customer_id
    left join order_figures on described.customer_id = order_figures.customer_id
    left join ticket_figures on described.customer_id = ticket_figures.customer_id
    left join channels on described.customer_id = channels.customer_id
    left join accounts on described.customer_id = accounts.customer_id
),

final as (
    select * from joined
)

select * from final
