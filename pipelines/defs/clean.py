"""Clean as assets: the normalized person records and the log of what was corrected."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from pipelines.defs.steps import BUILD, WAREHOUSE_POOL, step
from pipelines.defs.tables import count_tables
from pipelines.defs.translator import describe_asset
from pipelines.entities import ENTITIES, Entity

TABLES = {
    "persons": "Person records of all sources with normalized names, addresses and contact data. "
    "One row per contact, shop customer, support user, guest order or referenced but undelivered record.",
    "emails": "Normalized e-mail addresses. One row per distinct text in any source.",
    "phones": "Normalized phone numbers, E.164. One row per distinct text and country.",
    "contact_points": "Contact points of records, former ones as well. One row per record, kind and value.",
    "custom_fields": "Fields of the company's own on person records. One row per person record and field.",
    "companies": "Companies of all sources, without placeholders. One row per company record.",
    "company_evidence": "What tells which company is meant: VAT id, register entry, name with postal code, domain. "
    "One row per company record, or order of a company, and kind of evidence.",
    "order_references": "Who asks about, pays or rates an order, and who bought it. One row per two person records.",
    "corrections": "What cleaning changed or proposes, and by which rule. One row per record, field and rule.",
    "correction_plan": "How much there is to mend at the sources. One row per source, entity, field, rule and status.",
}


def _is_read(entity: Entity) -> bool:
    """Whether cleaning reads the entity: companies, what holds contact points, or refers to a person."""
    return entity.name == "companies" or any(
        c.name in {"email", "phone"} or c.references == "person" for c in entity.columns
    )


STAGING = [dg.AssetKey(["staging", f"stg_{e.role}__{e.name}"]) for e in ENTITIES.values() if _is_read(e)]


@dg.multi_asset(
    name="clean_records",
    specs=[
        describe_asset(
            ("clean", table),
            text,
            deps=[BUILD, dg.AssetKey(["raw", "person_history"]), *STAGING],
            kinds=("python", "duckdb"),
        )
        for table, text in TABLES.items()
    ],
    pool=WAREHOUSE_POOL,
)
def clean_assets(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[Any]]:
    from pipelines.clean import clean_records
    from pipelines.warehouse import connect

    with step(context) as working:
        with connect(working.settings.build_warehouse, working.settings) as connection:
            clean_records(connection, working.settings, working.configuration, working.build)
            rows = count_tables(connection, "clean", TABLES)
        for table in TABLES:
            yield working.materialized(dg.AssetKey(["clean", table]), rows=rows[table])
