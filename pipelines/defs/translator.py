"""Derive what the Dagster UI shows of a table from its name: group, owner, kinds.

Add a rule here when a new schema appears. Descriptions come from where the table is made.
"""

from __future__ import annotations

from collections.abc import Iterable

import dagster as dg

STAGES = ("extract", "clean", "resolve", "unify", "analyze", "activate", "audit", "publish")

GROUP_OF_SCHEMA = {
    "raw": "clean",
    "staging": "clean",
    "clean": "clean",
    "identity": "resolve",
    "intermediate": "unify",
    "marts": "unify",
    "activation": "activate",
    "meta": "audit",
    "audit": "audit",
    "publish": "publish",
}
GROUP_OF_FOLDER = {"core": "unify", "analysis": "analyze", "activation": "activate"}
GROUP_OF_KEY = {("meta", "build"): "extract"}
OWNER_OF_GROUP = {
    "extract": "team:data-engineering",
    "clean": "team:data-engineering",
    "resolve": "team:data-engineering",
    "unify": "team:analytics",
    "analyze": "team:analytics",
    "activate": "team:crm",
    "audit": "team:crm",
    "publish": "team:data-engineering",
}


def describe_asset(
    path: tuple[str, str],
    description: str,
    *,
    deps: Iterable[dg.AssetKey] = (),
    kinds: Iterable[str] = ("duckdb",),
    folder: str | None = None,
    freshness: dg.FreshnessPolicy | None = None,
) -> dg.AssetSpec:
    """The spec of one asset. `path` is (schema, table); `folder` is the dbt folder of a mart."""
    group = GROUP_OF_KEY.get(path) or GROUP_OF_FOLDER.get(folder or "") or GROUP_OF_SCHEMA.get(path[0], "extract")
    return dg.AssetSpec(
        dg.AssetKey(path),
        description=description,
        deps=sorted(set(deps)),
        group_name=group,
        owners=[OWNER_OF_GROUP[group]],
        kinds=set(kinds),
        freshness_policy=freshness,
    )
