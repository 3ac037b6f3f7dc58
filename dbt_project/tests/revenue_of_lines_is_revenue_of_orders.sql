{{
    config(
        meta={
            'rule_id': 'dbt_101',
            'name': 'line_revenue_sums',
            'severity': 'critical',
            'dimension': 'consistency',
            'owner': 'data engineering',
            'description': 'Net amount, returns, cancellation and revenue of the lines sum to those of their order, to the last digit.',
            'description_de': 'Netto, Retouren, Storno und Umsatz der Positionen ergeben die der Bestellung, bis auf die letzte Stelle.',
            'remedy': 'Run the build again; when it stays, the models of revenue disagree.',
            'remedy_de': 'Den Lauf wiederholen; bleibt es dabei, widersprechen sich die Modelle des Umsatzes.',
        }
    )
}}
-- Lines are summed by order only in those of 16,384 groups of orders in which the sums of all differ. A table of all
-- orders takes four times as long, and what a sum hides is two errors of one group that cancel to the last digit.
with

orders as (
    select
        *,
        hash(order_key) % 16384 as order_group
    from {{ ref('orders') }}
),

lines as (
    select
        *,
        hash(order_key) % 16384 as order_group
    from {{ ref('order_lines') }}
),

sums_of_orders as (
    select
        order_group,
        sum(gross_amount) as gross_amount,
        sum(net_amount) as net_amount,
        sum(cancelled_amount) as cancelled_amount,
        sum(returned_amount) as returned_amount,
        sum(revenue_amount) as revenue_amount
    from orders
    where line_count > 0
    group by order_group
),

sums_of_lines as (
    select
        order_group,
        sum(gross_amount) as gross_amount,
        sum(net_amount) as net_amount,
        sum(cancelled_amount) as cancelled_amount,
        sum(returned_amount) as returned_amount,
        sum(revenue_amount) as revenue_amount
    from lines
    where revenue_amount is not null
    group by order_group
),

differing as (
    select coalesce(sums_of_orders.order_group, sums_of_lines.order_group) as order_group
    from sums_of_orders
    full outer join sums_of_lines on sums_of_orders.order_group = sums_of_lines.order_group
    where
        sums_of_lines.gross_amount is distinct from sums_of_orders.gross_amount
        or sums_of_lines.net_amount is distinct from sums_of_orders.net_amount
        or sums_of_lines.cancelled_amount is distinct from sums_of_orders.cancelled_amount
        or sums_of_lines.returned_amount is distinct from sums_of_orders.returned_amount
        or sums_of_lines.revenue_amount is distinct from sums_of_orders.revenue_amount
),

line_sums as (
    select
        lines.order_key,
        count(*) as line_count,
        sum(lines.gross_amount) as gross_amount,
        sum(lines.net_amount) as net_amount,
        sum(lines.cancelled_amount) as cancelled_amount,
        sum(lines.returned_amount) as returned_amount,
        sum(lines.revenue_amount) as revenue_amount
    from lines
    inner join differing on lines.order_group = differing.order_group
    group by lines.order_key
)

select
    orders.order_key,
    line_sums.line_count
from orders
inner join line_sums on orders.order_key = line_sums.order_key
where
    line_sums.gross_amount <> orders.gross_amount
    or line_sums.net_amount <> orders.net_amount
    or line_sums.cancelled_amount <> orders.cancelled_amount
    or line_sums.returned_amount <> orders.returned_amount
    or line_sums.revenue_amount <> orders.revenue_amount
