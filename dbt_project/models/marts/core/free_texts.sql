{% set texts = [
    ('tickets', 'stg_support__tickets', 'subject'),
    ('tickets', 'stg_support__tickets', 'tags'),
    ('ratings', 'stg_support__ratings', 'comment'),
    ('returns', 'stg_shop__returns', 'reason'),
    ('permissions', 'stg_crm__permissions', 'evidence'),
    ('deals', 'stg_crm__deals', 'name'),
    ('deals', 'stg_crm__deals', 'lost_reason'),
    ('deal_contacts', 'stg_crm__deal_contacts', 'role'),
    ('company_contacts', 'stg_crm__company_contacts', 'role'),
    ('interactions', 'stg_crm__interactions', 'outcome'),
    ('invoices', 'stg_erp__invoices', 'number'),
    ('order_discounts', 'stg_shop__order_discounts', 'code'),
] %}
with

texts as (
    {% for entity, model, field in texts %}
        select
            record_key,
            source_system,
            '{{ entity }}' as entity,
            '{{ field }}' as field,
            {{ field }} as text
        from {{ ref(model) }}
        where {{ field }} is not null and not is_deleted
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

final as (
    select * from texts
)

select * from final
