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
select
    orders.order_key,
    count(*) as line_count
from {{ ref('orders') }} as orders
inner join {{ ref('order_lines') }} as order_lines on orders.order_key = order_lines.order_key
group by
    orders.order_key,
    orders.gross_amount,
    orders.net_amount,
    orders.cancelled_amount,
    orders.returned_amount,
    orders.revenue_amount
having
    sum(order_lines.gross_amount) <> orders.gross_amount
    or sum(order_lines.net_amount) <> orders.net_amount
    or sum(order_lines.cancelled_amount) <> orders.cancelled_amount
    or sum(order_lines.returned_amount) <> orders.returned_amount
    or sum(order_lines.revenue_amount) <> orders.revenue_amount
