"""The jobs a person or the schedule starts."""

from __future__ import annotations

import dagster as dg

from pipelines.audit import Catalogue
from pipelines.configuration import Configuration
from pipelines.defs.audit import VERDICT
from pipelines.defs.extract import entities_of
from pipelines.defs.publish import VERSION

NIGHTLY = "nightly"
REFRESH = "refresh_source"


def build_jobs(configuration: Configuration, catalogue: Catalogue) -> list[dg.UnresolvedAssetJobDefinition]:
    landed = [
        dg.AssetKey([source.name, entity.name]) for source in configuration.sources for entity in entities_of(source)
    ]
    tags = {"configuration": configuration.digest, "company": configuration.company.name[:60]}
    return [
        dg.define_asset_job(
            NIGHTLY,
            selection=dg.AssetSelection.all(),
            description="Everything: extract, clean, resolve, unify, analyze, activate, audit, publish.",
            tags=tags,
        ),
        dg.define_asset_job(
            REFRESH,
            selection=dg.AssetSelection.assets(*landed).without_checks(),
            description="Land what the sources deliver, and nothing else. Unselect the sources you do not want.",
            tags=tags,
        ),
        dg.define_asset_job(
            "audit_only",
            selection=dg.AssetSelection.assets(VERDICT) | dg.AssetSelection.all_asset_checks(),
            description="All suites again on the open build.",
            tags=tags,
        ),
        dg.define_asset_job(
            "publish_only",
            selection=dg.AssetSelection.assets(VERSION),
            description="Publish the open build, if its verdict allows it.",
            tags=tags,
        ),
        *(
            dg.define_asset_job(
                f"check_{suite}",
                selection=dg.AssetSelection.checks(
                    *(dg.AssetCheckKey(dg.AssetKey(r.asset_key), r.check_name) for r in catalogue.select({suite}))
                ),
                description=f"The suite {suite} alone again on the open build; the verdict stays as it is.",
                tags=tags,
            )
            for suite in catalogue.suites
        ),
    ]
