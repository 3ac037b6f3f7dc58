{#
    What happens to customers, one entry for each kind of event: the table with customer_id and source_system, the
    condition, the moment, the kind, the key of what happened and the amount with its currency.
    Revenue of a customer is the sum of the amounts. Another table of facts is another entry.
#}
{% set events = [
    {
        'table': 'orders', 'kind': "case when kind = 'credit_note' then 'credited' else 'ordered' end",
        'at': 'ordered_at', 'key': 'order_key', 'amount': 'net_amount', 'currency': 'currency',
    },
    {
        'table': 'orders', 'where': "kind = 'cancelled'", 'kind': "'cancelled'",
        'at': 'coalesce(cancelled_at, ordered_at)', 'key': 'order_key', 'amount': '- cancelled_amount',
        'currency': 'currency',
    },
    {
        'table': 'returns', 'kind': "'returned'", 'at': 'coalesce(returned_at, refunded_at)', 'key': 'return_key',
        'amount': '- revenue_reduction_amount', 'currency': 'currency',
    },
    {'table': 'tickets', 'kind': "'ticket_opened'", 'at': 'created_at', 'key': 'ticket_key'},
    {'table': 'tickets', 'kind': "'ticket_solved'", 'at': 'solved_at', 'key': 'ticket_key'},
    {'table': 'ratings', 'kind': "'rated'", 'at': 'rated_at', 'key': 'rating_key'},
    {
        'table': 'touches', 'where': "not is_machine and kind not in ('complained', 'unsubscribed')",
        'kind': "concat('message_', kind)", 'at': 'occurred_at', 'key': 'touch_key',
    },
    {'table': 'interactions', 'kind': "'interaction'", 'at': 'started_at', 'key': 'interaction_key'},
    {'table': 'carts', 'kind': "'cart_abandoned'", 'at': 'abandoned_at', 'key': 'cart_key'},
    {'table': 'deals', 'kind': "'deal_opened'", 'at': 'created_at', 'key': 'deal_key'},
    {
        'table': 'deals', 'where': 'is_won or is_lost',
        'kind': "case when is_won then 'deal_won' else 'deal_lost' end", 'at': 'closed_at', 'key': 'deal_key',
    },
    {'table': 'stage_changes', 'kind': "'stage_changed'", 'at': 'entered_at', 'key': 'stage_change_key'},
    {'table': 'invoices', 'kind': "'invoiced'", 'at': 'invoiced_at', 'key': 'invoice_key'},
    {'table': 'invoices', 'kind': "'invoice_paid'", 'at': 'paid_at', 'key': 'invoice_key'},
    {'table': 'web_sessions', 'kind': "'web_session'", 'at': 'started_at', 'key': 'session_key'},
] %}
with

{% for table in events | map(attribute='table') | unique %}
    {{ table }} as (
        select * from {{ ref(table) }}
    ),

{% endfor %}
permission_history as (
    select * from {{ ref('permission_history') }}
),

permissions as (
    select * from {{ ref('int_permissions_interpreted') }}
),

contact_points as (
    select * from {{ ref('int_contact_points_resolved') }}
),

events as (
    {% for event in events %}
        select
            customer_id,
            {{ event.at }} as occurred_at,
            {{ event.kind }} as kind,
            source_system,
            {{ event.key }} as reference_key,
            cast({{ event.amount | default('null') }} as decimal(18, 4)) as amount,
            {{ event.currency | default('cast(null as varchar)') }} as currency
        from {{ event.table }}
        {% if event.where is defined %}
            where {{ event.where }}
        {% endif %}
        union all
    {% endfor %}
    -- A permission is its customer's, else of the one whom the contact point leads to; a record that speaks about
    -- several contact points is one event.
    select distinct
        coalesce(permissions.customer_id, contact_points.customer_id) as customer_id,
        permission_history.occurred_at,
        concat('permission_', permission_history.event) as kind,
        permissions.source_system,
        permission_history.record_key as reference_key,
        cast(null as decimal(18, 4)) as amount,
        cast(null as varchar) as currency
    from permission_history
    inner join permissions on permission_history.record_key = permissions.record_key
    left join contact_points
        on
            case when permissions.customer_id is null then permission_history.contact_point_key end
            = contact_points.contact_point_key
),

final as (
    select * from events
    where customer_id is not null and occurred_at is not null and kind is not null
)

select * from final
