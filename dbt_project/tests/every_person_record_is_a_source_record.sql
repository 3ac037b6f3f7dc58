{{
    config(
        meta={
            'rule_id': 'dbt_100',
            'name': 'person_records_kept',
            'severity': 'critical',
            'dimension': 'completeness',
            'owner': 'data engineering',
            'description': 'Every person record that was cleaned belongs to a customer; none is lost or doubled.',
            'description_de': 'Jeder bereinigte Personendatensatz gehört zu einem Kunden; keiner fehlt, keiner ist doppelt.',
            'remedy': 'Run resolve and unify again; when it stays, a record has no customer in identity.members.',
            'remedy_de': 'resolve und unify erneut ausführen; bleibt es dabei, hat ein Datensatz keinen Kunden in identity.members.',
        }
    )
}}
-- Keys are looked up only when those of both tables are not the same, each once, by number, sum and order of hashes.
with

persons as (
    select record_key from {{ source('clean', 'persons') }}
),

records as (
    select record_key from {{ ref('customer_source_records') }}
),

hashed_persons as (
    select
        count(*) as row_count,
        sum(hash(record_key)) as key_sum
    from persons
),

hashed_records as (
    select
        count(*) as row_count,
        sum(hash(record_key)) as key_sum
    from records
),

hashed_keys as (
    select hash(record_key) as key_hash from {{ ref('customer_source_records') }}
),

neighbors as (
    select
        key_hash,
        lag(key_hash) over (order by key_hash) as key_hash_before
    from hashed_keys
),

repeated as (
    select count(*) as row_count
    from neighbors
    where key_hash = key_hash_before
),

differing as (
    select hashed_persons.row_count
    from hashed_persons
    cross join hashed_records
    cross join repeated
    where
        hashed_persons.row_count <> hashed_records.row_count
        or hashed_persons.key_sum <> hashed_records.key_sum
        or repeated.row_count > 0
),

doubted_persons as (
    select persons.record_key
    from persons
    cross join differing
),

doubted_records as (
    select records.record_key
    from records
    cross join differing
)

select
    doubted_persons.record_key,
    count(doubted_records.record_key) as record_count
from doubted_persons
left join doubted_records on doubted_persons.record_key = doubted_records.record_key
group by doubted_persons.record_key
having count(doubted_records.record_key) <> 1
