with

campaigns as (
    select * from {{ ref('stg_marketing__campaigns') }}
    where not is_deleted
),

sources as (
    select * from {{ source('config', 'sources') }}
),

build as (
    select * from {{ source('config', 'build') }}
),

joined as (
    select
        campaigns.record_key as campaign_key,
        campaigns.source_system,
        coalesce(campaigns.controller, sources.controller) as controller,
        campaigns.name,
        lower(campaigns.class) as class,
        lower(campaigns.channel) as channel,
        lower(campaigns.purpose) as purpose,
        campaigns.starts_at,
        campaigns.ends_at,
        campaigns.budget_amount,
        campaigns.cost_amount,
        coalesce(upper(campaigns.currency), build.base_currency) as currency,
        campaigns.advertises,
        originals.record_key as variant_of_key,
        campaigns.created_at,
        campaigns.updated_at
    from campaigns
    cross join build
    left join campaigns as originals
        on
            campaigns.variant_of = originals.source_record_id
            and campaigns.source_system = originals.source_system
    left join sources on campaigns.source_system = sources.source_system
),

final as (
    select * from joined
)

select * from final
