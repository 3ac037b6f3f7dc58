{{
    config(
        meta={
            'rule_id': 'dbt_103',
            'name': 'orders_kept',
            'severity': 'critical',
            'dimension': 'completeness',
            'owner': 'unify',
            'description': 'Every order, line and return that was not deleted is published; none is lost or doubled.',
            'description_de': 'Jede nicht gelöschte Bestellung, Position und Retoure ist veröffentlicht; keine fehlt, keine ist doppelt.',
            'remedy': 'Run the build again; when it stays, a model of orders joins too widely or drops rows.',
        }
    )
}}
with

staged as (
    select
        'orders' as entity,
        count(*) as row_count
    from {{ ref('stg_shop__orders') }}
    where not is_deleted
    union all
    select
        'order_lines' as entity,
        count(*) as row_count
    from {{ ref('stg_shop__order_lines') }}
    where not is_deleted
    union all
    select
        'returns' as entity,
        count(*) as row_count
    from {{ ref('stg_shop__returns') }}
    where not is_deleted
),

published as (
    select
        'orders' as entity,
        count(*) as row_count
    from {{ ref('orders') }}
    union all
    select
        'order_lines' as entity,
        count(*) as row_count
    from {{ ref('order_lines') }}
    union all
    select
        'returns' as entity,
        count(*) as row_count
    from {{ ref('returns') }}
)

select staged.entity
from staged
inner join published on staged.entity = published.entity
where staged.row_count <> published.row_count
