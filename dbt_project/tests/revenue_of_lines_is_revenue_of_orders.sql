{{
    config(
        meta={
            'rule_id': 'dbt_101',
            'name': 'line_revenue_sums',
            'severity': 'critical',
            'dimension': 'consistency',
            'owner': 'unify',
            'description': 'Net amount, returns, cancellation and revenue of the lines sum to those of their order, to the last digit.',
            'description_de': 'Netto, Retouren, Storno und Umsatz der Positionen ergeben die der Bestellung, bis auf die letzte Stelle.',
            'remedy': 'Run the build again; when it stays, the models of revenue disagree.',
        }
    )
}}
with

orders as (
    select * from {{ ref('orders') }}
),

line_sums as (
    select
        order_key,
        count(*) as line_count,
        sum(gross_amount) as gross_amount,
        sum(net_amount) as net_amount,
        sum(cancelled_amount) as cancelled_amount,
        sum(returned_amount) as returned_amount,
        sum(revenue_amount) as revenue_amount
    from {{ ref('order_lines') }}
    group by order_key
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
