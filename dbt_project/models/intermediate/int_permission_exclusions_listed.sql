{{ config(materialized='ephemeral') }}  -- read once

-- Who must not be contacted for want of permission, on every channel, purpose and controller that an audience uses:
-- each contact point without one, and each customer of whom no contact point is left.
with

uses as (
    select distinct
        controller,
        channel,
        purpose
    from {{ source('config', 'audiences') }}
),

rules as (
    select * from {{ source('config', 'exclusions') }}
    where missing_permission
),

build as (
    select * from {{ source('config', 'build') }}
),

channel_kinds as (
    {{ channel_kinds() }}
),

customers as (
    select * from {{ ref('int_customers_described') }}
),

contact_points as (
    select * from {{ ref('int_contact_points_assigned') }}
),

permissions as (
    select * from {{ ref('permissions_current') }}
),

uses_of_kinds as (
    select
        uses.controller,
        uses.channel,
        uses.purpose,
        channel_kinds.kind
    from uses
    cross join rules
    inner join channel_kinds on uses.channel = channel_kinds.channel
),

points_in_use as (
    select
        contact_points.customer_id,
        contact_points.contact_point_key,
        uses_of_kinds.controller,
        uses_of_kinds.channel,
        uses_of_kinds.purpose,
        bool_or(contact_points.is_usable) as is_usable
    from contact_points
    inner join uses_of_kinds on contact_points.kind = uses_of_kinds.kind
    group by
        contact_points.customer_id,
        contact_points.contact_point_key,
        uses_of_kinds.controller,
        uses_of_kinds.channel,
        uses_of_kinds.purpose
),

decided as (
    select
        points_in_use.*,
        coalesce(permissions.is_permitted, false) as is_permitted,
        permissions.evidence_ref,
        {{ known_by('build.as_of', 'permissions.status_at') }} as status_at
    from points_in_use
    cross join build
    left join permissions
        on
            points_in_use.contact_point_key = permissions.contact_point_key
            and points_in_use.controller = permissions.controller
            and points_in_use.channel = permissions.channel
            and points_in_use.purpose = permissions.purpose
),

permitted_customers as (
    select distinct
        customer_id,
        controller,
        channel,
        purpose
    from decided
    where is_permitted and is_usable
),

customers_held as (
    select
        customers.customer_id,
        uses_of_kinds.controller,
        uses_of_kinds.channel,
        uses_of_kinds.purpose
    from customers
    cross join uses_of_kinds
    left join permitted_customers
        on
            customers.customer_id = permitted_customers.customer_id
            and uses_of_kinds.controller = permitted_customers.controller
            and uses_of_kinds.channel = permitted_customers.channel
            and uses_of_kinds.purpose = permitted_customers.purpose
    where permitted_customers.customer_id is null
),

contact_points_held as (
    select distinct
        contact_point_key,
        controller,
        channel,
        purpose,
        evidence_ref,
        status_at
    from decided
    where not is_permitted
),

final as (
    select
        customer_id,
        cast(null as varchar) as contact_point_key,
        'missing_permission' as reason,
        controller,
        channel,
        purpose,
        cast(null as varchar) as record_key,
        cast(null as timestamp) as valid_from,
        cast(null as timestamp) as valid_until
    from customers_held
    union all
    select
        cast(null as varchar) as customer_id,
        contact_point_key,
        'missing_permission' as reason,
        controller,
        channel,
        purpose,
        evidence_ref as record_key,
        status_at as valid_from,
        cast(null as timestamp) as valid_until
    from contact_points_held
)

select * from final
