with

accounts as (
    select * from {{ ref('int_accounts_described') }}
),

build as (
    select * from {{ source('config', 'build') }}
),

members as (
    select
        account_id,
        count(case when is_current then 1 end) as member_count
    from {{ ref('account_members') }}
    group by account_id
),

deals as (
    select
        account_id,
        count(*) as deal_count,
        count(case when is_open then 1 end) as open_deal_count,
        count(case when is_won then 1 end) as won_deal_count,
        cast(coalesce(sum(case when is_open then amount_base end), 0) as decimal(18, 4)) as open_deal_amount_base
    from {{ ref('deals') }}
    where account_id is not null
    group by account_id
),

orders as (
    select
        account_id,
        count(case when kind = 'order' then 1 end) as order_count,
        count(case when unconverted_reason is not null then 1 end) as unconverted_order_count,
        count(case when is_overdue then 1 end) as overdue_order_count,
        cast(coalesce(sum(revenue_amount_base), 0) as decimal(18, 4)) as revenue_amount_base,
        cast(coalesce(sum(case when account_basis = 'company' then revenue_amount_base end), 0) as decimal(18, 4))
            as company_revenue_amount_base,
        min(case when kind = 'order' then ordered_at end) as first_ordered_at,
        max(case when kind = 'order' then ordered_at end) as last_ordered_at
    from {{ ref('orders') }}
    where account_id is not null
    group by account_id
),

joined as (
    select
        accounts.account_id,
        accounts.status,
        accounts.parent_account_id,
        accounts.record_key,
        accounts.is_key_account,
        accounts.legal_form,
        accounts.industry,
        accounts.employee_count,
        accounts.country,
        accounts.acquired_at,
        accounts.source_count,
        accounts.record_count,
        coalesce(members.member_count, 0) as member_count,
        coalesce(deals.deal_count, 0) as deal_count,
        coalesce(deals.open_deal_count, 0) as open_deal_count,
        coalesce(deals.won_deal_count, 0) as won_deal_count,
        coalesce(deals.open_deal_amount_base, 0) as open_deal_amount_base,
        coalesce(orders.order_count, 0) as order_count,
        coalesce(orders.unconverted_order_count, 0) as unconverted_order_count,
        coalesce(orders.overdue_order_count, 0) as overdue_order_count,
        build.base_currency as currency,
        coalesce(orders.revenue_amount_base, 0) as revenue_amount_base,
        coalesce(orders.company_revenue_amount_base, 0) as company_revenue_amount_base,
        orders.first_ordered_at,
        orders.last_ordered_at
    from accounts
    cross join build
    left join members on accounts.account_id = members.account_id
    left join deals on accounts.account_id = deals.account_id
    left join orders on accounts.account_id = orders.account_id
),

final as (
    select * from joined
)

select * from final
