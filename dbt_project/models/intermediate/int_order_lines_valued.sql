-- What a line is worth. `net_amount` is net of tax and of the line's own discount, before returns and cancellation.
with

lines as (
    select * from {{ ref('stg_shop__order_lines') }}
    where not is_deleted
),

orders as (
    select * from {{ ref('int_orders_assigned') }}
),

joined as (
    select
        lines.record_key as order_line_key,
        orders.order_key,
        lines.product_record_key as product_key,
        lines.quantity,
        lines.unit_amount,
        {{ amount('lines.quantity * lines.unit_amount') }} as items_amount,
        coalesce(lines.discount_amount, 0) as discount_amount,
        -- A rate of 19 means 19 percent, a rate of .19 as well: no tax doubles a price.
        case when lines.tax_rate >= 1 then lines.tax_rate / 100 else lines.tax_rate end as tax_rate,
        lines.tax_amount,
        lines.unit_cost_amount,
        coalesce(orders.prices_include_tax, false) as prices_include_tax
    from lines
    left join orders on lines.order_record_key = orders.order_key
),

grossed as (
    select
        joined.*,
        cast(coalesce(items_amount - discount_amount, 0) as decimal(18, 4)) as gross_amount
    from joined
),

taxed as (
    select
        grossed.*,
        case
            when not prices_include_tax then 0
            when tax_amount is not null then tax_amount
            when tax_rate is not null
                then gross_amount - {{ amount('cast(gross_amount as double) / (1 + cast(tax_rate as double))') }}
            else 0
        end as included_tax_amount,
        prices_include_tax and tax_amount is null and tax_rate is null as is_tax_unknown
    from grossed
),

netted as (
    select
        order_line_key,
        order_key,
        product_key,
        quantity,
        unit_amount,
        items_amount,
        discount_amount,
        cast(tax_rate as decimal(18, 4)) as tax_rate,
        tax_amount,
        unit_cost_amount,
        gross_amount,
        cast(gross_amount - included_tax_amount as decimal(18, 4)) as net_amount,
        is_tax_unknown
    from taxed
),

final as (
    select * from netted
)

select * from final
