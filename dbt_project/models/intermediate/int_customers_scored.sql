{{ config(materialized='ephemeral') }}  -- read once, as marts.customer_value

-- Recency, frequency and monetary value of every customer in the owner's window before as_of. Scores are fifths of
-- the customers with an order in the window; the same behavior has the same score.
with

records as (
    select * from {{ ref('int_customers_described') }}
),

orders as (
    select * from {{ ref('int_orders_booked') }}
    where customer_id is not null
),

build as (
    select * from {{ source('config', 'build') }}
),

value_rules as (
    select * from {{ source('config', 'value') }}
),

moments as (
    select
        build.as_of,
        build.base_currency,
        {{ company_date('build.as_of', 'build.time_zone') }} as as_of_date,
        {{ dbt.dateadd('day', '- value_rules.window_days', 'build.as_of') }} as window_start,
        value_rules.top_share
    from build
    cross join value_rules
),

windowed as (
    select orders.*
    from orders
    cross join moments
    where orders.ordered_at > moments.window_start and orders.ordered_at <= moments.as_of
),

measured as (
    select
        customer_id,
        max(case when kind = 'order' then ordered_date end) as last_ordered_date,
        count(case when kind = 'order' then 1 end) as frequency,
        cast(coalesce(sum(revenue_amount_base), 0) as decimal(18, 4)) as monetary_amount_base
    from windowed
    group by customer_id
),

judged as (
    select
        records.customer_id,
        moments.base_currency,
        moments.top_share,
        measured.frequency,
        measured.monetary_amount_base,
        {{ dbt.datediff('measured.last_ordered_date', 'moments.as_of_date', 'day') }} as recency_days,
        case
            when records.status = 'deleted' then 'deleted'
            when records.is_test then 'test_customer'
            when coalesce(measured.frequency, 0) = 0 then 'no_order_in_window'
        end as unscored_reason
    from records
    cross join moments
    left join measured on records.customer_id = measured.customer_id
),

scored as (
    select
        customer_id,
        {{ fifth('recency_days', 'desc') }} as recency_score,
        {{ fifth('frequency', 'asc') }} as frequency_score,
        {{ fifth('monetary_amount_base', 'asc') }} as monetary_score
    from judged
    where unscored_reason is null
),

top_tier as (
    select
        customer_id,
        row_number() over (order by monetary_amount_base desc, customer_id asc) as revenue_rank,
        ceil(count(*) over () * top_share) as top_size
    from judged
    where unscored_reason is null and monetary_amount_base > 0
),

joined as (
    select
        judged.customer_id,
        case when judged.unscored_reason is null then judged.recency_days end as recency_days,
        case when judged.unscored_reason is null then judged.frequency end as frequency,
        case when judged.unscored_reason is null then judged.monetary_amount_base end as monetary_amount_base,
        judged.base_currency as currency,
        scored.recency_score,
        scored.frequency_score,
        scored.monetary_score,
        top_tier.revenue_rank,
        coalesce(top_tier.revenue_rank <= top_tier.top_size, false) as is_top_20,
        judged.unscored_reason
    from judged
    left join scored on judged.customer_id = scored.customer_id
    left join top_tier on judged.customer_id = top_tier.customer_id
),

segmented as (
    select
        joined.*,
        case
            when unscored_reason is not null then null
            when recency_score >= 4 and frequency_score + monetary_score >= 8 then 'champions'
            when recency_score >= 4 and frequency_score + monetary_score >= 5 then 'potential_loyalists'
            when recency_score >= 4 then 'new_customers'
            when recency_score = 3 and frequency_score + monetary_score >= 8 then 'loyal'
            when recency_score = 3 and frequency_score + monetary_score >= 5 then 'need_attention'
            when recency_score = 3 then 'about_to_sleep'
            when frequency_score + monetary_score >= 8 then 'at_risk'
            when frequency_score + monetary_score >= 5 then 'hibernating'
            else 'lost'
        end as rfm_segment
    from joined
),

final as (
    select * from segmented
)

select * from final
