with

scored as (
    select * from {{ ref('int_customers_scored') }}
),

final as (
    select
        customer_id,
        recency_days,
        frequency,
        monetary_amount_base,
        currency,
        recency_score,
        frequency_score,
        monetary_score,
        recency_score * 100 + frequency_score * 10 + monetary_score as rfm_score,
        rfm_segment,
        revenue_rank,
        is_top_20,
        unscored_reason
    from scored
)

select * from final
