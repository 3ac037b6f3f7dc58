{% set texts = [
    ('tickets', 'stg_support__tickets', 'subject'),
    ('tickets', 'stg_support__tickets', 'tags'),
    ('ratings', 'stg_support__ratings', 'comment'),
    ('returns', 'stg_shop__returns', 'reason'),
    ('permissions', 'stg_crm__permissions', 'evidence'),
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
