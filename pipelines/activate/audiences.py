"""Compute audiences: customers who meet a condition, minus everybody who must not be contacted, each with the reason.

Add a reason for leaving somebody out here, in `_LEFT_OUT`. Exclusions and permissions are decided before, by dbt.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from pipelines.warehouse import literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.build import Build
    from pipelines.configuration import Configuration
    from pipelines.configuration.activation import AudienceConfig


@dataclass(frozen=True)
class AudienceCount:
    """One audience in customers: `matched` meet the condition, of them `members` and `left_out`."""

    name: str
    matched: int
    members: int
    left_out: int


@dataclass(frozen=True)
class AudienceReport:
    """The audiences in the order of `audiences.yml`."""

    audiences: tuple[AudienceCount, ...]


def build_audiences(connection: DuckDBPyConnection, configuration: Configuration, build: Build) -> AudienceReport:
    """Replace `activation.audiences`, `audience_members` and `audience_left_out`.

    A member has one contact point: valid, permitted for the audience's controller, channel and purpose, and held by no
    exclusion, nor is the customer. A contact point that several customers share goes to the one of highest revenue.
    While support data is too old there is no member at all.
    """
    connection.execute("create schema if not exists activation")
    for table, definition in _TABLES.items():
        connection.execute(f"create or replace table activation.{table} ({definition})")
    is_too_old = _is_support_too_old(connection, configuration, build)
    audiences = configuration.audiences_file.audiences
    return AudienceReport(tuple(_build_audience(connection, a, build, is_too_old) for a in audiences))


def _is_support_too_old(connection: DuckDBPyConnection, configuration: Configuration, build: Build) -> bool:
    """Whether tickets of a source are so old that somebody who complained since may be unknown."""
    oldest = build.as_of - timedelta(hours=configuration.exclusions.support_max_age_hours)
    [(is_too_old,)] = connection.execute(_SUPPORT_IS_TOO_OLD, [oldest]).fetchall()
    return bool(is_too_old)


def _build_audience(
    connection: DuckDBPyConnection, audience: AudienceConfig, build: Build, support_is_too_old: bool
) -> AudienceCount:
    facts = {
        "audience": literal(audience.name),
        "version": literal(build.version),
        "controller": literal(audience.controller),
        "channel": literal(audience.channel),
        "purpose": literal(audience.purpose),
        "as_of": f"timestamp {literal(build.as_of.isoformat(sep=' '))}",
        "condition": audience.condition,
        "support_is_too_old": str(support_is_too_old).lower(),
    }
    for step in (_MATCHED, _HELD, _CONTACT_POINTS, _CHOSEN, _MEMBERS, _LEFT_OUT):
        connection.execute(step.format(**facts))
    [(matched, members, left_out)] = connection.execute(_COUNTS.format(**facts)).fetchall()
    connection.execute(
        "insert into activation.audiences values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            audience.name,
            build.version,
            audience.description,
            audience.controller,
            audience.channel,
            audience.purpose,
            audience.where,
            matched,
            members,
            left_out,
            build.as_of,
        ],
    )
    for table in ("audience_matched", "audience_held", "audience_contact_points", "audience_chosen"):
        connection.execute(f"drop table temp.{table}")
    return AudienceCount(audience.name, matched, members, left_out)


_TABLES = {
    "audiences": "audience text, version text, description text, controller text, channel text, purpose text, "
    "condition text, matched_count bigint, member_count bigint, left_out_count bigint, as_of timestamp",
    "audience_members": "audience text, version text, customer_id text, channel text, contact_point_key text, "
    "variant text, basis text, evidence_ref text, priority bigint",
    "audience_left_out": "audience text, customer_id text, contact_point_key text, reason text, exclusion_key text",
}

# A source that is switched off keeps its tickets, which are as old as they are.
_SUPPORT_IS_TOO_OLD = """
    select count(*) > 0
    from raw.reconciliation
    where entity = 'tickets' and coalesce(loaded_at < $1, is_enabled)
"""

# Who meets the condition, and by whom the customer as such is kept out.
_MATCHED = """
    create temp table audience_matched as
    with described as (
        select customers.*, value.* exclude (customer_id, currency, rfm_segment)
        from marts.customers
        inner join marts.customer_value as value using (customer_id)
    )
    select
        customer_id,
        row_number() over (
            order by monetary_amount_base desc nulls last, revenue_amount_base desc, customer_id
        ) as value_rank,
        case
            when {support_is_too_old} then 'support_data_too_old'
            when status = 'deleted' then 'deleted'
            when is_deceased then 'deceased'
            when is_test then 'test_customer'
            when is_employee then 'employee'
            when processing_status <> 'normal' then processing_status
        end as own_reason
    from described
    where {condition}
