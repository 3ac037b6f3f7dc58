{{ config(materialized='view') }}  -- wide, and each reader needs a few of its columns

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
        persons.salutation,
        persons.title,
        persons.first_name,
        persons.last_name,
        persons.email,
        persons.is_email_valid,
        persons.phone,
        persons.mobile,
        persons.street,
        persons.house_number,
        persons.postal_code,
        persons.city,
        persons.region,
        persons.country,
        persons.birth_date,
        persons.gender,
        persons.language,
        persons.company_record_key,
        persons.company_name,
        persons.job_title,
        persons.lifecycle_stage,
        persons.lead_source,
        coalesce(persons.is_test, false) as is_test,
        coalesce(persons.is_deceased, false) as is_deceased,
        coalesce(persons.is_employee, false) as is_employee,
        coalesce(persons.is_guest, false) as is_guest,
        coalesce(persons.is_inferred, false) as is_inferred,
        coalesce(persons.is_deleted, false) as is_deleted,
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
