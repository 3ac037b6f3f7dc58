with

household_members as (
    select * from {{ ref('household_members') }}
),

customers as (
    select * from {{ ref('customers') }}
),

summarized as (
    select
        household_members.household_id,
        count(*) as member_count,
        count(case when customers.processing_status = 'minor' then 1 end) as minor_count,
        max(case when household_members.is_oldest then customers.country end) as country,
        max(case when household_members.is_oldest then customers.region end) as region,
        sum(customers.order_count) as order_count,
        max(customers.currency) as currency,
        cast(sum(customers.revenue_amount_base) as decimal(18, 4)) as revenue_amount_base,
        min(customers.first_ordered_at) as first_ordered_at,
        max(customers.last_ordered_at) as last_ordered_at
    from household_members
    inner join customers on household_members.customer_id = customers.customer_id
    group by household_members.household_id
),

final as (
    select
        household_id,
        member_count,
        minor_count,
        country,
        region,
        cast(order_count as bigint) as order_count,
        currency,
        revenue_amount_base,
        first_ordered_at,
        last_ordered_at
    from summarized
)

select * from final
