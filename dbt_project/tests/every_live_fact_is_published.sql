{{
    config(
        meta={
            'rule_id': 'dbt_103',
            'name': 'orders_kept',
            'severity': 'warning',
            'dimension': 'completeness',
            'owner': 'data engineering',
            'description': 'Every order, line, return and every deal, invoice, cart and what belongs to them is published unless deleted; none is lost or doubled.',
            'description_de': 'Alle Bestellungen, Positionen, Retouren, Geschäfte, Rechnungen, Warenkörbe und was dazu gehört sind veröffentlicht, außer gelöschte; keine fehlt, keine ist doppelt.',
            'remedy': 'Run the build again; when it stays, a model of that table joins too widely or drops rows.',
            'remedy_de': 'Den Lauf wiederholen; bleibt es dabei, verknüpft ein Modell dieser Tabelle zu weit oder verliert Zeilen.',
        }
    )
}}
{% set published_as = {
    'orders': 'stg_shop__orders',
    'order_lines': 'stg_shop__order_lines',
    'returns': 'stg_shop__returns',
    'order_discounts': 'stg_shop__order_discounts',
    'carts': 'stg_shop__carts',
    'invoices': 'stg_erp__invoices',
    'deals': 'stg_crm__deals',
    'deal_contacts': 'stg_crm__deal_contacts',
    'stage_changes': 'stg_crm__stage_changes',
    'interactions': 'stg_crm__interactions',
} %}
with

staged as (
    {% for entity, model in published_as.items() %}
        select
            '{{ entity }}' as entity,
            count(*) as row_count
        from {{ ref(model) }}
        where not is_deleted
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

published as (
    {% for entity in published_as %}
        select
            '{{ entity }}' as entity,
            count(*) as row_count
        from {{ ref(entity) }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
)

select staged.entity
from staged
inner join published on staged.entity = published.entity
where staged.row_count <> published.row_count
