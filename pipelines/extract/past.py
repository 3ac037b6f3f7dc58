"""What landings still know of records that changed: former contact fields, and who worked where and when.

Add a table of `raw` here that looks at superseded rows. What holds now is in `raw`.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.configuration import Configuration, SourceConfig
from pipelines.entities import ENTITIES, Entity
from pipelines.extract.landing import IS_GONE
from pipelines.extract.landings import Landing, landings_of, referred_entity
from pipelines.keys import record_key
from pipelines.warehouse import identifier, literal

CONTACT_FIELDS = ("email", "phone", "mobile", "street", "postal_code", "city", "region", "country")


def employments_query(configuration: Configuration, landed: Mapping[str, Landing]) -> str:
    """One row per person record, company it named and period: what landing knows, superseded rows included."""
    selects = []
    for entity in (e for e in ENTITIES.values() if e.is_person):
        for source, landing in landings_of(configuration, entity, landed):
            selects.append(_employments_of(source, entity, configuration, landing))
    if not selects:
        return (
            "select null::varchar as record_key, null::varchar as company_record_key, null::timestamp as valid_from, "
            "null::timestamp as valid_until where false"
        )
    return (
        " union all ".join(f"select * from ({query})" for query in selects)
        + " order by record_key, valid_from nulls first"
    )


def _employments_of(source: SourceConfig, entity: Entity, configuration: Configuration, landing: Landing) -> str:
    """The periods of one entity. A period starts when the source changed the record; the first, when it was made.

    What the source says of its own changes is preferred to the time of landing, so that one delivery of everything
    tells the same as one delivery a night.
    """
    company = next(column for column in entity.columns if column.references == "companies")
    owner, companies = referred_entity(entity, company, source, configuration)
    company_key = record_key(literal(owner), literal(companies), "company")
    current, history = (landing.table(entity.name + suffix) for suffix in ("", "_history"))
    version = f"""
        select source_record_id, created_at, coalesce(updated_at, _valid_from) as changed_at, _valid_from,
            coalesce(deleted_at, _absent_since, case when {IS_GONE} then changed_at end) as gone_at,
            case when gone_at is null then {identifier(company.name)} end as company
    """
    return f"""
        with versions as (
            {version}, true as is_current from {current}
            union all
            {version}, false from {history}
        ),
        compared as (
            select source_record_id, company, coalesce(gone_at, changed_at) as since, is_current, _valid_from,
                min(created_at) over (partition by source_record_id) as created_at,
                row_number() over in_order as position,
                lag(company) over in_order as former_company
            from versions
            where source_record_id in (select source_record_id from versions where company is not null)
            window in_order as (partition by source_record_id order by is_current, changed_at, _valid_from)
        ),
        periods as (
            select source_record_id, company,
                case when position = 1 then created_at else since end as valid_from,
                lead(since) over (partition by source_record_id order by position) as valid_until
            from compared
            where position = 1 or company is distinct from former_company
        )
        select {record_key(literal(source.name), literal(entity.name), "source_record_id")} as record_key,
            {company_key} as company_record_key, valid_from, valid_until
        from periods
        where company is not null
    """


def person_history_query(configuration: Configuration, landed: Mapping[str, Landing]) -> str:
    """One row per person record and set of contact fields that it had once and has no more."""
    selects = []
    for entity in (e for e in ENTITIES.values() if e.is_person):
        for source, landing in landings_of(configuration, entity, landed):
            selects.append(_superseded_contact_fields(entity, source.name, landing))
    if not selects:
        texts = ("record_key", "source_system", "entity", *CONTACT_FIELDS)
        columns = [f"null::varchar as {t}" for t in texts] + ["null::timestamp as valid_from"]
        return f"select {', '.join(columns)}, null::timestamp as valid_until where false"
    return " union all ".join(selects) + " order by record_key, valid_until, valid_from"


def _superseded_contact_fields(entity: Entity, source: str, landing: Landing) -> str:
    """Until when they held is said by the version that replaced them, else by the load that landed it."""
    present = landing.columns[f"{entity.name}_history"]
    fields = ", ".join(f if f in present else f"null::varchar as {f}" for f in CONTACT_FIELDS)
    names = ", ".join(CONTACT_FIELDS)
    now_same = " and ".join(f"current_row.{f} is not distinct from ended.{f}" for f in CONTACT_FIELDS)
    current, history = (landing.table(entity.name + suffix) for suffix in ("", "_history"))
    version = f"select source_record_id, {fields}, created_at, updated_at, _valid_from"
    return f"""
        select * from (
            with versions as (
                {version}, _valid_to from {history}
                union all
                {version}, null::timestamp as _valid_to from {current}
                where source_record_id in (select source_record_id from {history})
            ),
            dated as (
                select *,
                    row_number() over versions_of_record = 1 as is_first,
                    lead(updated_at) over versions_of_record as replaced_at
                from versions
                window versions_of_record as (
                    partition by source_record_id order by _valid_from, _valid_to nulls last, updated_at, {names}
                )
            ),
            ended as (
                select source_record_id, {names},
                    min(case when is_first then created_at else coalesce(updated_at, _valid_from) end) as valid_from,
                    max(case when replaced_at > updated_at then replaced_at else _valid_to end) as valid_until
                from dated
                where _valid_to is not null and coalesce({names}) is not null
                group by source_record_id, {names}
            )
            select
                {record_key(literal(source), literal(entity.name), "source_record_id")} as record_key,
                {literal(source)}::varchar as source_system, {literal(entity.name)}::varchar as entity, {names},
                valid_from::timestamp as valid_from, valid_until::timestamp as valid_until
            from ended
            where not exists (
                select 1 from versions as current_row
                where current_row._valid_to is null and current_row.source_record_id = ended.source_record_id
                    and {now_same}
            )
        )
    """
