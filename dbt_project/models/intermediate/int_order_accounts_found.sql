{{ config(materialized='ephemeral') }}  -- read once

-- The account an order belongs to, once at most: the company it names, else the one its customer belonged to then.
with

orders as (
    select
        order_key,
        customer_id,
        ordered_at
    from {{ ref('int_orders_assigned') }}
),

account_orders as (
    select * from {{ source('identity', 'account_orders') }}
),

account_members as (
    select * from {{ ref('account_members') }}
),

candidates as (
    select
        orders.order_key,
        account_members.account_id,
        row_number() over (
            partition by orders.order_key
            order by
                account_members.is_primary desc,
                account_members.valid_from desc nulls last,
                account_members.account_id asc
        ) as account_rank
    from orders
    inner join account_members
        on
            orders.customer_id = account_members.customer_id
            and coalesce(orders.ordered_at >= account_members.valid_from, true)
            and coalesce(orders.ordered_at < account_members.valid_until, true)
),

found as (
    select
        record_key as order_key,
        account_id,
        'company' as account_basis
    from account_orders
    union all
    select
        candidates.order_key,
        candidates.account_id,
        'member' as account_basis
    from candidates
    left join account_orders on candidates.order_key = account_orders.record_key
    where candidates.account_rank = 1 and account_orders.record_key is null
),

final as (
    select * from found
)

select * from final
