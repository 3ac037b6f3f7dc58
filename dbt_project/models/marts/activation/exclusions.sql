with

listed as (
    select * from {{ ref('int_ticket_exclusions_listed') }}
    union all
    select * from {{ ref('int_purchase_exclusions_listed') }}
    union all
    select * from {{ ref('int_permission_exclusions_listed') }}
),

build as (
    select * from {{ source('config', 'build') }}
),

keyed as (
    select
        md5(
            concat_ws(
                '|',
                listed.reason,
                coalesce(listed.customer_id, ''),
                coalesce(listed.contact_point_key, ''),
                coalesce(listed.controller, ''),
                coalesce(listed.channel, ''),
                coalesce(listed.purpose, ''),
                coalesce(listed.record_key, '')
            )
        ) as exclusion_key,
        listed.customer_id,
        listed.contact_point_key,
        listed.reason,
        listed.controller,
        listed.channel,
        listed.purpose,
        'all' as scope,
        cast(null as varchar) as scope_value,
        listed.record_key,
        listed.valid_from,
        listed.valid_until,
        build.policy_version
    from listed
    cross join build
),

final as (
    select * from keyed
)

select * from final
