-- What the source records of a customer say together, before orders and tickets.
with

records as (
    select * from {{ ref('int_person_records_assigned') }}
),

-- Apart from all records: what one query reads by one name twice, the engine keeps in memory.
records_in_a_stage as (
    select
        customer_id,
        record_key,
        lifecycle_stage,
        observed_at
    from {{ ref('int_person_records_assigned') }}
    where lifecycle_stage is not null and not is_deleted
),

build as (
    select {{ company_date('as_of', 'time_zone') }} as as_of_date
    from {{ source('config', 'build') }}
),

profiles as (
    select * from {{ ref('customer_profiles') }}
),

aged as (
    select
        profiles.customer_id,
        profiles.country,
        profiles.region,
        profiles.language,
        {{ full_years('profiles.birth_date', 'build.as_of_date') }} as age
    from profiles
    cross join build
),

summarized as (
    select
        customer_id,
        count(*) as record_count,
        count(distinct source_system) as source_count,
        bool_and(is_deleted or is_inferred) and bool_or(is_deleted) as is_deleted,
        bool_and(coalesce(kind = 'role_mailbox', false)) as is_role_mailbox,
        bool_or(coalesce(kind = 'company_contact', false)) as is_company_contact,
        bool_or(is_test) as is_test,
        bool_or(is_deceased) as is_deceased,
        bool_or(is_employee) as is_employee,
        bool_or(role = 'crm' and not is_deleted) as has_crm,
        bool_or(role = 'shop' and not is_deleted) as has_shop,
        bool_or(role = 'support' and not is_deleted) as has_support,
        min(created_at) as first_record_at,
        max(observed_at) as last_record_at,
        -- Of records without a date the one of the smallest key, after all that have one.
        min(
            {
                'created_at': coalesce(created_at, timestamp '9999-12-31'),
                'record_key': record_key,
                'source_system': source_system
            }
        ) as first_record
    from records
    group by customer_id
),

staged_records as (
    select
        customer_id,
        lower(lifecycle_stage) as lifecycle_stage,
        row_number() over (partition by customer_id order by observed_at desc nulls last, record_key asc) as record_rank
    from records_in_a_stage
),

described as (
    select
        summarized.customer_id,
        summarized.record_count,
        summarized.source_count,
        summarized.is_test,
        summarized.is_deceased,
        summarized.is_employee,
        summarized.has_crm,
        summarized.has_shop,
        summarized.has_support,
        summarized.first_record_at,
        summarized.last_record_at,
        aged.country,
        aged.language,
        aged.age,
        summarized.first_record['source_system'] as acquisition_source,
        summarized.first_record_at as acquired_at,
        staged_records.lifecycle_stage,
        -- A region code has no blanks; whatever else somebody typed there stays in the restricted profile.
        case when regexp_matches(aged.region, '^[A-Z]{2}(-[A-Z0-9]{1,3})?$') then aged.region end as region,
        case when summarized.is_deleted then 'deleted' else 'active' end as status,
        case
            when summarized.is_role_mailbox then 'role_mailbox'
            when summarized.is_company_contact then 'company_contact'
            else 'person'
        end as kind,
        case when aged.age < 18 then 'minor' else 'normal' end as processing_status,
        case
            when aged.age < 18 then '0-17'
            when aged.age < 25 then '18-24'
            when aged.age < 35 then '25-34'
            when aged.age < 45 then '35-44'
            when aged.age < 55 then '45-54'
            when aged.age < 65 then '55-64'
            when aged.age >= 65 then '65+'
        end as age_band
    from summarized
    left join aged on summarized.customer_id = aged.customer_id
    left join staged_records
        on
            summarized.customer_id = staged_records.customer_id
            and staged_records.record_rank = 1
),

final as (
    select * from described
)

select * from final
