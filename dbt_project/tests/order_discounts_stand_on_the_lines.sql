{{
    config(
        meta={
            'rule_id': 'dbt_104',
            'name': 'discounts_on_lines',
            'severity': 'warning',
            'dimension': 'consistency',
            'owner': 'data engineering',
            'description': 'The discount of an order with lines is the sum of the discounts on its lines.',
            'description_de': 'Der Rabatt einer Bestellung mit Positionen ist die Summe der Rabatte ihrer Positionen.',
            'remedy': 'Revenue is computed from the lines: map the discount of each line, a voucher spread over them, in sources.yml.',
            'remedy_de': 'Der Umsatz wird aus den Positionen berechnet: den Rabatt jeder Position, einen Gutschein auf sie verteilt, in sources.yml zuordnen.',
        }
    )
}}
with

line_sums as (
    select
        order_key,
        sum(discount_amount) as discount_amount
    from {{ ref('order_lines') }}
    where order_key is not null
    group by order_key
)

select orders.order_key
from {{ ref('orders') }} as orders
inner join line_sums on orders.order_key = line_sums.order_key
where coalesce(orders.discount_amount, 0) <> line_sums.discount_amount and orders.discount_amount is not null
