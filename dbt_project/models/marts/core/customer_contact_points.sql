with

contact_points as (
    select * from {{ ref('int_contact_points_assigned') }}
),

profiles as (
    select * from {{ ref('customer_profiles') }}
),

chosen as (
    select * from {{ ref('int_golden_groups_chosen') }}
),

permissions as (
    select * from {{ ref('int_permissions_interpreted') }}
),

attached as (
    select * from {{ ref('int_permission_points_attached') }}
),

golden_values as (
    select
        customer_id,
        'email' as kind,
        email as value
    from profiles
    union all
    select
        customer_id,
        'phone' as kind,
        coalesce(mobile, phone) as value
    from profiles
),

-- Of the record whose address survived, the address that is its first.
golden_addresses as (
    select distinct
        contact_points.customer_id,
        contact_points.contact_point_key
    from chosen
    inner join contact_points on chosen.record_key = contact_points.record_key
    where chosen.field_group = 'address' and contact_points.kind = 'address' and contact_points.is_primary
),

-- Who clicked the link in a confirmation mail proved that the mailbox is read.
confirmed as (
    select distinct attached.contact_point_key
    from permissions
    inner join attached on permissions.record_key = attached.record_key
    where permissions.basis = 'confirmed_consent' and attached.channel = 'email' and attached.is_primary
),

grouped as (
    select
        customer_id,
        contact_point_key,
        min(kind) as kind,
        min(value) as value,
        min(valid_from) as valid_from,
        case when not bool_or(is_live) then max(valid_until) end as valid_until,
        bool_or(is_valid) as is_valid,
        bool_or(is_verified) as is_verified_by_source,
        bool_or(is_undeliverable) as is_undeliverable,
        bool_or(is_live) as is_live,
        count(*) as record_count,
        {{ sorted_list('source_system', ', ') }} as sources
    from contact_points
    group by customer_id, contact_point_key
),

joined as (
    select
        grouped.*,
        golden_values.value is not null or golden_addresses.contact_point_key is not null as is_primary,
        grouped.is_verified_by_source or confirmed.contact_point_key is not null as is_verified
    from grouped
    left join golden_values
        on
            grouped.customer_id = golden_values.customer_id
            and grouped.kind = golden_values.kind
            and grouped.value = golden_values.value
    left join golden_addresses
        on
            grouped.customer_id = golden_addresses.customer_id
            and grouped.contact_point_key = golden_addresses.contact_point_key
    left join confirmed on grouped.contact_point_key = confirmed.contact_point_key
),

final as (
    select
        customer_id,
        contact_point_key,
        kind,
        value,
        valid_from,
        valid_until,
        is_primary,
        is_valid,
        is_verified,
        is_undeliverable,
        is_live,
        record_count,
        sources
    from joined
)

select * from final
