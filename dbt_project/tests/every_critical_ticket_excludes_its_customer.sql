{{
    config(
        meta={
            'rule_id': 'dbt_105',
            'name': 'critical_tickets_held',
            'severity': 'critical',
            'dimension': 'permission',
            'owner': 'data engineering',
            'description': 'Every customer with an open critical ticket is excluded, and so is every contact point of the customer.',
            'description_de': 'Jeder Kunde mit offenem kritischem Ticket ist ausgeschlossen, ebenso jeder seiner Kontaktpunkte.',
            'remedy': 'Run activate again; when it stays, the model of ticket exclusions is wrong.',
            'remedy_de': 'activate erneut ausführen; bleibt es dabei, ist das Modell der Ausschlüsse nach Tickets falsch.',
        }
    )
}}
with

held_customers as (
    select customers.customer_id
    from {{ ref('customers') }} as customers
    cross join {{ source('config', 'exclusions') }} as rules
    where rules.open_critical_ticket and customers.open_critical_ticket_count > 0
),

ticket_exclusions as (
    select * from {{ ref('exclusions') }}
    where reason = 'open_critical_ticket'
),

missing_customers as (
    select
        held_customers.customer_id,
        cast(null as varchar) as contact_point_key
    from held_customers
    left join ticket_exclusions on held_customers.customer_id = ticket_exclusions.customer_id
    where ticket_exclusions.customer_id is null
),

missing_contact_points as (
    select
        held_customers.customer_id,
        contact_points.contact_point_key
    from held_customers
    inner join {{ ref('customer_contact_points') }} as contact_points
        on held_customers.customer_id = contact_points.customer_id
    left join ticket_exclusions on contact_points.contact_point_key = ticket_exclusions.contact_point_key
    where ticket_exclusions.contact_point_key is null
)

select * from missing_customers
union all
select * from missing_contact_points
