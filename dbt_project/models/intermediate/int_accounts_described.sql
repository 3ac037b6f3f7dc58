{{ config(materialized='ephemeral') }}  -- few rows, read twice

-- What the records of an account say together. Name and address are those of one record: not deleted, with a name, the
-- most recently changed. What that record leaves out of the rest, the next one says.
with

companies as (
    select * from {{ source('clean', 'companies') }}
),

account_records as (
    select * from {{ source('identity', 'account_records') }}
),

ranked as (
    select
        account_records.account_id,
        companies.*,
        row_number() over (
            partition by account_records.account_id
            order by
                companies.is_deleted asc,
                (companies.name is null) asc,
                coalesce(companies.updated_at, companies.created_at) desc nulls last,
                companies.record_key asc
        ) as record_rank
    from companies
    inner join account_records on companies.record_key = account_records.record_key
),

filled as (
    select
        ranked.*,
        {{ next_known('domain') }},
        {{ next_known('vat_id') }},
        {{ next_known('register_number') }},
        {{ next_known('industry') }},
        {{ next_known('employee_count') }},
        {{ next_known('parent_company_record_key') }}
    from ranked
),

summarized as (
    select
        account_id,
        count(*) as record_count,
        count(distinct source_system) as source_count,
        bool_and(is_deleted) as is_deleted,
        bool_or(is_key_account and not is_deleted) as is_key_account,
        min(created_at) as acquired_at
    from ranked
    group by account_id
),

described as (
    select
        summarized.account_id,
        filled.record_key,
        filled.name,
        filled.legal_form,
        filled.known_domain as domain,
        filled.known_vat_id as vat_id,
        filled.known_register_number as register_number,
        filled.street,
        filled.postal_code,
        filled.city,
        filled.country,
        filled.known_industry as industry,
        filled.known_employee_count as employee_count,
        parents.account_id as parent_account_id,
        summarized.is_key_account,
        case when summarized.is_deleted then 'deleted' else 'active' end as status,
        summarized.record_count,
        summarized.source_count,
        summarized.acquired_at
    from summarized
    inner join filled on summarized.account_id = filled.account_id and filled.record_rank = 1
    -- A company that was merged with its parent has none.
    left join account_records as parents
        on filled.known_parent_company_record_key = parents.record_key and summarized.account_id <> parents.account_id
),

final as (
    select * from described
)

select * from final
