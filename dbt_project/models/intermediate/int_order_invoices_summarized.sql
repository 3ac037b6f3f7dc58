{{ config(materialized='ephemeral') }}  -- read once

with

invoices as (
    select * from {{ ref('invoices') }}
    where order_key is not null
),

summarized as (
    select
        order_key,
        count(*) as invoice_count,
        count(case when not is_paid and amount > 0 then 1 end) as open_invoice_count,
        bool_or(is_overdue) as is_overdue,
        max(case when not is_paid then dunning_level end) as dunning_level,
        max(paid_at) as paid_at
    from invoices
    group by order_key
),

final as (
    select * from summarized
)

select * from final
