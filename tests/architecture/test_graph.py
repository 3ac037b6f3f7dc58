"""The asset graph as text: every change to keys, groups, checks, jobs and schedules is seen in a review."""

from __future__ import annotations

import os

import pytest
from dagster import Definitions

from pipelines.definitions import build_defs
from pipelines.settings import PROJECT_DIR, Settings

SNAPSHOT = PROJECT_DIR / "tests" / "architecture" / "graph.txt"


@pytest.fixture(scope="module")
def definitions() -> Definitions:
    return build_defs(Settings.from_environment({"KUNDENSTAMM_CONFIG_DIR": str(PROJECT_DIR / "config")}))


@pytest.fixture(scope="module")
def graph(definitions: Definitions) -> str:
    repository = definitions.get_repository_def()
    assets = repository.asset_graph
    lines = ["# assets: group, key, what it depends on"]
    for node in sorted(assets.asset_nodes, key=lambda n: (n.group_name, n.key)):
        parents = ", ".join(sorted(".".join(p.path) for p in node.parent_keys))
        lines.append(f"{node.group_name:<9} {'.'.join(node.key.path)} <- {parents}")
    lines.append("# checks: asset, name")
    lines += sorted(f"{'.'.join(k.asset_key.path)} {k.name}" for k in assets.asset_check_keys)
    lines.append("# jobs")
    lines += sorted(job.name for job in repository.get_all_jobs() if not job.name.startswith("__"))
    lines.append("# schedules and sensors")
    lines += sorted(
        f"{s.name} {s.cron_schedule} {s.execution_timezone} {s.default_status.value}" for s in repository.schedule_defs
    )
    lines += sorted(
        f"{s.name} every {s.minimum_interval_seconds} s {s.default_status.value}" for s in repository.sensor_defs
    )
    return "\n".join(lines) + "\n"


def test_the_graph_is_the_one_that_was_reviewed(graph: str) -> None:
    if os.environ.get("UPDATE_GRAPH"):
        SNAPSHOT.write_text(graph)
    assert graph == SNAPSHOT.read_text()


def test_every_asset_has_an_owner_a_kind_and_a_description_with_its_grain(definitions: Definitions) -> None:
    for spec in definitions.resolve_all_asset_specs():
        assert spec.owners, spec.key
        assert spec.kinds, spec.key
        assert "One row per" in (spec.description or ""), spec.key
