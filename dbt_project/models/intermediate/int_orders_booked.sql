-- The one definition of revenue: net of tax, discounts and returns, booked at the order's date. A cancelled order has
-- none; what it would have been stands apart. Net amount = revenue + returned + cancelled, for every order.
with

orders as (
    select * from {{ ref('int_orders_assigned') }}
),

valued as (
    select * from {{ ref('int_orders_valued') }}
),

returns as (
    select
        order_key,
        count(*) as return_count,
        sum(revenue_reduction_amount) as returned_amount
    from {{ ref('int_returns_valued') }}
    where order_key is not null
    group by order_key
),

booked as (
    select
        orders.order_key,
        orders.customer_id,
        orders.person_record_key,
        orders.ordered_at,
        orders.ordered_date,
        orders.currency,
        orders.is_base_currency,
        orders.is_cancelled,
        case
            when orders.is_cancelled then 'cancelled'
            when valued.gross_amount < 0 then 'credit_note'
            else 'order'
        end as kind,
        valued.line_count,
        valued.gross_amount,
        valued.net_amount,
        cast(case when orders.is_cancelled then valued.net_amount else 0 end as decimal(18, 4)) as cancelled_amount,
        coalesce(returns.return_count, 0) as return_count,
        cast(coalesce(returns.returned_amount, 0) as decimal(18, 4)) as returned_amount
    from orders
    inner join valued on orders.order_key = valued.order_key
    left join returns on orders.order_key = returns.order_key
),

reduced as (
    select
        booked.*,
        cast(net_amount - cancelled_amount - returned_amount as decimal(18, 4)) as revenue_amount
    from booked
),

converted as (
    select
        reduced.*,
        case when is_base_currency then revenue_amount end as revenue_amount_base,
        case when is_base_currency then cancelled_amount end as cancelled_amount_base,
        case when is_base_currency then returned_amount end as returned_amount_base,
        case when not is_base_currency then 'no_exchange_rate' end as unconverted_reason
    from reduced
),

final as (
    select * from converted
)

select * from final
