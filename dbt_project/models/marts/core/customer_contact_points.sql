with

contact_points as (
    select * from {{ ref('int_contact_points_assigned') }}
),

-- Apart from those that are grouped: what one query reads by one name twice, the engine keeps in memory.
addresses as (
    select
        record_key,
        customer_id,
        contact_point_key
    from {{ ref('int_contact_points_assigned') }}
    where kind = 'address' and is_primary
),

source_names as (
    select source_system from {{ source('config', 'sources') }}
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
        addresses.customer_id,
        addresses.contact_point_key
    from chosen
    inner join addresses on chosen.record_key = addresses.record_key
    where chosen.field_group = 'address'
),

-- Who clicked the link in a confirmation mail proved that the mailbox is read.
confirmed as (
    select distinct attached.contact_point_key
    from permissions
    inner join attached on permissions.record_key = attached.record_key
    where permissions.basis = 'confirmed_consent' and attached.channel = 'email' and attached.is_primary
),

-- A set of sources is a number with a bit for each, and written as text once for every set that occurs.
source_bits as (
    select
        source_system,
        cast(power(2, row_number() over (order by source_system) - 1) as bigint) as source_bit
    from source_names
),

grouped as (
    select
        contact_points.customer_id,
        contact_points.contact_point_key,
        -- The key is made of both.
        any_value(contact_points.kind) as kind,
        any_value(contact_points.value) as value,
        min(contact_points.valid_from) as valid_from,
        case when not bool_or(contact_points.is_live) then max(contact_points.valid_until) end as valid_until,
        bool_or(contact_points.is_valid) as is_valid,
        bool_or(contact_points.is_verified) as is_verified_by_source,
        bool_or(contact_points.is_undeliverable) as is_undeliverable,
        bool_or(contact_points.is_live) as is_live,
        count(*) as record_count,
        bit_or(source_bits.source_bit) as source_set
    from contact_points
    inner join source_bits on contact_points.source_system = source_bits.source_system
    group by contact_points.customer_id, contact_points.contact_point_key
),

source_sets as (
    select distinct source_set from grouped
),

source_lists as (
    select
        source_sets.source_set,
        {{ sorted_list('source_bits.source_system', ', ') }} as sources
    from source_sets
    inner join source_bits on (source_sets.source_set & source_bits.source_bit) <> 0
    group by source_sets.source_set
),

joined as (
    select
        grouped.*,
        source_lists.sources,
        golden_values.value is not null or golden_addresses.contact_point_key is not null as is_primary,
        grouped.is_verified_by_source or confirmed.contact_point_key is not null as is_verified
    from grouped
    inner join source_lists on grouped.source_set = source_lists.source_set
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