"""

# The exclusions in force for this use.
_HELD = """
    create temp table audience_held as
    select exclusion_key, customer_id, contact_point_key, reason
    from activation.exclusions
    where coalesce(controller, {controller}) = {controller}
        and coalesce(channel, {channel}) = {channel}
        and coalesce(purpose, {purpose}) = {purpose}
        and coalesce(valid_from, {as_of}) <= {as_of}
        and coalesce(valid_until > {as_of}, true)
"""

# Every contact point by which a matching customer could be reached on this channel.
_CONTACT_POINTS = """
    create temp table audience_contact_points as
    select
        matched.customer_id,
        matched.value_rank,
        points.contact_point_key,
        points.is_primary,
        permissions.basis,
        permissions.evidence_ref,
        coalesce(permissions.is_permitted, false) as is_permitted
    from temp.audience_matched as matched
    inner join marts.customer_contact_points as points using (customer_id)
    left join marts.permissions_current as permissions
        on permissions.contact_point_key = points.contact_point_key
        and permissions.controller = {controller}
        and permissions.channel = {channel}
        and permissions.purpose = {purpose}
    where matched.own_reason is null
        and points.is_valid
        and points.is_live
        and not points.is_undeliverable
        and points.kind = case
            when {channel} in ('email', 'ad_platform') then 'email'
            when {channel} = 'post' then 'address'
            else 'phone'
        end
"""

# The contact point of each customer who may be contacted, and whether it is this customer who gets it.
_CHOSEN = """
    create temp table audience_chosen as
    with allowed as (
        select points.*
        from temp.audience_contact_points as points
        where points.is_permitted
            and points.contact_point_key not in (
                select contact_point_key from temp.audience_held where contact_point_key is not null
            )
            and points.customer_id not in (select customer_id from temp.audience_held where customer_id is not null)
    ),
    best as (
        select *
        from allowed
        qualify row_number() over (partition by customer_id order by is_primary desc, contact_point_key) = 1
    )
    select *, row_number() over (partition by contact_point_key order by value_rank) = 1 as is_member
    from best
"""

_MEMBERS = """
    insert into activation.audience_members
    select
        {audience},
        {version},
        customer_id,
        {channel},
        contact_point_key,
        'all',
        basis,
        evidence_ref,
        row_number() over (order by value_rank)
    from temp.audience_chosen
    where is_member
    order by value_rank
"""

# Everybody else who met the condition: with every reason that holds against the customer, or against the contact
# points that the customer would be reached by.
_LEFT_OUT = """
    insert into activation.audience_left_out
    with outside as (
        select customer_id, own_reason
        from temp.audience_matched
        where customer_id not in (select customer_id from temp.audience_chosen where is_member)
    ),
    by_themselves as (
        select customer_id, null as contact_point_key, own_reason as reason, null as exclusion_key
        from outside
        where own_reason is not null
    ),
    by_customer as (
        select outside.customer_id, null as contact_point_key, held.reason, held.exclusion_key
        from outside
        inner join temp.audience_held as held on held.customer_id = outside.customer_id
    ),
    by_contact_point as (
        select outside.customer_id, points.contact_point_key, held.reason, held.exclusion_key
        from outside
        inner join temp.audience_contact_points as points on points.customer_id = outside.customer_id
        inner join temp.audience_held as held on held.contact_point_key = points.contact_point_key
    ),
    without_permission as (
        select outside.customer_id, points.contact_point_key, 'missing_permission' as reason, null as exclusion_key
        from outside
        inner join temp.audience_contact_points as points on points.customer_id = outside.customer_id
        where not points.is_permitted
            and points.contact_point_key not in (
                select contact_point_key
                from temp.audience_held
                where contact_point_key is not null and reason = 'missing_permission'
            )
    ),
    unreachable as (
        select customer_id, null as contact_point_key, 'no_contact_point' as reason, null as exclusion_key
        from outside
        where own_reason is null
            and customer_id not in (select customer_id from temp.audience_contact_points)
    ),
    outranked as (
        select customer_id, contact_point_key, 'contact_point_already_used' as reason, null as exclusion_key
        from temp.audience_chosen
        where not is_member
    )
    select {audience}, customer_id, contact_point_key, reason, exclusion_key
    from (
        select * from by_themselves
        union all select * from by_customer
        union all select * from by_contact_point
        union all select * from without_permission
        union all select * from unreachable
        union all select * from outranked
    )
    order by all
"""

_COUNTS = """
    select
        (select count(*) from temp.audience_matched),
        (select count(*) from activation.audience_members where audience = {audience}),
        (select count(distinct customer_id) from activation.audience_left_out where audience = {audience})
"""
