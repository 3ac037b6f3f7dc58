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

sessions as (
    select * from {{ ref('web_sessions') }}
),

web_events as (
    select * from {{ ref('stg_web__events') }}
),

attributes as (
    select * from {{ ref('int_customer_attributes_chosen') }}
    where shown_value is null
),

-- Of a session, the address it began with.
entries as (
    select
        web_events.record_key,
        web_events.source_system,
        web_events.url,
        web_events.referrer
    from sessions
    inner join web_events on sessions.session_key = web_events.record_key
),

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
        union all
    {% endfor %}
    {% for field in ['url', 'referrer'] %}
        select
            record_key,
            source_system,
            'events' as entity,
            '{{ field }}' as field,
            {{ field }} as text
        from entries
        where {{ field }} is not null
        union all
    {% endfor %}
    select
        record_key,
        source_system,
        entity,
        attribute as field,
        value as text
    from attributes
),

final as (
    select * from texts
)

select * from final
