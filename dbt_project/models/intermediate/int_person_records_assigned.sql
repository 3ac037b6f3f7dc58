-- What is known of a person record but what the person is called and where: that is read of few records at a time, and
-- by key. Six models read this, so customers and records are brought together once.
with

persons as (
    select * from {{ source('clean', 'persons') }}
),

members as (
    select * from {{ source('identity', 'members') }}
),

assigned as (
    select
        members.customer_id,
        persons.record_key,
        persons.source_system,
        persons.role,
        persons.entity,
        persons.source_record_id,
        persons.kind,
        persons.lifecycle_stage,
        coalesce(persons.is_test, false) as is_test,
        coalesce(persons.is_deceased, false) as is_deceased,
        coalesce(persons.is_employee, false) as is_employee,
        coalesce(persons.is_guest, false) as is_guest,
        coalesce(persons.is_inferred, false) as is_inferred,
        coalesce(persons.is_deleted, false) as is_deleted,
        -- Of who is known from orders alone, whether one says how to reach them.
        coalesce(persons.is_inferred, false)
        and (persons.email is not null or persons.phone is not null) as is_described_by_order,
        persons.created_at,
        persons.updated_at,
        persons.deleted_at,
        coalesce(persons.updated_at, persons.created_at) as observed_at
    from persons
    inner join members on persons.record_key = members.record_key
),

final as (
    select * from assigned
)

select * from final
