with

orders as (
    select * from {{ ref('int_orders_assigned') }}
),

booked as (
    select * from {{ ref('int_orders_booked') }}
),

accounts as (
    select * from {{ ref('int_order_accounts_found') }}
),

invoices as (
    select * from {{ ref('int_order_invoices_summarized') }}
),

build as (
    select * from {{ source('config', 'build') }}
),

joined as (
    select
        orders.order_key,
        orders.customer_id,
        orders.unassigned_reason,
        accounts.account_id,
        accounts.account_basis,
        orders.source_system,
        orders.controller,
        booked.kind,
        orders.ordered_at,
        orders.ordered_date,
        orders.status,
        orders.cancelled_at,
        coalesce(orders.paid_at, case when invoices.open_invoice_count = 0 then invoices.paid_at end) as paid_at,
        orders.payment_status,
        case
            when orders.chargeback_at <= build.as_of or invoices.open_invoice_count > 0 then false
            when invoices.invoice_count > 0 or orders.paid_at <= build.as_of then true
            else lower(orders.payment_status) = 'paid'
        end as is_paid,
        coalesce(invoices.invoice_count, 0) as invoice_count,
        coalesce(invoices.is_overdue, false) as is_overdue,
        greatest(orders.dunning_level, invoices.dunning_level) as dunning_level,
        orders.chargeback_at,
        orders.delivered_at,
        orders.channel,
        orders.store,
        orders.marketplace,
        orders.country,
        orders.campaign_key,
        orders.utm_source,
        orders.utm_medium,
        orders.utm_campaign,
        orders.currency,
        orders.prices_include_tax,
        orders.items_amount,
        orders.discount_amount,
        orders.shipping_amount,
        orders.tax_amount,
        orders.total_amount,
        booked.line_count,
        booked.return_count,
        booked.gross_amount,
        booked.net_amount,
        booked.cancelled_amount,
        booked.returned_amount,
        booked.revenue_amount,
        booked.revenue_amount_base,
        booked.unconverted_reason,
        orders.created_at,
        orders.updated_at
    from orders
    cross join build
    inner join booked on orders.order_key = booked.order_key
    left join accounts on orders.order_key = accounts.order_key
    left join invoices on orders.order_key = invoices.order_key
),

final as (
    select * from joined
)

select * from final
