{{ config(materialized='ephemeral') }}  -- read once, as marts.permissions_current

-- One decision for each controller, contact point, channel and purpose. What was withdrawn or objected to is re-opened
-- only by a later evidenced consent; where the order is not known, the most restrictive claim wins.
with

claims as (
    select * from {{ ref('int_permission_claims_listed') }}
),

permission_bases as (
    select * from {{ source('config', 'permission_bases') }}
),

closed as (
    select
        controller,
        contact_point_key,
        channel,
        purpose,
        max(claimed_at) as last_closed_at,
        bool_or(claimed_at is null) as is_closing_undated
    from claims
    where claim in ('withdrawn', 'objected', 'not_understood')
    group by controller, contact_point_key, channel, purpose
),

weighed as (
    select
        claims.*,
        closed.contact_point_key is null
        or (
            claims.is_evidenced_consent
            and not closed.is_closing_undated
            and coalesce(claims.claimed_at > closed.last_closed_at, false)
        ) as is_effective,
        permission_bases.basis is not null as is_sufficient
    from claims
    left join closed
        on
            claims.controller = closed.controller
            and claims.contact_point_key = closed.contact_point_key
            and claims.channel = closed.channel
            and claims.purpose = closed.purpose
    left join permission_bases
        on
            claims.channel = permission_bases.channel
            and claims.basis = permission_bases.basis
),

graded as (
    select
        weighed.*,
        case
            when claim in ('granted', 'not_objected') and is_effective and is_sufficient then 1
            when claim in ('granted', 'not_objected') and is_effective then 2
            when claim in ('withdrawn', 'objected', 'not_understood') then 3
            when claim = 'expired' then 4
            when claim = 'requested' then 5
            else 6
        end as grade,
        case basis
            when 'confirmed_consent' then 1
            when 'consent' then 2
            when 'existing_customer' then 3
            else 4
        end as basis_grade
    from weighed
),

ranked as (
    select
        graded.*,
        row_number() over (
            partition by controller, contact_point_key, channel, purpose
            order by
                grade asc,
                basis_grade asc,
                (grade = 3 and claimed_at is null) desc,
                claimed_at desc nulls last,
                claim asc,
                record_key asc
        ) as claim_rank
    from graded
),

decided as (
    select
        controller,
        contact_point_key,
        channel,
        purpose,
        case when grade = 6 then 'unproven' else claim end as status,
        grade = 1 as is_permitted,
        case when grade <= 2 then basis end as basis,
        record_key as evidence_ref,
        claimed_at as status_at
    from ranked
    where claim_rank = 1
),

final as (
    select * from decided
)

select * from final
