-- What each permission record, and each answer to a message, says: a grant, the closing of one, or neither. Deleted
-- records grant nothing any more, but what they closed stays closed. Words that nobody translated may mean a refusal,
-- so they close, for good.
with

permissions as (
    select * from {{ ref('int_permission_records_united') }}
),

members as (
    select * from {{ source('identity', 'members') }}
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
        permissions.*,
        members.customer_id,
        build.as_of,
        coalesce(permissions.controller, sources.controller) as controller_name,
        channel_kinds.channel as channel_name,
        lower(permissions.purpose) as purpose_name,
        coalesce(lower(permissions.kind), 'consent') as permission_kind,
        coalesce(
            lower(permissions.status),
            case
                when coalesce(permissions.given_at, permissions.confirmed_at) is null then 'requested'
                else 'granted'
            end
        ) as permission_status
    from permissions
    cross join build
    left join members on permissions.contact_record_key = members.record_key
    left join sources on permissions.source_system = sources.source_system
    left join channel_kinds on lower(permissions.channel) = channel_kinds.channel
),

dated as (
    select
        named.*,
        coalesce(given_at, confirmed_at) as granted_at,
        coalesce(expires_at <= as_of, false) or permission_status = 'expired' as is_expired,
        case
            when permission_kind = 'objection' then 'objected'
            when permission_status = 'withdrawn' or withdrawn_at is not null then 'withdrawn'
            when is_deleted then null
            when
                permission_kind not in ('consent', 'existing_customer')
                or permission_status not in ('requested', 'granted', 'expired')
                then 'not_understood'
        end as closed_as,
        case
            when permission_kind = 'objection' then greatest(given_at, confirmed_at, requested_at, withdrawn_at)
            else withdrawn_at
        end as closed_at
    from named
),

interpreted as (
    select
        record_key,
        source_system,
        contact_record_key,
        customer_id,
        contact_point_key,
        contact_point_kind,
        controller_name as controller,
        channel_name as channel,
        purpose_name as purpose,
        permission_kind as kind,
        permission_status as status,
        requested_at,
        given_at,
        confirmed_at,
        withdrawn_at,
        expires_at,
        is_deleted,
        email is not null as has_own_email,
        phone is not null as has_own_phone,
        closed_as,
        closed_at,
        case
            when permission_kind = 'objection' or is_deleted then null
            when is_expired then 'expired'
            when permission_status not in ('granted', 'withdrawn') then 'requested'
            when permission_status = 'withdrawn' then null
            when granted_at > as_of then 'requested'
            -- Who cannot prove a consent has none.
            when permission_kind = 'consent' and granted_at is null and evidence is null then 'unproven'
            -- The existing-customer exception needs a sale and a notice of the right to object.
            when
                permission_kind = 'existing_customer'
                and (order_record_key is null or not coalesce(objection_notice_shown, false))
                then 'unproven'
            when permission_kind in ('consent', 'existing_customer') then 'granted'
            else 'unproven'
        end as claim,
        granted_at,
        case
            when permission_kind = 'consent' and confirmed_at <= as_of then 'confirmed_consent'
            else permission_kind
        end as basis,
        permission_kind = 'consent' and (confirmed_at <= as_of or evidence is not null) as is_evidenced_consent
    from dated
),

final as (
    select * from interpreted
)

select * from final
