with

invoices as (
    select * from {{ ref('stg_erp__invoices') }}
    where not is_deleted
),

orders as (
    select * from {{ ref('int_orders_assigned') }}
),

members as (
    select * from {{ source('identity', 'members') }}
),

sources as (
    select * from {{ source('config', 'sources') }}
),

build as (
    select
        build.*,
        {{ company_date('as_of', 'time_zone') }} as as_of_date
    from {{ source('config', 'build') }} as build
),

joined as (
    select
        invoices.record_key as invoice_key,
        orders.order_key,
        coalesce(members.customer_id, orders.customer_id) as customer_id,
        invoices.source_system,
        coalesce(orders.controller, sources.controller) as controller,
        invoices.invoiced_at,
        invoices.due_at,
        invoices.paid_at,
        coalesce(upper(invoices.currency), build.base_currency) as currency,
        invoices.amount,
        invoices.dunning_level,
        coalesce(invoices.is_disputed, false) as is_disputed,
        coalesce(invoices.paid_at <= build.as_of, false) as is_paid,
        {{ company_date('invoices.due_at', 'build.time_zone') }} as due_date,
        build.as_of_date,
        invoices.created_at,
        invoices.updated_at
    from invoices
    cross join build
    left join orders on invoices.order_record_key = orders.order_key
    left join members on invoices.customer_record_key = members.record_key
    left join sources on invoices.source_system = sources.source_system
),

-- Who is owed money is not dunned for it, and on its day a payment is still in time.
dunned as (
    select
        joined.*,
        coalesce(not is_paid and amount > 0 and due_date < as_of_date, false) as is_overdue
    from joined
),

final as (
    select
        invoice_key,
        order_key,
        customer_id,
        source_system,
        controller,
        invoiced_at,
        due_at,
        paid_at,
        currency,
        amount,
        dunning_level,
        is_disputed,
        is_paid,
        is_overdue,
        case when is_overdue then {{ dbt.datediff('due_date', 'as_of_date', 'day') }} end as overdue_days,
        created_at,
        updated_at
    from dunned
)

select * from final
