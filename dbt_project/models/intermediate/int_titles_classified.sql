{{ config(materialized='ephemeral') }}  -- few rows, read twice

-- The part in buying that a title tells, by the rules of `buying_center.yml`; titles that tell none are left out.
with

company_contacts as (
    select * from {{ ref('stg_crm__company_contacts') }}
),

deal_contacts as (
    select * from {{ ref('stg_crm__deal_contacts') }}
),

persons as (
    select * from {{ source('clean', 'persons') }}
),

rules as (
    select * from {{ source('config', 'buying_roles') }}
),

titles as (
    select lower(role) as title from company_contacts
    union
    select lower(role) as title from deal_contacts
    union
    select lower(job_title) as title from persons
),

matched as (
    select
        titles.title,
        rules.buying_role,
        row_number() over (partition by titles.title order by rules.position asc, rules.word asc) as place
    from titles
    inner join rules on {{ title_words('titles.title') }} like concat('% ', rules.word, '%')
),

final as (
    select
        title,
        buying_role
    from matched
    where place = 1
)

select * from final
