-- Who belongs to which account: the company that the person's records name, now and formerly, and the CRM's own list.
-- The part in buying is told by the function on that list, else by the job title, which is that of the present company.
with

employments as (
    select * from {{ source('raw', 'employments') }}
),

company_contacts as (
    select * from {{ ref('stg_crm__company_contacts') }}
),

persons as (
    select * from {{ source('clean', 'persons') }}
),

titles as (
    select * from {{ ref('int_titles_classified') }}
),

members as (
    select * from {{ source('identity', 'members') }}
),

account_records as (
    select * from {{ source('identity', 'account_records') }}
),

build as (
    select * from {{ source('config', 'build') }}
),

listed as (
    select
        employments.record_key as person_record_key,
        employments.company_record_key,
        cast(null as varchar) as role,
        case when employments.valid_until is null then lower(persons.job_title) end as title,
        false as is_declared_primary,
        true as is_own_company,
        employments.valid_from,
        employments.valid_until,
        employments.record_key
    from employments
    left join persons on employments.record_key = persons.record_key
    union all
    select
        contact_record_key as person_record_key,
        company_record_key,
        lower(role) as role,
        lower(role) as title,
        coalesce(is_primary, false) as is_declared_primary,
        false as is_own_company,
        valid_from,
        case
            when is_deleted then least(valid_until, coalesce(deleted_at, updated_at, _loaded_at))
            else valid_until
        end as valid_until,
        record_key
    from company_contacts
),

assigned as (
    select
        members.customer_id,
        account_records.account_id,
        listed.role,
        listed.is_declared_primary and listed.valid_until is null as is_declared_primary,
        listed.is_own_company and listed.valid_until is null as is_own_company,
        listed.valid_from,
        listed.valid_until,
        row_number() over (
            partition by members.customer_id, account_records.account_id
            order by
                (listed.role is not null) desc,
                listed.valid_until desc nulls first,
                listed.valid_from desc nulls last,
                listed.record_key asc
        ) as role_rank,
        titles.buying_role,
        row_number() over (
            partition by members.customer_id, account_records.account_id
            order by
                (titles.buying_role is not null) desc,
                (listed.role is not null) desc,
                listed.valid_until desc nulls first,
                listed.valid_from desc nulls last,
                listed.record_key asc
        ) as buying_role_rank
    from listed
    inner join members on listed.person_record_key = members.record_key
    inner join account_records on listed.company_record_key = account_records.record_key
    left join titles on listed.title = titles.title
),

grouped as (
    select
        customer_id,
        account_id,
        max(case when role_rank = 1 then role end) as role,
        max(case when buying_role_rank = 1 then buying_role end) as buying_role,
        bool_or(is_declared_primary) as is_declared_primary,
        bool_or(is_own_company) as is_own_company,
        min(valid_from) as valid_from,
        case when count(valid_until) = count(*) then max(valid_until) end as valid_until
    from assigned
    group by customer_id, account_id
),

dated as (
    select
        grouped.*,
        coalesce(grouped.valid_from <= build.as_of, true)
        and coalesce(grouped.valid_until > build.as_of, true) as is_current
    from grouped
    cross join build
),

ranked as (
    select
        dated.*,
        row_number() over (
            partition by customer_id
            order by
                is_current desc,
                is_declared_primary desc,
                is_own_company desc,
                valid_from desc nulls last,
                account_id asc
        ) as account_rank
    from dated
),

final as (
    select
        customer_id,
        account_id,
        {{ shared_value('role') }} as role,
        buying_role,
        is_current and account_rank = 1 as is_primary,
        is_current,
        valid_from,
        valid_until
    from ranked
)

select * from final
