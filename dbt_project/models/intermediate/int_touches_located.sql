{{ config(materialized='ephemeral') }}  -- each reader needs a few of its rows

-- Touches with the contact point that they name themselves, and the channel they went by: their own, else that of the
-- campaign, else that of the contact point.
with

touches as (
    select * from {{ ref('stg_marketing__touches') }}
),

-- Few messages name a number. Read apart from the others, which the engine would keep in memory to be read twice.
phoned as (
    select
        record_key,
        contact_record_key,
        phone
    from {{ ref('stg_marketing__touches') }}
    where phone is not null
),

campaigns as (
    select * from {{ ref('stg_marketing__campaigns') }}
),

emails as (
    select * from {{ source('clean', 'emails') }}
),

phones as (
    select * from {{ source('clean', 'phones') }}
),

persons as (
    select * from {{ source('clean', 'persons') }}
),

sources as (
    select * from {{ source('config', 'sources') }}
),

build as (
    select * from {{ source('config', 'build') }}
),

channel_kinds as (
    {{ channel_kinds() }}
),

named as (
    select
        touches.*,
        coalesce(campaigns.controller, sources.controller) as controller,
        lower(touches.kind) as touch_kind,
        coalesce(
            lower(touches.channel),
            lower(campaigns.channel),
            case when touches.email is not null then 'email' when touches.phone is not null then 'phone' end
        ) as channel_name
    from touches
    left join campaigns on touches.campaign_record_key = campaigns.record_key
    left join sources on touches.source_system = sources.source_system
),

-- A number without its country is read as cleaning reads it: in the country of the contact, else of the company.
numbers as (
    select
        phoned.record_key,
        phones.contact_point_key
    from phoned
    cross join build
    left join persons on phoned.contact_record_key = persons.record_key
    inner join phones
        on
            phoned.phone = phones.raw_value
            and coalesce(persons.country, build.country) = phones.country
),

located as (
    select
        named.record_key as touch_key,
        named.source_system,
        named.source_record_id,
        named.controller,
        named.contact_record_key,
        named.campaign_record_key as campaign_key,
        named.email,
        named.phone,
        named.variant,
        named.step,
        named.channel_name as channel,
        channel_kinds.kind as contact_point_kind,
        named.touch_kind as kind,
        coalesce(named.is_machine, false) as is_machine,
        lower(named.bounce_type) as bounce_type,
        named.occurred_at,
        named.is_deleted,
        case channel_kinds.kind
            when 'email' then emails.contact_point_key
            when 'phone' then numbers.contact_point_key
        end as contact_point_key
    from named
    left join channel_kinds on named.channel_name = channel_kinds.channel
    left join emails on named.email = emails.raw_value
    left join numbers on named.record_key = numbers.record_key
),

final as (
    select * from located
)

select * from final
