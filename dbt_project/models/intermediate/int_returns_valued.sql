-- What a return takes from revenue: the refunded goods, net of tax in the proportion of the line, else of the order.
with

returns as (
    select * from {{ ref('stg_shop__returns') }}
    where not is_deleted
),

lines as (
    select * from {{ ref('int_order_lines_valued') }}
),

orders as (
    select * from {{ ref('int_orders_valued') }}
),

located as (
    select
        returns.record_key as return_key,
        lines.order_line_key,
        coalesce(lines.order_key, returns.order_record_key) as order_key,
        returns.source_system,
        returns.quantity,
        returns.amount as refunded_amount,
        returns.reason,
        coalesce(returns.returned_at, returns.created_at) as returned_at,
        returns.refunded_at,
        lines.quantity as line_quantity,
        lines.gross_amount as line_gross_amount,
        lines.net_amount as line_net_amount
    from returns
    -- A line without its order is worth nothing yet; the return is then one of the order that it names itself.
    left join lines
        on
            returns.order_line_record_key = lines.order_line_key
            and lines.order_key is not null
),

refunded as (
    select
        located.*,
        orders.order_key is not null as has_order,
        orders.is_cancelled,
        coalesce(located.line_gross_amount, orders.gross_amount) as base_gross_amount,
        coalesce(located.line_net_amount, orders.net_amount) as base_net_amount,
        -- A return that names only a quantity is worth that share of its line.
        case
            when located.refunded_amount is not null then located.refunded_amount
            when located.line_quantity <> 0
                then {{ part_of('located.line_gross_amount', 'located.quantity', 'located.line_quantity') }}
        end as gross_amount
    from located
    left join orders on located.order_key = orders.order_key
),

valued as (
    select
        return_key,
        case when has_order then order_key end as order_key,
        order_line_key,
        source_system,
        quantity,
        refunded_amount,
        reason,
        returned_at,
        refunded_at,
        case
            when not has_order or is_cancelled then cast(0 as decimal(18, 4))
            when base_gross_amount = 0 then cast(coalesce(gross_amount, 0) as decimal(18, 4))
            else coalesce({{ part_of('gross_amount', 'base_net_amount', 'base_gross_amount') }}, 0)
        end as revenue_reduction_amount
    from refunded
),

final as (
    select * from valued
)

select * from final
