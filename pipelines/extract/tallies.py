"""What became of every delivered record, over all sources: the open rejects, and the reconciliation of counts.

Add a table of `raw` here that is about loads and not about records.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from pipelines.configuration import Configuration, SourceConfig
from pipelines.extract.landing import content_hash
from pipelines.extract.landings import Landing
from pipelines.extract.report import COUNT_NAMES
from pipelines.keys import record_key
from pipelines.warehouse import literal

RECONCILED = tuple(n for n in COUNT_NAMES if n != "rounded")
# Also told of the latest load alone: what was refused in an earlier one may have been mended since.
LATEST = ("latest_delivered", "latest_rejected")


def rejects_query(configuration: Configuration, landed: Mapping[str, Landing]) -> str:
    """One row per open reject: keys and reasons, no values."""
    selects = [
        f"select {literal(s.name)}::varchar as source_system, entity, "
        f"{record_key(literal(s.name), 'entity', 'source_record_id')} as record_key, "
        f"field, value_class, reason, run_id, rejected_at "
        f"from {landed[s.name].table('rejects')} "
        f"where resolved_at is null and entity in ({', '.join(literal(e) for e in s.landed_entities)})"
        for s in configuration.sources
        if s.name in landed
    ]
    if not selects:
        texts = ("source_system", "entity", "record_key", "field", "value_class", "reason", "run_id")
        return f"select {', '.join(f'null::varchar as {t}' for t in texts)}, null::timestamp as rejected_at where false"
    return " union all ".join(selects) + " order by all"


# One row per record and rule of the audit that sets it aside: filled by `audit.quarantine_records`.
EMPTY_QUARANTINE = (
    "select null::varchar as source_system, null::varchar as entity, null::varchar as record_key, "
    "null::varchar as rule_id where false"
)


def reconciliation_query(
    configuration: Configuration, landed: Mapping[str, Landing], since: Mapping[str, datetime]
) -> str:
    """One row per source and entity: sums over the loads after the watermark; the latest load's own counts, amounts;
    and how many records differ from those at the watermark, whatever happened to them between.

    How many records are there and how many were set aside is counted when that is decided.
    """
    counted_later = "0::bigint as landed_count, 0::bigint as quarantined_count"
    selects = []
    for source in configuration.sources:
        for entity in source.landed_entities:
            named = (
                f"select {literal(source.name)}::varchar as source_system, {literal(entity)}::varchar as entity, "
                f"{str(source.enabled).lower()} as is_enabled, "
            )
            if source.name not in landed:
                zeros = ", ".join(f"0::bigint as {n}_count" for n in (*RECONCILED, *LATEST))
                selects.append(
                    f"{named} 0::bigint as load_count, {zeros}, 0::bigint as differing_count, "
                    f"null::timestamp as loaded_at, "
                    f"'{{}}'::json as control_amounts, null::timestamp as failed_at, {counted_later}"
                )
                continue
            after = f"loaded_at > {literal(since[source.name])}::timestamp" if source.name in since else "true"
            sums = ", ".join(
                f"coalesce(sum({n}_count) filter (where {after}), 0)::bigint as {n}_count" for n in RECONCILED
            )
            latest = ", ".join(
                f"coalesce(arg_max({n.removeprefix('latest_')}_count, load_id), 0)::bigint as {n}_count" for n in LATEST
            )
            selects.append(
                f"{named} count(*) filter (where {after}) as load_count, {sums}, {latest}, "
                f"{_differing_count(source, landed[source.name], entity, since.get(source.name))} as differing_count, "
                f"max(loaded_at) as loaded_at, "
                f"coalesce(arg_max(control_amounts, load_id), '{{}}')::json as control_amounts, "
                f"{_failed_at(landed[source.name], entity)} as failed_at, {counted_later} "
                f"from {landed[source.name].table('loads')} where entity = {literal(entity)}"
            )
    return " union all ".join(selects) + " order by source_system, entity"


def _differing_count(source: SourceConfig, landing: Landing, name: str, since: datetime | None) -> str:
    """SQL: how many records say something else than they said at the watermark; one that was changed back does not."""
    entity = source.find_entity(name)
    if since is None or entity is None or name not in landing.columns:
        return "0::bigint"
    history = f"{name}_history"
    former = content_hash(entity, landing.columns[history], "former")
    present = content_hash(entity, landing.columns[name], "present")
    return f"""(
        select count(*) from {landing.table(history)} as former
        inner join {landing.table(name)} as present using (source_record_id)
        where former._valid_from <= {literal(since)}::timestamp and former._valid_to > {literal(since)}::timestamp
            and {former} <> {present}
    )"""


def _failed_at(landing: Landing, entity: str) -> str:
    """SQL beside the loads of an entity: when the source could last not be read, unless it was read since."""
    if "failures" not in landing.columns:
        return "null::timestamp"
    failed = f"(select max(failed_at) from {landing.table('failures')} where entity = {literal(entity)})"
    return f"case when max(loaded_at) is null or {failed} > max(loaded_at) then {failed} end"
