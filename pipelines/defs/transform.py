"""dbt models as assets: one op per dbt call, specs from dbt's manifest.

The manifest is read as plain data: importing dagster-dbt for the same specs would add three seconds to every load of
the code location.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import dagster as dg

from pipelines.defs.steps import BUILD, WAREHOUSE_POOL, step
from pipelines.defs.tables import count_tables
from pipelines.defs.translator import describe_asset
from pipelines.transform import run_dbt
from pipelines.warehouse import connect

Node = Mapping[str, Any]


def dbt_assets(manifest: Mapping[str, Any], *, name: str, belongs: Callable[[Node], bool]) -> dg.AssetsDefinition:
    """One op that builds the models for which `belongs` is true."""
    models = {
        node["unique_id"]: node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and not _is_inlined(node) and belongs(node)
    }
    key_of = {_key(node): node for node in models.values()}

    @dg.multi_asset(
        name=name,
        specs=[_spec(node, manifest) for node in models.values()],
        can_subset=True,
        pool=WAREHOUSE_POOL,
    )
    def run_models(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[Any]]:
        with step(context) as working:
            chosen = sorted(key_of[key]["name"] for key in context.selected_asset_keys)
            results = run_dbt(working.settings, "run", chosen)
            with connect(working.settings.build_warehouse, working.settings, read_only=True) as connection:
                for result in results:  # in the order of execution, which Dagster wants too
                    node, rows = models[result.unique_id], None
                    if node["config"]["materialized"] == "table":  # a view is not computed only to count it
                        rows = count_tables(connection, node["schema"], [node["name"]])[node["name"]]
                    yield working.materialized(_key(node), rows=rows, seconds=result.seconds)

    return run_models


def in_folders(*folders: str) -> Callable[[Node], bool]:
    """True for models below `models/<folder>/` of one of the folders."""
    return lambda node: node["fqn"][1] in folders


def _key(node: Node) -> dg.AssetKey:
    table = node["name"] if node["resource_type"] == "model" else node["identifier"]
    return dg.AssetKey([node["schema"], table])


def _is_inlined(node: Node) -> bool:
    """An ephemeral model is a part of the query that reads it, and no table."""
    return bool(node.get("config", {}).get("materialized") == "ephemeral")


def _parents(node: Node, manifest: Mapping[str, Any]) -> Iterator[dg.AssetKey]:
    """The tables a model reads, also by way of inlined models."""
    nodes = {**manifest["nodes"], **manifest["sources"]}
    for parent in (nodes[unique_id] for unique_id in node["depends_on"]["nodes"] if unique_id in nodes):
        if _is_inlined(parent):
            yield from _parents(parent, manifest)
        else:
            yield _key(parent)


def _spec(node: Node, manifest: Mapping[str, Any]) -> dg.AssetSpec:
    deps = set(_parents(node, manifest))
    # Tables of decisions are made with the build itself.
    deps = {BUILD if key.path[0] == "config" else key for key in deps}
    folder = node["fqn"][2] if len(node["fqn"]) > 3 else None
    return describe_asset(
        (node["schema"], node["name"]), node["description"], deps=deps, kinds=("dbt", "duckdb"), folder=folder
    )
