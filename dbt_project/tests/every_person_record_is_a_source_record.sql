{{
    config(
        meta={
            'rule_id': 'dbt_100',
            'name': 'person_records_kept',
            'severity': 'critical',
            'dimension': 'completeness',
            'owner': 'unify',
            'description': 'Every person record that was cleaned belongs to a customer; none is lost or doubled.',
            'description_de': 'Jeder bereinigte Personendatensatz gehört zu einem Kunden; keiner fehlt, keiner ist doppelt.',
            'remedy': 'Run resolve and unify again; when it stays, a record has no customer in identity.members.',
        }
    )
}}
select
    persons.record_key,
    count(records.record_key) as record_count
from {{ source('clean', 'persons') }} as persons
left join {{ ref('customer_source_records') }} as records on persons.record_key = records.record_key
group by persons.record_key
having count(records.record_key) <> 1
