{{
    config(
        meta={
            'rule_id': 'dbt_102',
            'name': 'customer_revenue_sums',
            'severity': 'critical',
            'dimension': 'consistency',
            'owner': 'data engineering',
            'description': 'Revenue, cancellation and returns of all customers are those of all assigned orders in base currency.',
            'description_de': 'Umsatz, Storno und Retouren aller Kunden sind die aller zugeordneten Bestellungen in Hauswährung.',
            'remedy': 'Run the build again; when it stays, the models of customers and orders disagree.',
            'remedy_de': 'Den Lauf wiederholen; bleibt es dabei, widersprechen sich die Modelle der Kunden und der Bestellungen.',
        }
    )
}}
with

customer_sums as (
    select
        coalesce(sum(revenue_amount_base), 0) as revenue_amount,
        coalesce(sum(cancelled_amount_base), 0) as cancelled_amount,
        coalesce(sum(returned_amount_base), 0) as returned_amount
    from {{ ref('customers') }}
),

order_sums as (
    select
        coalesce(sum(revenue_amount_base), 0) as revenue_amount,
        coalesce(sum(case when unconverted_reason is null then cancelled_amount end), 0) as cancelled_amount,
        coalesce(sum(case when unconverted_reason is null then returned_amount end), 0) as returned_amount
    from {{ ref('orders') }}
    where customer_id is not null
)

select customer_sums.revenue_amount
from customer_sums
cross join order_sums
where
    customer_sums.revenue_amount <> order_sums.revenue_amount
    or customer_sums.cancelled_amount <> order_sums.cancelled_amount
    or customer_sums.returned_amount <> order_sums.returned_amount
