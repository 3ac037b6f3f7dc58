"""Resolve as assets: which records are one person, and the life of every id."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import dagster as dg

from pipelines.defs.steps import BUILD, WAREHOUSE_POOL, step
from pipelines.defs.tables import count_tables
from pipelines.defs.translator import describe_asset

if TYPE_CHECKING:
    from pipelines.resolve import ResolveReport

TABLES = {
    "members": "Which customer every person record belongs to. One row per person record.",
    "links": "The evidence that joined records. One row per accepted pair.",
    "refused_links": "Evidence that was not enough or was contradicted, with the reason. One row per refused pair.",
    "review_queue": "Pairs that people should look at, most urgent first. One row per pair.",
    "silenced_values": "Values that say nothing about who somebody is, and why. One row per kind and value.",
    "customer_id_history": "Every customer id ever issued and what it is today. One row per id.",
    "customer_id_events": "What happened to ids: created, merged, split, restored. One row per event.",
    "account_records": "Which account every company record belongs to. One row per company record.",
    "account_links": "The evidence that joined company records, with reasons. One row per accepted pair.",
    "refused_account_links": "Company records that are alike and were not joined, and why. One row per pair.",
    "account_orders": "Which account an order names by company or VAT id. One row per order that does.",
    "account_id_history": "Every account id ever issued and what it is today. One row per id.",
    "overrides": "What people decided about records, and whether it holds. One row per line of overrides.csv.",
    "id_changes": "What happens to the customers of the published version. One row per customer that was in it.",
    "diff": "What changes against the published version, in figures. One row per build.",
    "model": "The probabilities that pairs were weighed by. One row per compared field and degree of agreement.",
    "model_fit": "How far the data is like that the kept model was learned from. One row per figure.",
    "model_frequencies": "How frequent values are in the eyes of the model. One row per field and value seen twice.",
}

INPUT = ("persons", "contact_points", "order_references", "companies", "company_evidence")


@dg.multi_asset(
    name="resolve_identities",
    specs=[
        describe_asset(
            ("identity", table),
            text,
            deps=[BUILD, *(dg.AssetKey(["clean", name]) for name in INPUT)],
            kinds=("python", "splink", "duckdb"),
        )
        for table, text in TABLES.items()
    ],
    pool=WAREHOUSE_POOL,
)
def identity_assets(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[Any]]:
    from pipelines.overrides import company_day
    from pipelines.resolve import resolve_accounts, resolve_identities, write_diff, write_outcomes
    from pipelines.warehouse import connect

    with step(context) as working:
        with connect(working.settings.build_warehouse, working.settings) as connection:
            report = resolve_identities(connection, working.settings, working.configuration, working.build)
            accounts = resolve_accounts(connection, working.settings, working.configuration, working.build)
            day = company_day(working.build.as_of, working.configuration.company.time_zone)
            overrides = write_outcomes(connection, day)
            diff = write_diff(connection, working.settings, working.build)
            rows = count_tables(connection, "identity", TABLES)
        if report.in_full_because:
            context.log.info(f"All records were matched anew: {report.in_full_because}.")
        if report.oversized_count:
            context.log.warning(
                f"{report.oversized_count} records are alike in too much to be compared with each other in one of the "
                f"blocks, and may be missing links; look for a default value that many records carry."
            )
        if report.drifted_count:
            context.log.warning(
                f"The data differs in {report.drifted_count} figures from what the model that weighs pairs was learned "
                f"from; it was {'learned anew' if report.is_new_model else 'kept'}. See identity.model_fit."
            )
        for sentence in overrides.sentences:
            context.log.warning(sentence)
        facts = {
            "links": _facts(report),
            "account_records": asdict(accounts),
            "overrides": overrides.counts,
            "diff": asdict(diff),
        }
        for table in TABLES:
            metadata = facts.get(table)
            yield working.materialized(dg.AssetKey(["identity", table]), rows=rows[table], metadata=metadata)


def _facts(report: "ResolveReport") -> dict[str, int | str]:
    """The report as metadata: counts, the version of the model, and refused links by reason."""
    counts = {name: value for name, value in asdict(report).items() if isinstance(value, int | str)}
    return counts | {f"refused: {reason}": count for reason, count in report.refused_links.items()}
